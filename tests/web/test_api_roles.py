"""Who may do what: each route with each role."""

from __future__ import annotations

import pytest

from .conftest import Api, problem

ROLES = ("portal", "staff", "auditor")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/api/v1/me", ROLES),
        ("POST", "/api/v1/participants", ("portal", "staff")),
        ("GET", "/api/v1/participants", ROLES),
        ("POST", "/api/v1/participants/par_x/decisions", ("staff",)),
        ("POST", "/api/v1/participants/par_x/erasure", ("staff",)),
        ("POST", "/api/v1/participants/par_x/acceptances", ("portal", "staff")),
        ("POST", "/api/v1/links", ("portal", "staff")),
        ("GET", "/api/v1/links", ROLES),
        ("DELETE", "/api/v1/links/lnk_x", ("portal", "staff")),
        ("GET", "/api/v1/downloads", ROLES),
        ("POST", "/api/v1/artwork-checks", ("portal", "staff")),
        ("GET", "/api/v1/artwork-checks", ROLES),
        ("GET", "/api/v1/artwork-checks/chk_x", ROLES),
        ("POST", "/api/v1/artwork-checks/chk_x/overruling", ("staff",)),
        ("GET", "/api/v1/audit/report", ("staff", "auditor")),
    ],
)
def test_roles(api: Api, method: str, path: str, allowed: tuple[str, ...]) -> None:
    body: dict[str, str] | None = {} if method == "POST" else None
    answer = api.ask(method, path, json=body)
    problem(answer, 401, "unauthorized")
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    for role in ROLES:
        answer = api.ask(method, path, key=role, json=body)
        if role in allowed:
            assert answer.status_code not in (401, 403), (role, answer.text)
        else:
            problem(answer, 403, "forbidden")


@pytest.mark.parametrize("given", ["emb_wrong", "Bearer emb_wrong", "Basic abc", "Bearer", "Bearer  "])
def test_a_bad_key_is_401(api: Api, given: str) -> None:
    problem(api.ask("GET", "/api/v1/packages", headers={"Authorization": given}), 401, "unauthorized")


def test_a_key_in_the_query_is_not_taken(api: Api) -> None:
    problem(api.ask("GET", f"/api/v1/me?key={api.key('staff')}"), 401, "unauthorized")


def test_a_revoked_key_is_refused_at_once(api: Api) -> None:
    key, secret = api.parts.participants.api_keys.create("staff", name="short", by="staff:cli")
    headers = {"Authorization": f"Bearer {secret}"}
    assert api.ask("GET", "/api/v1/me", headers=headers).status_code == 200
    api.parts.participants.api_keys.revoke(key.id, by="staff:cli")
    problem(api.ask("GET", "/api/v1/me", headers=headers), 401, "unauthorized")


def test_anothers_thing_is_as_if_it_were_not_there(api: Api) -> None:
    participant = api.ready()
    link = api.link(participant)
    _, api.keys["stranger"] = api.parts.participants.api_keys.create("portal", name="other", by="staff:cli")
    for method, path, body in (
        ("GET", f"/api/v1/participants/{participant}", None),
        ("GET", f"/api/v1/links?participant={participant}", None),
        ("GET", f"/api/v1/links/{link['id']}", None),
        ("DELETE", f"/api/v1/links/{link['id']}", None),
        ("POST", "/api/v1/links", {"participant": participant, "package": "logo"}),
        ("GET", f"/api/v1/downloads?participant={participant}", None),
    ):
        problem(api.ask(method, path, key="stranger", json=body), 404, "not-found")
    assert api.ask("GET", "/api/v1/links", key="stranger").json == {"links": [], "next_cursor": None}


def test_a_partner_sees_and_does_its_own_things(api: Api) -> None:
    mine, other = api.ready(), api.ready()
    _, api.keys["partner"] = api.parts.participants.api_keys.create(
        "partner", participant=mine, name="site", by="staff:cli"
    )
    assert api.ask("GET", "/api/v1/me", key="partner").json["participant"] == mine
    wish = {"participant": mine, "package": "logo"}
    assert api.ask("POST", "/api/v1/links", key="partner", json=wish).status_code == 201
    problem(api.ask("POST", "/api/v1/links", key="partner", json=wish | {"participant": other}), 404, "not-found")
    assert len(api.ask("GET", "/api/v1/links", key="partner").json["links"]) == 1
    problem(api.ask("GET", f"/api/v1/participants/{other}", key="partner"), 404, "not-found")


def test_auditors_see_no_name_no_address_and_no_url(api: Api) -> None:
    participant = api.ready()
    link = api.link(participant)
    seen = api.ask("GET", f"/api/v1/participants/{participant}", key="auditor")
    assert seen.status_code == 200
    assert "Example Society" not in seen.text
    assert "@example.org" not in seen.text
    assert "url" not in api.ask("GET", f"/api/v1/links/{link['id']}", key="auditor").json
