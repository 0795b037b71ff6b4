"""Bad input gets a problem with a pointer to each mistake, and loses nothing."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import Api, problem


def pointers(told: dict[str, Any]) -> set[str]:
    return {error["pointer"] for error in told["errors"]}


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"kind": "king"}, "/kind"),
        ({"kind": None}, "/kind"),
        ({"name": ""}, "/name"),
        ({"name": "   "}, "/name"),
        ({"name": "x" * 201}, "/name"),
        ({"name": "line\nbreak"}, "/name"),
        ({"name": 7}, "/name"),
        ({"email": "nobody"}, "/email"),
        ({"email": "a@b@example.org"}, "/email"),
        ({"email": "x\r\nBcc: y@example.org"}, "/email"),
        ({"country": "XX"}, "/country"),
        ({"country": "Austria"}, "/country"),
        ({"language": "de"}, "/language"),
        ({"website": "javascript:alert(1)"}, "/website"),
        ({"purposes": []}, "/purposes"),
        ({"purposes": ["information", "profit"]}, "/purposes/1"),
        ({"purposes": "information"}, "/purposes"),
        ({"answers": []}, "/answers"),
        ({"answers": {}}, "/answers/commitment"),
        ({"surprise": 1}, "/surprise"),
    ],
)
def test_each_mistake_is_pointed_at(api: Api, changes: dict[str, Any], pointer: str) -> None:
    body = api.application() | changes
    told = problem(api.ask("POST", "/api/v1/participants", key="portal", json=body), 422, "invalid-request")
    found = pointers(told)
    if pointer == "/answers/commitment":
        assert all(name.startswith("/answers/") for name in found)
        assert len(found) >= 2, "all that is missing is told at once"
    else:
        assert pointer in found
    assert not api.ask("GET", "/api/v1/participants", key="staff").json["participants"]


@pytest.mark.parametrize(
    ("name", "kept"),
    [("Acme\t", "Acme"), ("\u202eHarbour", "Harbour"), ("می\u200cخواهم", "می\u200cخواهم")],
)
def test_a_name_is_kept_as_it_is_seen(api: Api, name: str, kept: str) -> None:
    body = api.application() | {"name": name, "email": " pasted@example.org\t"}
    body["answers"] |= {"plan": "\u202eWe show it.\r\nOften.\t", "place": "\u200b"}
    answer = api.ask("POST", "/api/v1/participants", key="portal", json=body)
    assert answer.status_code == 201, answer.text
    told = answer.json
    assert (told["name"], told["email"]) == (kept, "pasted@example.org")
    assert told["answers"]["plan"] == "We show it.\nOften."
    assert "place" not in told["answers"]
    assert api.ask("GET", f"/api/v1/participants/{told['id']}", key="staff").json == told


@pytest.mark.parametrize("name", ["\u200b\u200b", "\u3164", "a\tb"])
def test_a_name_that_cannot_be_right_is_refused_in_words(api: Api, name: str) -> None:
    body = api.application() | {"name": name}
    told = problem(api.ask("POST", "/api/v1/participants", key="portal", json=body), 422, "invalid-request")
    (error,) = told["errors"]
    assert error["pointer"] == "/name"
    assert "write" in error["detail"]


def test_a_signatory_is_kept_as_it_is_seen(api: Api) -> None:
    participant = api.join()
    current = api.ask("GET", "/api/v1/terms/logo-terms").json
    body = {name: current[name] for name in ("version", "language", "digest")} | {"terms": "logo-terms"}
    path = f"/api/v1/participants/{participant}/acceptances"
    bad = body | {"signatory": {"name": "\u2060", "capacity": "a\nb"}}
    told = problem(api.ask("POST", path, key="portal", json=bad), 422, "invalid-request")
    assert pointers(told) == {"/signatory/name", "/signatory/capacity"}
    good = body | {"signatory": {"name": "\u202dRobin Example\t", "capacity": " Head of office "}}
    assert api.ask("POST", path, key="portal", json=good).status_code == 201
    (accepted,) = api.parts.participants.acceptances.of(participant)
    assert (accepted.signatory_name, accepted.signatory_capacity) == ("Robin Example", "Head of office")


def test_individuals_need_give_no_capacity(api: Api) -> None:
    """``signatory: {name, capacity}``: individuals need give no ``capacity``; others do."""
    current = api.ask("GET", "/api/v1/terms/logo-terms").json
    body = {name: current[name] for name in ("version", "language", "digest")}
    body |= {"terms": "logo-terms", "signatory": {"name": "Robin Example"}}
    person, society = api.join(kind="individual"), api.join()
    assert api.ask("POST", f"/api/v1/participants/{person}/acceptances", key="portal", json=body).status_code == 201
    answer = api.ask("POST", f"/api/v1/participants/{society}/acceptances", key="portal", json=body)
    assert pointers(problem(answer, 422, "invalid-request")) == {"/signatory/capacity"}


def test_all_mistakes_are_told_at_once(api: Api) -> None:
    body = {"kind": "individual", "name": "", "email": 5, "purposes": [], "country": 3}
    told = problem(api.ask("POST", "/api/v1/participants", key="portal", json=body), 422, "invalid-request")
    assert {"/name", "/email", "/purposes", "/country"} <= pointers(told)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'"{}"',
        b"null",
        b"7",
        b'{"kind": NaN}',
        b'{"a": 1, "a": 2}',
        b'{"name": "\\u0000"}',
        b"\xff\xfe{}",
    ],
)
def test_what_is_no_json_object_is_refused(api: Api, body: bytes) -> None:
    answer = api.ask("POST", "/api/v1/links", key="portal", data=body, content_type="application/json")
    problem(answer, 422, "invalid-request")


def test_half_a_surrogate_pair_is_refused(api: Api) -> None:
    body = b'{"kind": "individual", "name": "\\ud800", "email": "a@example.org", "purposes": ["information"]}'
    answer = api.ask("POST", "/api/v1/participants", key="portal", data=body, content_type="application/json")
    problem(answer, 422, "invalid-request")


def test_deeply_nested_json_is_refused_without_harm(api: Api) -> None:
    body = b'{"answers":' + b"[" * 50_000 + b"]" * 50_000 + b"}"
    answer = api.ask("POST", "/api/v1/participants", key="portal", data=body, content_type="application/json")
    problem(answer, 422, "invalid-request")


def test_another_media_type_is_415(api: Api) -> None:
    answer = api.ask("POST", "/api/v1/links", key="portal", data=b"<a/>", content_type="application/xml")
    problem(answer, 415, "unsupported-media-type")


def test_too_much_is_413(api: Api) -> None:
    answer = api.ask("POST", "/api/v1/links", key="portal", data=b"x" * 300_000, content_type="application/json")
    told = problem(answer, 413, "too-large")
    assert told["detail"] == "What is sent here may have at most 262 kB. Send less."


def test_an_address_that_is_not_there_is_404_and_another_method_405(api: Api) -> None:
    problem(api.ask("GET", "/api/v1/nothing"), 404, "not-found")
    answer = api.ask("PUT", "/api/v1/links", key="staff", json={})
    problem(answer, 405, "method-not-allowed")
    assert {"GET", "POST"} <= {method.strip() for method in answer.headers["Allow"].split(",")}


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("limit=0", "?limit"),
        ("limit=201", "?limit"),
        ("limit=many", "?limit"),
        ("cursor=nonsense", "?cursor"),
        ("cursor=%00", "?cursor"),
        ("status=happy", "?status"),
    ],
)
def test_a_query_is_pointed_at(api: Api, query: str, pointer: str) -> None:
    told = problem(api.ask("GET", f"/api/v1/participants?{query}", key="staff"), 422, "invalid-request")
    assert pointers(told) == {pointer}


@pytest.mark.parametrize(
    "query", ["from=yesterday", "from=2026-02-30", "to=2026-11-25T12:00:00", "from=2026-11-25&to=2026-11-01"]
)
def test_a_period_is_checked(api: Api, query: str) -> None:
    told = problem(api.ask("GET", f"/api/v1/downloads?{query}", key="staff"), 422, "invalid-request")
    assert pointers(told) <= {"?from", "?to"}


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"expires_in": 0}, "/expires_in"),
        ({"expires_in": 90 * 86400 + 1}, "/expires_in"),
        ({"expires_in": "1"}, "/expires_in"),
        ({"expires_in": 1.5}, "/expires_in"),
        ({"expires_in": True}, "/expires_in"),
        ({"max_downloads": 0}, "/max_downloads"),
        ({"max_downloads": 10**12}, "/max_downloads"),
        ({"package": 5}, "/package"),
    ],
)
def test_a_links_values_are_pointed_at(api: Api, body: dict[str, Any], pointer: str) -> None:
    wish = {"participant": api.ready(), "package": "logo"} | body
    told = problem(api.ask("POST", "/api/v1/links", key="portal", json=wish), 422, "invalid-request")
    assert pointers(told) == {pointer}


def test_unknown_things_have_names(api: Api) -> None:
    participant = api.ready()

    def ask(**more: str) -> Any:
        wish = {"participant": participant, "package": "logo"} | more
        return api.ask("POST", "/api/v1/links", key="portal", json=wish)

    problem(ask(package="nothing"), 404, "unknown-package")
    problem(ask(version="9.9.9"), 404, "unknown-version")
    problem(ask(participant="par_nobody"), 404, "not-found")
    problem(api.ask("GET", "/api/v1/terms/nothing"), 404, "unknown-terms")
    problem(api.ask("GET", "/api/v1/terms/logo-terms?version=1999-01-01"), 404, "unknown-version")
    problem(api.ask("GET", "/api/v1/packages/nothing"), 404, "unknown-package")
    problem(api.ask("GET", "/api/v1/links/lnk_nothing", key="staff"), 404, "not-found")


def test_a_browser_that_asks_for_html_gets_a_page_in_its_language(api: Api) -> None:
    headers = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8", "Accept-Language": "fr"}
    answer = api.ask("GET", "/d/forged/logo.zip", headers=headers)
    assert (answer.status_code, answer.mimetype) == (403, "text/html")
    assert '<html lang="fr"' in answer.text
    assert answer.headers["Cache-Control"] == "no-store"


def test_every_problem_has_a_page(api: Api) -> None:
    from service.problems import REGISTRY

    for slug in REGISTRY:
        answer = api.ask("GET", f"/problems/{slug}", headers={"Accept": "text/html"})
        assert answer.status_code == 200, slug


def test_staff_alone_search_participants(api: Api) -> None:
    mine = api.join(name="Lantern Society")
    api.join(name="Another Society")
    found = api.ask("GET", "/api/v1/participants?q=lantern", key="staff").json["participants"]
    assert [participant["id"] for participant in found] == [mine]
    for role in ("portal", "auditor"):
        problem(api.ask("GET", "/api/v1/participants?q=lantern", key=role), 403, "forbidden")
    told = problem(api.ask("GET", f"/api/v1/participants?q={'x' * 201}", key="staff"), 422, "invalid-request")
    assert [error["pointer"] for error in told["errors"]] == ["?q"]
