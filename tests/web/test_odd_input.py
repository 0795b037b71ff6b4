"""Input that no form of ours sends: characters that databases disagree about, hosts, ranges, names. Never a 5xx."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from tests.conftest import NOON

from .conftest import Api, problem
from .visitor import Visitor

if TYPE_CHECKING:
    from flask import Flask


PATHS = [
    "/api/v1/participants/N",
    "/api/v1/participants/N/acceptances",
    "/api/v1/links/N",
    "/api/v1/embeds/N",
    "/api/v1/packages/N",
    "/api/v1/packages/N/versions",
    "/api/v1/packages/logo/versions/N/preview.png",
    "/api/v1/terms/N",
    "/api/v1/artwork-checks/N",
    "/api/v1/audit/proofs/N",
    "/en/tools/N",
    "/en/check/N",
    "/en/embeds/N",
    "/en/sign-in/N",
    "/en/join/N",
    "/problems/N",
    "/brand/packages/N/1.0.0.png",
]
QUERIES = [
    "/api/v1/participants?status=N",
    "/api/v1/participants?kind=N",
    "/api/v1/participants?cursor=N",
    "/api/v1/links?participant=N",
    "/api/v1/embeds?participant=N",
    "/api/v1/downloads?participant=N",
    "/api/v1/downloads?package=N",
    "/api/v1/downloads?link=N",
    "/staff/downloads?participant=N",
    "/en/join?anything=N",
    "/api/v1/audit/report?by=N",
]


def test_nul_and_long_ranges_are_answered_alike_on_every_database(either: Api) -> None:
    for path in PATHS:
        problem(either.ask("GET", path.replace("N", "x%00y"), key="staff"), 404, "not-found")
    for path in QUERIES:
        told = problem(either.ask("GET", path.replace("N", "x%00y"), key="staff"), 422, "invalid-request")
        assert told["errors"][0]["pointer"].startswith("?")
    problem(either.ask("GET", "/d/x%00y/logo.zip"), 403, "invalid-link")
    problem(either.ask("GET", "/logos/x%00y/heart/blue/240.png"), 404, "unknown-embed")
    for method, path, body in (
        ("DELETE", "/api/v1/links/%00", None),
        ("POST", "/api/v1/participants/%00/decisions", {"outcome": "approved", "reason": "x"}),
        ("POST", "/api/v1/participants/%00/erasure", {"reason": "x"}),
    ):
        problem(either.ask(method, path, key="staff", json=body), 404, "not-found")
    path = either.path(either.link(either.ready()))
    for length in (380, 410, 4000):
        answer = either.ask("GET", path, headers={"Range": "bytes=0-1," + "0" * (length - 13) + "5-6"})
        assert answer.status_code == 206
    kept = [one["range"] for one in either.ask("GET", "/api/v1/downloads", key="staff").json["downloads"]]
    assert sorted(map(len, kept)) == [380, 400, 400]


HALF = "\\udc00"


@pytest.mark.parametrize(
    "body",
    [
        f'{{"{HALF}": 1}}',
        f'{{"kind": "individual", "answers": {{"{HALF}": true}}}}',
        f'{{"kind": "{HALF}", "name": "{HALF}", "email": "{HALF}@example.org", "purposes": ["{HALF}"]}}',
        f'{{"kind": "individual", "answers": {{"pledge": "{HALF}"}}, "website": "https://{HALF}/"}}',
    ],
)
def test_half_a_character_in_json_is_named_back_escaped(api: Api, body: str) -> None:
    answer = api.ask("POST", "/api/v1/participants", key="portal", data=body, content_type="application/json")
    problem(answer, 422, "invalid-request")
    json.loads(answer.data.decode("utf-8"))


@pytest.mark.parametrize("path", ["/en", "/ar", "/en?x=1"])
def test_a_redirect_leads_to_us_whatever_host_was_named(api: Api, path: str) -> None:
    answer = api.ask("GET", path, headers={"Host": "evil.example"})
    wanted, _, query = path.partition("?")
    assert answer.status_code == 308
    assert answer.headers["Location"] == api.parts.settings.base_url + wanted + "/" + (f"?{query}" if query else "")
    assert "evil" not in answer.text


@pytest.mark.parametrize("digits", [10, 20, 5000])
def test_a_number_that_is_too_long_is_no_address(api: Api, digits: int) -> None:
    """Neither Python nor a database reads every number; each route that has one in its path is asked."""
    asked = 0
    for rule in api.app.url_map.iter_rules():
        if "<int:" in str(rule):
            path = re.sub(r"<(?:any\(\w+[^)]*\)):\w+>", "en", str(rule))
            path = re.sub(r"<\w+>", "x", re.sub(r"<int:\w+>", "9" * digits, path))
            problem(api.ask("GET", path), 404, "not-found")
            asked += 1
    assert asked >= 4


@pytest.mark.parametrize("host", ["a" * 300, "a b", "[::1", "evil.example:99999", "\u00e9.example"])
def test_an_odd_host_is_no_error_of_ours(api: Api, host: str) -> None:
    for path in ("/en/", "/", "/en", "/healthz", "/staff"):
        answer = api.ask("GET", path, headers={"Host": host})
        assert answer.status_code < 500
        if len(host) > 253:  # which no name of a host is
            problem(answer, 400, "invalid-request")


@pytest.mark.parametrize("path", ["/en/", "/en/tools", "/staff", "/api/v1/packages", "/oembed"])
def test_a_query_that_is_no_text_is_a_mistake(api: Api, path: str) -> None:
    answer = api.ask("GET", path, environ_overrides={"QUERY_STRING": "\x80=\xff"})
    problem(answer, 422, "invalid-request")


def test_parameters_named_like_arguments_of_ours_are_ignored(app: Flask) -> None:
    staff = Visitor(app)
    staff.sign_in_as_staff()
    for name in ("endpoint", "_method", "_external", "_scheme", "_anchor", "values", "self", "lang"):
        for page in ("/staff", "/staff/participants", "/staff/links", "/staff/audit", "account"):
            assert staff.get(f"{page}?{name}=x").status_code == 200, (page, name)
    for span in ("from=0001-01-01&compare=previous", "from=0001-01-01&to=0001-01-02&compare=year"):
        assert staff.get(f"/staff/audit?{span}").status_code in (200, 422)


@pytest.mark.parametrize("name", ["\u2800\u3164", "\u200d\u200d", "\u00ad", "\u202e", "\U000e0041", "A\x07B", "A\nB"])
def test_a_name_that_cannot_be_seen_is_refused(api: Api, name: str) -> None:
    answer = api.ask("POST", "/api/v1/participants", key="portal", json=api.application(name=name))
    assert problem(answer, 422, "invalid-request")["errors"][0]["pointer"] == "/name"


@pytest.mark.parametrize("mark", ["\u202e", "\u2066", "\u200b", "\u2060", "\ufeff", "\u00ad", "\ufff9"])
def test_marks_that_hide_in_a_name_are_not_kept(api: Api, mark: str) -> None:
    participant = api.join(name=f"Ex{mark}ample")
    assert api.ask("GET", f"/api/v1/participants/{participant}", key="portal").json["name"] == "Example"


def test_a_version_whose_date_has_not_come_shows_no_picture(api: Api) -> None:
    from service.store.tables import PackageVersion

    def postpone(session: object) -> None:
        row = session.get(PackageVersion, ("logo", version))  # type: ignore[attr-defined]
        row.visible_from = NOON + timedelta(days=1)

    version = api.ask("GET", "/api/v1/packages/logo").json["version"]
    pictures = [f"/api/v1/packages/logo/versions/{version}/preview.png", f"/brand/packages/logo/{version}.png"]
    for path in pictures:
        assert api.ask("GET", path).status_code == 200
    api.parts.database.write(postpone)
    for path in pictures:
        problem(api.ask("GET", path), 404, "unknown-package")
