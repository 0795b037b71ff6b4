"""What staff decide."""

from __future__ import annotations

import json
from typing import Any

import pytest

from service.answers.participants import ParticipantAnswer
from service.participants import Participants
from service.privacy import Erasure
from service.problems import Conflict, InvalidRequest, NotFound
from service.store import Database

from ..conftest import FrozenClock
from ..parts.mails import text_of
from .conftest import Make, Outbox
from .facts import entries

WHY = "Looked at by Quillmarsh's friend."


@pytest.mark.parametrize("kind", ["civil_society", "intergovernmental_organization"])
@pytest.mark.parametrize("outcome", ["approved", "declined"])
def test_a_decision_is_in_force_at_once(
    people: Participants, application: Make, portal: str, kind: str, outcome: str
) -> None:
    joined = people.joining.join(application(kind), via=portal)
    decided = people.decisions.decide(joined.id, outcome, reason=WHY, by="staff:key_x")
    assert people.listing.get(joined.id) == decided
    value = ParticipantAnswer.of(decided, "portal").as_json()
    assert (value["status"], value["decision"]) == (
        outcome,
        {"outcome": outcome, "rule": "staff", "by": "staff:key_x", "reasons": [WHY]},
    )


def test_a_declined_participant_can_be_approved(people: Participants, application: Make, portal: str) -> None:
    joined = people.joining.join(application("individual", {"pledge": False}), via=portal)
    assert joined.status == "declined"
    assert people.decisions.decide(joined.id, "approved", reason=WHY, by="staff").status == "approved"


def test_a_suspension_leaves_the_decision_and_is_lifted_by_approving(
    people: Participants, application: Make, portal: str
) -> None:
    joined = people.joining.join(application(), via=portal)
    suspended = ParticipantAnswer.of(
        people.decisions.decide(joined.id, "suspended", reason=WHY, by="staff"), "staff"
    ).as_json()
    assert (suspended["status"], suspended["suspension"]) == ("suspended", {"reason": WHY})
    assert suspended["decision"] == ParticipantAnswer.of(joined, "staff").as_json()["decision"]
    lifted = ParticipantAnswer.of(
        people.decisions.decide(joined.id, "approved", reason="Explained.", by="staff"), "staff"
    ).as_json()
    assert lifted["status"] == "approved"
    assert "suspension" not in lifted


def test_decisions_are_kept_and_recorded_without_what_was_typed(
    people: Participants, application: Make, portal: str, database: Database, clock: FrozenClock
) -> None:
    joined = people.joining.join(application(), via=portal)
    for outcome in ("suspended", "approved", "declined"):
        clock.advance(60)
        people.decisions.decide(joined.id, outcome, reason=WHY, by="staff:key_x")
    assert [found.outcome for found in people.decisions.of(joined.id)] == [
        "declined",
        "approved",
        "suspended",
        "approved",
    ]
    recorded = entries(database, "participant.decided")
    assert [
        (entry["participant"], entry["outcome"], entry["rule"], entry["policy"], entry["by"]) for entry in recorded[1:]
    ] == [
        (joined.id, outcome, "staff", joined.policy, "staff:key_x") for outcome in ("suspended", "approved", "declined")
    ]
    assert "Quillmarsh" not in json.dumps(recorded)


def test_auditors_see_no_text_that_staff_typed(people: Participants, application: Make, portal: str) -> None:
    joined = people.joining.join(application(), via=portal)
    people.decisions.decide(joined.id, "approved", reason=WHY, by="staff")
    suspended = people.decisions.decide(joined.id, "suspended", reason=WHY, by="staff")
    assert "Quillmarsh" not in json.dumps(ParticipantAnswer.of(suspended, "auditor").as_json())


def test_the_participant_is_mailed_the_reason(
    people: Participants, application: Make, portal: str, outbox: Outbox
) -> None:
    joined = people.joining.join(application(), via=portal)
    people.decisions.decide(joined.id, "suspended", reason="100% {wrong} logo", by="staff")
    mail = outbox.to(str(joined.email))[-1]
    assert "suspended" in mail["Subject"]
    assert "100% {wrong} logo" in text_of(mail)


def test_a_mailer_that_fails_loses_no_decision(
    people: Participants, application: Make, portal: str, outbox: Outbox
) -> None:
    joined = people.joining.join(application(), via=portal)
    for path in outbox.folder.iterdir():
        path.unlink()
    outbox.folder.rmdir()
    outbox.folder.write_text("a file where the folder should be")
    people.decisions.decide(joined.id, "suspended", reason=WHY, by="staff")
    assert people.listing.get(joined.id).status == "suspended"


@pytest.mark.parametrize(
    ("outcome", "reason", "pointer"),
    [("review", WHY, "/outcome"), ("approved", " ", "/reason"), ("approved", "x" * 4001, "/reason")],
)
def test_a_bad_decision_changes_nothing(
    people: Participants, application: Make, portal: str, outcome: str, reason: Any, pointer: str
) -> None:
    joined = people.joining.join(application(), via=portal)
    with pytest.raises(InvalidRequest) as caught:
        people.decisions.decide(joined.id, outcome, reason=reason, by="staff")
    assert [error.pointer for error in caught.value.errors] == [pointer]
    assert people.listing.get(joined.id) == joined


def test_nobody_and_the_erased_cannot_be_decided_on(
    erasure: Erasure, people: Participants, application: Make, portal: str
) -> None:
    with pytest.raises(NotFound):
        people.decisions.decide("par_nobody", "approved", reason=WHY, by="staff")
    joined = people.joining.join(application(), via=portal)
    erasure.erase(joined.id, reason="Asked for.", by="staff")
    with pytest.raises(Conflict):
        people.decisions.decide(joined.id, "approved", reason=WHY, by="staff")
