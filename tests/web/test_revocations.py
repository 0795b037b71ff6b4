"""Who ended a link or an embed and why, as each who may see it is told over the API."""

from __future__ import annotations

import pytest

from .conftest import Api, problem


@pytest.fixture
def person(api: Api) -> str:
    """Who the staff key belongs to, as the record says it."""
    me = api.ask("GET", "/api/v1/me", key="staff").json
    assert me["staff"].startswith("stf_")
    return f"staff:{me['staff']}"


def test_the_end_of_a_link_says_when_who_and_why(api: Api, person: str) -> None:
    link = api.link(api.ready())
    assert "revoked" not in link
    path = f"/api/v1/links/{link['id']}"
    told = problem(api.ask("DELETE", f"{path}?reason={'x' * 4001}", key="staff"), 422, "invalid-request")
    assert [error["pointer"] for error in told["errors"]] == ["?reason"]
    assert api.ask("DELETE", f"{path}?reason=Wrong%20list", key="staff").status_code == 204
    assert api.ask("DELETE", f"{path}?reason=Again", key="portal").status_code == 204
    for role, reason in (("staff", "Wrong list"), ("portal", "Wrong list"), ("auditor", None)):
        revoked = api.ask("GET", path, key=role).json["revoked"]
        assert (revoked["by"], revoked["reason"]) == (person, reason), role
        assert revoked["at"].endswith("Z")


def test_the_end_of_an_embed_says_so_too(api: Api, person: str) -> None:
    body = {"participant": api.ready(), "logo": "heart", "origins": []}
    made = api.ask("POST", "/api/v1/embeds", key="portal", json=body).json
    path = f"/api/v1/embeds/{made['key']}"
    assert api.ask("DELETE", path, key="staff").status_code == 204
    for role in ("staff", "portal", "auditor"):
        revoked = api.ask("GET", path, key=role).json["revoked"]
        assert (revoked["by"], revoked["reason"]) == (person, None)


def test_a_decision_says_who_made_it(api: Api, person: str) -> None:
    participant = api.join()
    path = f"/api/v1/participants/{participant}"
    assert api.ask("GET", path, key="portal").json["decision"]["by"] == "rule"
    body = {"outcome": "declined", "reason": "Not ours."}
    assert api.ask("POST", f"{path}/decisions", key="staff", json=body).json["decision"]["by"] == person
    assert api.ask("GET", path, key="auditor").json["decision"]["by"] == person
