"""The export: all that is kept about a participant, nothing of anybody else, and nothing that lets its reader act."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import select, update

from service.participants import Participants
from service.privacy import Export
from service.problems import NotFound
from service.store import Database, desk_tables, tables

from ..conftest import NOON, FrozenClock
from ..participants.conftest import Make
from .conftest import PERSONAL


def exported(database: Database, participant: str, *, staff: bool = False) -> dict[str, Any]:
    found: dict[str, Any] = json.loads("".join(Export(database, FrozenClock()).of(participant, staff=staff)))
    return found


def test_everything_is_in_it_and_no_secret(
    database: Database, whole: str, people: Participants, application: Make
) -> None:
    other = people.joining.join(application(name="Somebody Else"), via="staff:cli")
    told = exported(database, whole)
    assert told["participant"]["name"] == "Quillmarsh Zoë"
    assert {
        "acceptances",
        "api_keys",
        "decisions",
        "downloads",
        "embeds",
        "links",
        "mailed_links",
        "members",
        "portal_grants",
        "sessions",
    } <= {name for name, rows in told["records"].items() if rows}
    text = json.dumps(told, ensure_ascii=False)
    assert [value for value in PERSONAL if value not in text and value != "c1ient"] == []
    for foreign in (other.id, "Somebody Else", "c1ient"):
        assert foreign not in text
    with database.read() as session:
        digests = [
            *session.scalars(select(tables.ApiKey.secret_sha256)),
            *session.scalars(select(tables.SignInSession.secret_sha256)),
        ]
    assert digests
    assert not [digest for digest in digests if digest in text]
    assert "/sign-in/" not in text, "mails hold links that sign in"


def test_what_is_for_staff_alone_is_not_in_the_participants_own(database: Database, whole: str) -> None:
    case = {"participant": whole, "purposes": [], "opened_by": "page", "opened_at": NOON, "due_at": NOON}
    case |= {"changed_at": NOON, "version": 1, "status": "open"}

    def add(session: Any) -> None:
        session.add(desk_tables.Case(id="cas_mine", kind="change", assignee="stf_anna", **case))
        session.add(desk_tables.Case(id="cas_told", kind="misuse", report={"email": "told@example.net"}, **case))
        session.flush()
        for number, (of, visible) in enumerate((("cas_mine", True), ("cas_mine", False), ("cas_told", True))):
            row = {"id": f"msg_{number}", "case": of, "at": NOON, "by": "staff:stf_anna", "files": []}
            session.add(desk_tables.CaseMessage(text=f"message {number}", visible=visible, **row))

    database.write(add)
    mine, staffs = exported(database, whole), exported(database, whole, staff=True)
    assert [row["id"] for row in mine["records"]["cases"]] == ["cas_mine"]
    assert [row["text"] for row in mine["records"]["case_messages"]] == ["message 0"]
    assert "told@example.net" not in json.dumps(mine)
    assert "assignee" not in mine["records"]["cases"][0]
    assert [row["id"] for row in staffs["records"]["cases"]] == ["cas_mine", "cas_told"]
    assert len(staffs["records"]["case_messages"]) == 3


def test_of_nobody_and_of_one_who_is_erased(database: Database, people: Participants, whole: str) -> None:
    with pytest.raises(NotFound):
        exported(database, "par_nobody")
    blank = dict.fromkeys(("name", "email", "website", "answers"))
    database.write(lambda session: session.execute(update(tables.Participant).values(**blank, status="erased")))
    assert exported(database, whole)["participant"]["status"] == "erased"
