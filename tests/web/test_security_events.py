"""What an operator sees of who gets in and who does not: a line each, with who, where, and the kind of refusal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from structlog.testing import capture_logs

from .conftest import Api
from .visitor import Visitor

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from flask import Flask


def requests(lines: list[MutableMapping[str, Any]]) -> list[tuple[Any, ...]]:
    names = ("method", "status", "by", "problem")
    return [tuple(line.get(name, "") for name in names) for line in lines if line["event"] == "request"]


def test_signing_in_and_failing_to_are_logged(app: Flask) -> None:
    visitor = Visitor(app)
    path = urlsplit(visitor.parts.participants.sign_in.issue_url("staff@example.org")).path
    with capture_logs() as lines:
        visitor.post(path, {})
        visitor.client.get("/staff")
        visitor.client.post(path, headers={"Accept": "application/json"})
        visitor.post("sign-out", {})
        visitor.client.get("/staff", headers={"Accept": "application/json"})
    told = requests(lines)
    assert [line[1] for line in told] == [303, 200, 410, 303, 401]
    assert str(told[1][2]).startswith("staff:stf_")
    assert (told[2][3], told[4][3]) == ("invalid-sign-in", "unauthorized")
    assert all(line["route"] for line in lines if line["event"] == "request")
    assert "staff@example.org" not in str(lines)
    assert path not in str(lines)


def test_what_is_refused_is_logged_with_its_kind(api: Api) -> None:
    participant = api.join()
    _, api.keys["partner"] = api.parts.participants.api_keys.create("partner", participant=api.join(), by="staff:cli")
    with capture_logs() as lines:
        api.ask("GET", "/api/v1/me", headers={"Authorization": "Bearer emb_wrong"})
        api.ask("GET", "/api/v1/cases", key="auditor")
        api.ask("GET", f"/api/v1/participants/{participant}", key="partner")
        api.ask("POST", "/api/v1/links", key="portal", json={"participant": participant, "package": 7})
        api.ask("POST", "/en/sign-in", data={"email": "x"}, headers={"Origin": "https://evil.example"})
        api.ask("GET", "/d/altered/logo.zip")
    told = requests(lines)
    assert [line[3] for line in told] == [
        "unauthorized",
        "forbidden",
        "not-found",
        "invalid-request",
        "invalid-origin",
        "invalid-link",
    ]
    assert [str(line[2]).partition(":")[0] for line in told] == ["", "auditor", "partner", "portal", "", ""]
