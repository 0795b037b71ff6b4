"""Permissions that end: reminders, what has lapsed, and that a renewal begins anew."""

from __future__ import annotations

from dataclasses import replace

import pytest

from service.campaign import Campaign
from service.campaign.desk import PermissionTerm
from service.mail import Mailer
from service.participants import Participants
from service.store import Database

from ..conftest import FrozenClock
from ..parts.mails import text_of
from .conftest import BASE, Make, Outbox
from .facts import entries

DAY = 86400
TERMS = (
    PermissionTerm(days=90, kinds=("civil_society",)),
    PermissionTerm(days=60, purposes=("information",), kinds=("civil_society", "private_sector")),
)


@pytest.fixture
def people(database: Database, campaign: Campaign, clock: FrozenClock, mailer: Mailer) -> Participants:
    limited = replace(campaign, desk=campaign.desk.model_copy(update={"permissions": TERMS}))
    return Participants(database, limited, clock, mailer, BASE)


@pytest.fixture
def joined(people: Participants, application: Make) -> tuple[str, str]:
    """A participant's id and address."""
    made = people.joining.join(application(), via="staff:cli")
    return made.id, str(made.email)


def test_nobodys_permission_ends_as_shipped(campaign: Campaign) -> None:
    assert campaign.desk.permissions == ()
    assert campaign.desk.permission_days("private_sector", ("commercial",)) is None


def test_the_shortest_that_holds_counts(people: Participants, application: Make, clock: FrozenClock) -> None:
    ends = {}
    for kind in ("civil_society", "private_sector", "individual"):
        participant = people.joining.join(application(kind), via="staff:cli").id
        ends[kind] = people.listing.get(participant).permission_expires_at
    assert ends["individual"] is None
    assert ends["civil_society"] == ends["private_sector"]
    assert ends["civil_society"] is not None
    assert (ends["civil_society"] - clock()).days == 60


def test_reminders_go_out_once_each_and_then_it_lapses(
    people: Participants, joined: tuple[str, str], outbox: Outbox, clock: FrozenClock, database: Database
) -> None:
    participant, email = joined
    sent = len(outbox.to(email))

    def told() -> int:
        people.permissions.run()
        people.permissions.run()
        return len(outbox.to(email)) - sent

    clock.advance(30 * DAY - 1)
    assert told() == 0
    clock.advance(1)
    assert told() == 1
    assert "24 January 2027" in text_of(outbox.to(email)[-1])
    clock.advance(23 * DAY)
    assert told() == 2
    clock.advance(7 * DAY - 1)
    assert told() == 2
    assert people.listing.get(participant).status == "approved"
    clock.advance(1)
    assert told() == 3
    found = people.listing.get(participant)
    assert found.status == "lapsed"
    assert [one.id for one in people.listing.list(status="lapsed").items] == [participant]
    last = entries(database, "participant.decided")[-1]
    assert (last["outcome"], last["by"]) == ("lapsed", "rule")


def test_a_renewal_begins_anew(
    people: Participants, joined: tuple[str, str], outbox: Outbox, clock: FrozenClock
) -> None:
    participant, email = joined
    clock.advance(40 * DAY)
    people.permissions.run()
    people.decisions.decide(participant, "approved", reason="Used well.", by="staff:cli")
    sent = len(outbox.to(email))
    clock.advance(25 * DAY)
    assert people.permissions.run() == (0, 0)
    assert len(outbox.to(email)) == sent
    clock.advance(35 * DAY)
    assert people.permissions.run() == (1, 0)
    people.decisions.decide(participant, "approved", reason="Used well again.", by="staff:cli")
    assert people.listing.get(participant).status == "approved"
    assert people.permissions.run() == (0, 0)


def test_who_is_suspended_or_erased_is_not_told(
    people: Participants, joined: tuple[str, str], outbox: Outbox, clock: FrozenClock
) -> None:
    participant, email = joined
    people.decisions.decide(participant, "suspended", reason="Looked into.", by="staff:cli")
    sent = len(outbox.to(email))
    clock.advance(100 * DAY)
    assert people.permissions.run() == (0, 0)
    assert len(outbox.to(email)) == sent
