"""Pages in a browser's hands: header fields, forms from elsewhere, cookies."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from .conftest import Api, problem
from .visitor import Visitor

if TYPE_CHECKING:
    from flask import Flask

    from service.settings import Settings
    from tests.conftest import FrozenClock


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
    assert "Cookie" in Visitor(app).get("").headers["Vary"]  # the same address looks otherwise to who is signed in
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

    def broken() -> str:
        from service.problems import Unavailable

        raise Unavailable(private="gone")

    monkeypatch.setattr(api.parts.storage, "check", broken)
    told = problem(api.ask("GET", "/readyz"), 503, "unavailable")
    assert told["failed"] == ["storage"]
    assert api.ask("GET", "/healthz").status_code == 200


def signed_in(app: Flask, address: str = "staff@example.org") -> Visitor:
    visitor = Visitor(app, address=address)
    visitor.sign_in_as_staff(address)
    return visitor


def cookie(visitor: Visitor) -> str:
    found = visitor.client.get_cookie("emblem_session")
    return found.value if found else ""


def test_signing_in_again_ends_the_session_of_this_browser_alone(app: Flask) -> None:
    first, second = signed_in(app), signed_in(app)
    before = cookie(first)
    first.sign_in_as_staff()
    assert cookie(first) != before
    sign_in = first.parts.participants.sign_in
    assert sign_in.session(before) is None
    assert sign_in.session(cookie(first)) is not None
    second.get("/staff")


def test_signing_out_ends_the_session_wherever_its_cookie_lies(app: Flask) -> None:
    visitor, other = signed_in(app), signed_in(app)
    before = cookie(visitor)
    answer = visitor.post("sign-out", {})
    assert answer.headers["Clear-Site-Data"] == '"cache", "storage"'
    assert visitor.parts.participants.sign_in.session(before) is None
    other.get("/staff")


def test_sessions_are_listed_and_each_can_be_ended(app: Flask, clock: FrozenClock) -> None:
    mine = signed_in(app)
    clock.advance(60)
    other, auditor = signed_in(app), signed_in(app, "auditor@example.org")
    text = mine.get("account").text
    assert text.count("last used") == 2
    assert text.count("This browser") == 1
    (end,) = [form.attributes["action"] for form in mine.html.all("form") if "/sessions/" in form.attributes["action"]]
    assert cookie(mine) not in text
    auditor.get("account")
    auditor.post(end, {})
    other.get("/staff")  # whose it is not cannot end it
    mine.post(end, {})
    other.get("/staff", status=401)
    mine.get("/staff")


def test_signing_out_everywhere_ends_every_session_and_waiting_link(app: Flask) -> None:
    visitors = [signed_in(app) for _ in range(3)]
    auditor = signed_in(app, "auditor@example.org")
    waiting = urlsplit(visitors[0].parts.participants.sign_in.issue_url("staff@example.org")).path
    visitors[0].get("account")
    visitors[0].post("account/sign-out-everywhere", {})
    for visitor in visitors:
        visitor.get("/staff", status=401)
    visitors[1].get(waiting, status=410)
    auditor.get("/staff")


def test_a_session_that_nobody_uses_ends(app: Flask, clock: FrozenClock) -> None:
    """Half an hour for staff, a week for participants, and twelve hours or thirty days whatever they do."""
    staff, person = signed_in(app), Visitor(app)
    person.join()
    for _ in range(3):
        clock.advance(29 * 60)
        staff.get("/staff")
        staff.parts.database.write(lambda _session: None)  # after the note of this use
    clock.advance(30 * 60)
    staff.get("/staff", status=401)
    person.get("account")
    person.parts.database.write(lambda _session: None)
    clock.advance(7 * 86400)
    person.get("account", status=302)
    staff = signed_in(app)
    for _ in range(25):
        clock.advance(29 * 60)
        staff.client.get("/staff")
        staff.parts.database.write(lambda _session: None)
    staff.get("/staff", status=401)


@pytest.fixture
def safe(settings: Settings, clock: FrozenClock) -> Iterator[Api]:
    """The application as it is reached by https."""
    from service.app import create_app

    made = create_app(settings=dataclasses.replace(settings, base_url="https://logo.example.org"), clock=clock)
    yield Api(made)
    made.extensions["emblem"].close()


def test_with_https_the_cookie_is_this_hosts_alone_and_browsers_stay_with_https(safe: Api) -> None:
    path = urlsplit(safe.parts.participants.sign_in.issue_url("staff@example.org")).path
    answer = safe.ask("POST", path, headers={"Sec-Fetch-Site": "same-origin"})
    (given,) = answer.headers.getlist("Set-Cookie")
    assert given.startswith("__Host-emblem_session=")
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= set(given.split("; "))
    assert "Domain" not in given
    for page in ("/en/", "/api/v1/terms", "/d/x", "/nothing"):
        found = safe.ask("GET", page).headers["Strict-Transport-Security"]
        assert found == "max-age=31536000; includeSubDomains"
    stolen = given.partition(";")[0].replace("__Host-", "")
    assert safe.ask("GET", "/staff", headers={"Cookie": stolen}).status_code == 401


#: What any site may read, by the beginning of its address: it is public, and asked for without cookies.
FOR_ALL = ("/log/", "/logos/", "/oembed", "/components/", "/status/", "/.well-known/")


def test_no_answer_is_guessed_at_nor_read_by_another_site_but_what_is_public(app: Flask, api: Api) -> None:
    """Each route that is asked by GET, of somebody who is signed in, from a page of another site."""
    staff, asked = signed_in(app), 0
    for rule in app.url_map.iter_rules():
        if "GET" not in (rule.methods or ()):
            continue
        path = re.sub(r"<any\(([\w]+)[^>]*>", r"\1", str(rule))
        path = re.sub(r"<int:\w+>", "1", path)
        path = re.sub(r"<(?:\w+:)?\w+>", "x", path)
        answer = staff.client.get(path, headers={"Origin": "https://evil.example"})
        assert answer.headers["X-Content-Type-Options"] == "nosniff", path
        assert "Access-Control-Allow-Credentials" not in answer.headers, path
        allowed = answer.headers.get("Access-Control-Allow-Origin")
        assert allowed in ((None, "*") if path.startswith(FOR_ALL) else (None,)), (path, allowed)
        assert "evil.example" not in str(answer.headers), path
        said = answer.headers.get("Content-Type", "")
        assert not said.startswith("text/") or said.endswith("charset=utf-8"), (path, said)
        asked += 1
    assert asked > 80


@pytest.mark.parametrize(
    "path",
    [
        *("/.git/config", "/.git/HEAD", "/.env", "/emblem.env", "/pyproject.toml", "/wsgi.py", "/service/app.py"),
        *("/static/", "/static/..", "/docs/examples/", "/policies/", "/assets/", "/components/", "/log/", "/log/tile/"),
        *("/brand/", "/certificates/", "/artwork/", "/share/", "/storage/", "/outbox/", "/emblem.sqlite3"),
    ],
)
def test_no_folder_is_listed_and_nothing_beside_the_service_is_served(api: Api, path: str) -> None:
    problem(api.ask("GET", path), 404, "not-found")


def test_a_mistake_of_ours_shows_nothing_of_the_program(app: Flask, api: Api) -> None:
    def broken() -> str:
        raise RuntimeError("a word that only the program knows")

    assert not app.debug
    app.view_functions["operations.healthz"] = broken
    for accepted in ("application/json", "text/html"):
        answer = api.ask("GET", "/healthz", headers={"Accept": accepted})
        assert answer.status_code == 500
        for word in ("a word that", "RuntimeError", "Traceback", ".py", "werkzeug"):
            assert word not in answer.text
