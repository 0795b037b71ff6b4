"""Partners who have accepted the terms, and processes of a deployment that share one database."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from service.embeds import EmbedDetails, Embeds, ServedEmbed
from service.ids import new_id
from service.store import Database
from service.store.tables import Acceptance, LedgerEntry, LogoUse, Participant

from ..audit.conftest import deployment, make

if TYPE_CHECKING:
    from service.campaign import Campaign
    from tests.conftest import FrozenClock

__all__ = ["deployment", "make"]  # the sealed log of the audit's tests

BASE = "https://emblem.example.org"
SITE = "https://partner.example"
_numbers = itertools.count(1)


@dataclass
class World:
    """A deployment's database, and any number of its processes."""

    database: Database
    campaign: Campaign
    clock: FrozenClock
    embeds: Embeds = field(init=False)
    _processes: list[tuple[Database, Embeds]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.embeds = Embeds(self.database, self.campaign, self.clock, BASE)

    def process(self) -> Embeds:
        """Another process: connections, snapshot and counts of its own."""
        database = Database(self.database.url)
        self._processes.append((database, Embeds(database, self.campaign, self.clock, BASE)))
        return self._processes[-1][1]

    def close(self) -> None:
        self.embeds.close()
        for database, embeds in self._processes:
            embeds.close()
            database.close()

    def partner(self, *accepted: str, **values: Any) -> str:
        """An approved participant that accepted these versions of the logo's terms (the current one if none)."""
        participant = new_id("par")
        row = {
            "id": participant,
            "kind": "civil_society",
            "name": "Example Society",
            "email": f"society{next(_numbers)}@example.org",
            "country": "AT",
            "language": "en",
            "answers": {},
            "purposes": ["information"],
            "status": "approved",
            "outcome": "approved",
            "rule": "test",
            "reasons": [],
            "policy": "0" * 64,
            "joined_via": "staff:cli",
            "created_at": self.clock(),
        } | values
        self.database.write(lambda session: session.add(Participant(**row)))
        for version in accepted or (self.campaign.terms.current("logo-terms", self.clock()).version,):
            self.accept(participant, version)
        return participant

    def accept(self, participant: str, version: str) -> None:
        """Accepts one version of the logo's terms."""
        row = Acceptance(
            id=new_id("acc"),
            participant=participant,
            terms="logo-terms",
            version=version,
            language="en",
            digest="0" * 64,
            via="staff:cli",
            commitment="0" * 64,
            accepted_at=self.clock(),
        )
        self.database.write(lambda session: session.add(row))

    def embed(self, participant: str = "", **values: Any) -> EmbedDetails:
        """A new embed."""
        given = {"logo": "heart", "origins": [SITE], "unlisted": "report", "by": "portal:key_1"} | values
        return self.embeds.create(participant or self.partner(), **given)

    def live(self, **values: Any) -> ServedEmbed:
        """The live view of a new embed."""
        return self.embeds.permission(self.embed(**values).key)

    def status(self, participant: str, status: str) -> None:
        """Changes a participant's status."""

        def work(session: Any) -> None:
            session.get(Participant, participant).status = status

        self.database.write(work)

    def entries(self, kind: str) -> list[dict[str, Any]]:
        """The ledger's entries of a kind, in the order in which they were made."""
        with self.database.read() as session:
            rows = session.scalars(select(LedgerEntry.body).where(LedgerEntry.kind == kind).order_by(LedgerEntry.seq))
            return [json.loads(body) for body in rows]

    def stored(self) -> int:
        """All views in the database."""
        with self.database.read() as session:
            return sum(session.scalars(select(LogoUse.views)))


@pytest.fixture
def world(database: Database, campaign: Campaign, clock: FrozenClock) -> Iterator[World]:
    made = World(database, campaign, clock)
    yield made
    made.close()


@pytest.fixture
def failing(database: Database, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Lets a method of the world's database fail ``times`` times: before it did its work, or after."""

    def fail(method: str, error: Exception, *, times: int = 1, done: bool = False) -> None:
        real = getattr(database, method)
        left = itertools.count(times, -1)

        def instead(*arguments: Any) -> Any:
            if next(left) <= 0:
                return real(*arguments)
            if done:
                with suppress(Exception):
                    real(*arguments)
            raise error

        monkeypatch.setattr(database, method, instead)

    return fail
