"""A desk for each test, on each database, with an outbox to look into."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from service.campaign import Campaign
from service.campaign.desk import DeskPolicy
from service.desk import CaseView, Desk, DeskMail, Filter, Openings, SignedLinks
from service.embeds import Embeds
from service.mail import Mailer
from service.participants import Participants
from service.privacy import Erasure
from service.storage import Storage, open_storage
from service.store import Database
from service.verdicts import Verdicts

from ..conftest import FrozenClock
from ..participants.conftest import BASE, Outbox
from ..parts import willing

STAFF = "staff@example.org"


@dataclass
class Office:
    """The desk with its surroundings."""

    database: Database
    campaign: Campaign
    clock: FrozenClock
    people: Participants
    desk: Desk
    outbox: Outbox
    erasure: Erasure
    mailer: Mailer
    number: int = 0

    def join(self, kind: str = "civil_society", purposes: tuple[str, ...] = ("fundraising",), **changes: Any) -> str:
        """Joins; returns the id."""
        self.number += 1
        values: dict[str, Any] = {
            "kind": kind,
            "name": f"Quillmarsh {self.number}",
            "email": f"quill.{self.number}@example.org",
            "country": "AT",
            "purposes": list(purposes),
            "answers": willing.answers(self.campaign, kind),
        }
        return self.people.joining.join(values | changes, via="portal:key_x").id

    def case_of(self, participant: str) -> CaseView:
        """The newest case of a participant, as staff see it."""
        return self.desk.reading.of_participant(participant, staff=True)[0]

    def held(self) -> CaseView:
        """The case of an application that waits."""
        return self.case_of(self.join())

    def get(self, case: str) -> CaseView:
        """A case as staff see it."""
        return self.desk.reading.get(case, staff=True)

    def status(self, participant: str | None) -> str:
        """A participant's status."""
        return self.people.listing.get(str(participant)).status

    def waiting(self) -> int:
        """How many cases wait for staff."""
        return self.desk.reading.counts(Filter()).open


def office_of(
    database: Database, campaign: Campaign, clock: FrozenClock, folder: Path, storage: Storage | None = None
) -> Office:
    """An office over a database."""
    outbox = Outbox(folder / "outbox")
    mailer = Mailer(database, outbox.folder.as_uri(), sender="campaign@example.org", clock=clock)
    people = Participants(database, campaign, clock, mailer, BASE, staff=(STAFF,), held=Openings(campaign).joining)
    people.staff.settle()
    kept = storage or open_storage((folder / "storage").as_uri())
    verdicts = Verdicts(
        database, kept, campaign, clock, Embeds(database, campaign, clock, BASE), base_url=BASE, data_dir=folder
    )
    mail = DeskMail(campaign, mailer, BASE)
    desk = Desk(database, kept, campaign, clock, mail, people, verdicts, SignedLinks(["a secret of the tests"]))
    erasure = Erasure(database, campaign, clock, mailer, people.api_keys)
    return Office(database, campaign, clock, people, desk, outbox, erasure, mailer)


@pytest.fixture
def office(database: Database, campaign: Campaign, clock: FrozenClock, tmp_path: Path) -> Iterator[Office]:
    made = office_of(database, campaign, clock, tmp_path)
    yield made
    made.mailer.close()


@pytest.fixture
def two_people(campaign: Campaign) -> Campaign:
    """The campaign with a desk where two people approve every case."""
    return replace(campaign, desk=DeskPolicy.model_validate({"two_people": [{}]}))
