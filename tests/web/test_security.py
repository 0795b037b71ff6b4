"""Pages in a browser's hands: header fields, forms from elsewhere, cookies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from .conftest import Api, problem
from .visitor import Visitor

if TYPE_CHECKING:
    from flask import Flask


def test_the_policy_of_pages_allows_nothing_from_elsewhere(api: Api) -> None:
    policy = api.ask("GET", "/en/").headers["Content-Security-Policy"]
    directives = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    assert directives["default-src"] == "'self'"
    assert directives["object-src"] == "'none'"
    assert {"base-uri", "frame-ancestors", "form-action"} <= set(directives)
    assert "unsafe-inline" not in policy
    assert "http" not in policy


FORM = {"email": "a@example.org"}
ELSEWHERE = [
    "https://evil.example",
    "null",
    "http://127.0.0.1:9",
    "https://127.0.0.1:8000",
    "http://127.0.0.1.evil.example",
]


def sent(api: Api, **headers: str) -> Any:
    """A form of the sign-in page, as a browser sends it with these fields."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return api.ask("POST", "/en/sign-in", data=FORM, headers=named)


@pytest.mark.parametrize("origin", ELSEWHERE)
def test_a_form_from_another_origin_is_refused(api: Api, origin: str) -> None:
    """A form posted from another origin is refused with 403."""
    problem(sent(api, Origin=origin), 403, "invalid-origin")
    problem(sent(api, Origin=origin, Sec_Fetch_Site="cross-site"), 403, "invalid-origin")
    if origin != "null":
        problem(sent(api, Referer=f"{origin}/x"), 403, "invalid-origin")


@pytest.mark.parametrize("site", ["cross-site", "same-site", "", "nonsense"])
def test_what_the_browser_says_of_the_site_counts_before_all_else(api: Api, site: str) -> None:
    own = api.parts.settings.base_url
    problem(sent(api, Sec_Fetch_Site=site, Origin=own, Referer=f"{own}/en/sign-in"), 403, "invalid-origin")


def test_a_form_of_our_own_pages_is_taken(api: Api) -> None:
    own = api.parts.settings.base_url
    for headers in (
        {"Sec_Fetch_Site": "same-origin", "Origin": own},
        {"Sec_Fetch_Site": "same-origin", "Origin": "null"},  # where a browser hides the address of the page
        {"Sec_Fetch_Site": "none"},
        {"Origin": own},
        {"Origin": "http://localhost"},  # the address under which this request came, as behind a proxy
        {"Referer": f"{own}/en/sign-in"},
        {},
    ):
        assert sent(api, **headers).status_code == 303, headers


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_other_methods_that_change_things_are_refused_likewise(api: Api, method: str) -> None:
    answer = api.ask(method, "/en/sign-out", headers={"Origin": "https://evil.example"})
    assert answer.status_code in (403, 405)


def test_reading_and_the_api_are_open_to_other_sites(api: Api) -> None:
    foreign = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
    assert api.ask("GET", "/en/sign-in", headers=foreign).status_code == 200
    body = api.application()
    assert api.ask("POST", "/api/v1/participants", key="portal", json=body, headers=foreign).status_code == 201


def test_cookies_are_not_for_scripts_nor_other_sites(app: Flask) -> None:
    visitor = Visitor(app)
    assert not visitor.get("sign-in").headers.getlist("Set-Cookie")
    path = urlsplit(visitor.parts.participants.sign_in.issue_url("staff@example.org")).path
    (cookie,) = visitor.post(path, {}).headers.getlist("Set-Cookie")
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


def test_pages_with_a_form_or_for_somebody_who_is_signed_in_are_kept_by_no_cache(app: Flask) -> None:
    visitor = Visitor(app)
    assert visitor.get("sign-in").headers["Cache-Control"] == "private, no-store"
    assert visitor.get("").headers["Cache-Control"].startswith("public")
    visitor.sign_in_as_staff()
    for page in ("account", "/staff", "/staff/participants", "/staff/audit/plots.css"):
        assert visitor.get(page).headers["Cache-Control"] == "private, no-store", page


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
