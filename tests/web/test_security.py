"""Pages in a browser's hands: header fields, forms from elsewhere, cookies."""

from __future__ import annotations

import re

import pytest

from .conftest import Api, problem


def test_the_policy_of_pages_allows_nothing_from_elsewhere(api: Api) -> None:
    policy = api.ask("GET", "/en/").headers["Content-Security-Policy"]
    directives = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    assert directives["default-src"] == "'self'"
    assert directives["object-src"] == "'none'"
    assert {"base-uri", "frame-ancestors", "form-action"} <= set(directives)
    assert "unsafe-inline" not in policy
    assert "http" not in policy


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:9", "https://127.0.0.1:8000"])
def test_a_form_from_another_origin_is_refused(api: Api, origin: str) -> None:
    problem(
        api.ask("POST", "/en/sign-in", data={"email": "a@example.org"}, headers={"Origin": origin}),
        403,
        "invalid-origin",
    )
    if origin != "null":
        answer = api.ask("POST", "/en/sign-in", data={"email": "a@example.org"}, headers={"Referer": origin + "/x"})
        problem(answer, 403, "invalid-origin")


def test_a_form_without_its_token_is_refused(api: Api) -> None:
    problem(api.ask("POST", "/en/sign-in", data={"email": "a@example.org"}), 403, "invalid-form")


def test_a_form_of_our_own_page_is_taken_and_anothers_token_is_not(api: Api) -> None:
    client, other = api.app.test_client(), api.app.test_client()
    token = re.search(r'name="csrf" value="([^"]+)"', client.get("/en/sign-in").text)
    assert token
    other.get("/en/sign-in")
    form = {"email": "a@example.org", "csrf": token[1]}
    assert client.post("/en/sign-in", data=form).status_code == 303
    problem(other.post("/en/sign-in", data=form), 403, "invalid-form")


def test_cookies_are_not_for_scripts_nor_other_sites(api: Api) -> None:
    cookies = api.app.test_client().get("/en/sign-in").headers.getlist("Set-Cookie")
    assert cookies
    for cookie in cookies:
        assert "HttpOnly" in cookie
        assert "SameSite=Lax" in cookie


def test_a_page_with_a_form_is_kept_by_no_cache(api: Api) -> None:
    assert api.ask("GET", "/en/sign-in").headers["Cache-Control"] == "private, no-store"


def test_health_and_readiness(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    assert api.ask("GET", "/healthz").status_code == 200
    assert api.ask("GET", "/readyz").json == {
        "status": "ok",
        "database": "ok",
        "storage": "ok",
        "packages": "ok",
    }

    def broken() -> None:
        from service.problems import Unavailable

        raise Unavailable(private="gone")

    monkeypatch.setattr(api.parts.storage, "check", broken)
    told = problem(api.ask("GET", "/readyz"), 503, "unavailable")
    assert told["failed"] == ["storage"]
    assert api.ask("GET", "/healthz").status_code == 200
