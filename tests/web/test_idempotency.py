"""``Idempotency-Key`` on every POST, kept 24 h per key and route."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from flask import Response
from sqlalchemy import select

from service.problems import Unavailable
from service.store.tables import IdempotentRequest
from service.web.auth import identify
from service.web.idempotency import begin, finish

from .conftest import Api, problem

if TYPE_CHECKING:
    from tests.conftest import FrozenClock


def test_the_same_body_gets_the_first_answer(api: Api) -> None:
    body, headers = api.application(), {"Idempotency-Key": "one"}
    first = api.ask("POST", "/api/v1/participants", key="portal", json=body, headers=headers)
    again = api.ask("POST", "/api/v1/participants", key="portal", json=body, headers=headers)
    assert first.status_code == again.status_code == 201
    assert first.json == again.json
    assert len(api.ask("GET", "/api/v1/participants", key="staff").json["participants"]) == 1


def test_a_refusal_is_an_answer_too(api: Api) -> None:
    body, headers = {"participant": api.join(), "package": "logo"}, {"Idempotency-Key": "two"}
    for _ in range(2):
        told = problem(
            api.ask("POST", "/api/v1/links", key="portal", json=body, headers=headers), 403, "terms-not-accepted"
        )
        assert told["terms"]["id"] == "logo-terms"


def test_another_body_is_refused(api: Api) -> None:
    headers = {"Idempotency-Key": "three"}
    api.ask("POST", "/api/v1/participants", key="portal", json=api.application(), headers=headers)
    answer = api.ask("POST", "/api/v1/participants", key="portal", json=api.application(), headers=headers)
    problem(answer, 422, "idempotency-key-reused")


def test_keys_are_per_caller_and_route(api: Api) -> None:
    headers = {"Idempotency-Key": "four"}
    assert (
        api.ask("POST", "/api/v1/participants", key="portal", json=api.application(), headers=headers).status_code
        == 201
    )
    assert (
        api.ask("POST", "/api/v1/participants", key="staff", json=api.application(), headers=headers).status_code == 201
    )


def test_one_key_on_two_routes_is_two_keys(api: Api) -> None:
    """What was answered to a joining is no answer to somebody who asks for a link, whatever the body is."""
    for number, asked in enumerate((None, {"participant": api.ready(), "package": "logo"})):
        headers, body = {"Idempotency-Key": f"four-{number}"}, api.application()
        assert api.ask("POST", "/api/v1/participants", key="portal", json=body, headers=headers).status_code == 201
        answer = api.ask("POST", "/api/v1/links", key="portal", json=asked or body, headers=headers)
        assert "Idempotent-Replayed" not in answer.headers
        if asked:
            assert answer.status_code == 201
        else:
            problem(answer, 422, "invalid-request")


@pytest.mark.parametrize(
    ("status", "kept"), [(201, True), (403, True), (409, True), (422, True), (429, False), (500, False), (503, False)]
)
def test_an_answer_after_which_trying_again_can_help_is_not_kept(api: Api, status: int, kept: bool) -> None:
    """Whoever is told to come back later and does so is not told the same for a day."""
    headers = {"Authorization": f"Bearer {api.key('portal')}", "Idempotency-Key": "eight"}

    def ask() -> bool:
        """Sends the request; returns whether the kept answer was given."""
        with api.app.test_request_context("/api/v1/links", method="POST", json={}, headers=headers):
            identify()
            if begin() is not None:
                return True
            finish(Response(json.dumps({"status": status}), status, mimetype="application/problem+json"))
            return False

    assert not ask()
    assert ask() == kept


def test_an_answer_that_is_not_json_is_not_kept(api: Api) -> None:
    headers = {"Authorization": f"Bearer {api.key('portal')}", "Idempotency-Key": "nine"}
    for _ in range(2):
        with api.app.test_request_context("/api/v1/links", method="POST", json={}, headers=headers):
            identify()
            assert begin() is None
            finish(Response("<!doctype html>", 200, mimetype="text/html"))


def test_tokens_are_signed_again_and_never_stored(api: Api) -> None:
    body, headers = {"participant": api.ready(), "package": "logo"}, {"Idempotency-Key": "five"}
    first = api.ask("POST", "/api/v1/links", key="portal", json=body, headers=headers).json
    with api.parts.database.read() as session:
        rows = session.scalars(select(IdempotentRequest)).all()
    assert not any("/d/" in str(row.answer) for row in rows)
    again = api.ask("POST", "/api/v1/links", key="portal", json=body, headers=headers).json
    assert again == first


def in_flight(api: Api, clock: FrozenClock, body: dict[str, Any]) -> None:
    api.ask("POST", "/api/v1/participants", key="portal", json=body, headers={"Idempotency-Key": "six"})

    def back(session: Any) -> None:
        row = session.scalars(select(IdempotentRequest)).one()
        row.status, row.answer = None, None

    api.parts.database.write(back)


def test_still_in_flight_is_409_and_an_abandoned_one_is_taken_over(api: Api, clock: FrozenClock) -> None:
    body, headers = api.application(), {"Idempotency-Key": "six"}
    in_flight(api, clock, body)
    answer = api.ask("POST", "/api/v1/participants", key="portal", json=body, headers=headers)
    problem(answer, 409, "request-in-flight")
    clock.advance(61)
    answer = api.ask("POST", "/api/v1/participants", key="portal", json=body, headers=headers)
    problem(answer, 409, "already-joined")


def test_an_answer_is_kept_for_exactly_a_day(api: Api, clock: FrozenClock) -> None:
    """``Idempotency-Key`` on every POST, kept 24 h per key and route."""
    body, headers = api.application(), {"Idempotency-Key": "seven"}

    def ask(said: dict[str, Any]) -> Any:
        return api.ask("POST", "/api/v1/participants", key="portal", json=said, headers=headers)

    first = ask(body).json
    clock.advance(86_399)
    assert ask(body).json == first
    problem(ask(api.application()), 422, "idempotency-key-reused")
    clock.advance(1)
    assert ask(api.application()).status_code == 201


def test_what_was_made_is_named_again(api: Api) -> None:
    """The ``Location`` of an answer that is given again is the first answer's."""
    participant, headers = api.ready(), {"Idempotency-Key": "nine"}
    for path, body in (
        ("participants", api.application()),
        ("links", {"participant": participant, "package": "logo"}),
        ("embeds", {"participant": participant, "logo": "heart"}),
    ):
        first, again = (api.ask("POST", f"/api/v1/{path}", key="portal", json=body, headers=headers) for _ in range(2))
        assert again.headers["Idempotent-Replayed"] == "true"
        assert first.headers["Location"] == f"/api/v1/{path}/{first.json['id']}"
        assert again.headers["Location"] == first.headers["Location"]
        assert (again.status_code, again.json) == (first.status_code, first.json)
    acceptance = api.accept(api.join()).headers
    assert "Location" not in acceptance


def test_a_key_that_is_none_is_refused(api: Api) -> None:
    for bad in ("", "x" * 256, "with space"):
        answer = api.ask(
            "POST", "/api/v1/participants", key="portal", json=api.application(), headers={"Idempotency-Key": bad}
        )
        problem(answer, 422, "invalid-request")


@pytest.mark.parametrize(("body", "status"), [({}, 422), (None, 201)])
def test_an_answer_that_cannot_be_kept_is_given(
    api: Api, monkeypatch: pytest.MonkeyPatch, body: dict[str, Any] | None, status: int
) -> None:
    """What was asked for is done: saying otherwise because the database has gone meanwhile would be wrong."""

    def away(*_: Any) -> None:
        raise Unavailable(private="the disk is full")

    monkeypatch.setattr(api.parts.idempotent, "keep", away)
    monkeypatch.setattr(api.parts.idempotent, "give_back", away)
    asked = api.application() if body is None else body
    headers = {"Idempotency-Key": f"full-{status}"}
    answer = api.ask("POST", "/api/v1/participants", key="portal", json=asked, headers=headers)
    assert answer.status_code == status, answer.text
    assert answer.is_json
