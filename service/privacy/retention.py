"""Keeping to the campaign's retention: what is known of clients is dropped, and the database stays small.

The log holds nothing of what is dropped here, so it verifies before and after all the same.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.orm import Session

from ..clock import Clock
from ..store.audit_tables import Refusal, Segment
from ..store.database import Database
from ..store.tables import Checkpoint, Download, LedgerEntry, LinkClient, LogoUse

_AT_ONCE = 2_000  # rows a transaction: downloads are recorded between two of them
_IN_DATABASE = timedelta(days=7)  # how long an entry stays in the database after it is in a segment
_REFUSALS = timedelta(days=90)
_USES = timedelta(days=90)  # how long views stay in the database after they are entries: pages show 30 days of them
#: Entries that are many and are found in segments; the others stay, so that receipts are quick.
_MANY = ("download", "logo.used")


class Days(Protocol):
    """The campaign's retention in days."""

    @property
    def client_hash_days(self) -> int:
        """For how long the keyed hash of a download's client is kept."""

    @property
    def client_prefix_days(self) -> int:
        """For how long the address prefix of a download's client is kept."""


@dataclass
class Dropped:
    """How much of what was dropped."""

    client_hashes: int = 0
    client_prefixes: int = 0
    link_clients: int = 0
    refusals: int = 0
    logo_uses: int = 0
    ledger_rows: int = 0


class Retention:
    """Drops what has become too old. Every process may run it: what is dropped twice is dropped once."""

    def __init__(self, database: Database, clock: Clock, days: Days) -> None:
        self.database = database
        self.clock = clock
        self.days = days

    def run(self) -> Dropped:
        """Drops everything that is due, some thousand rows a transaction."""
        now = self.clock()
        dropped = Dropped()
        hashes = now - timedelta(days=self.days.client_hash_days)
        prefixes = now - timedelta(days=self.days.client_prefix_days)
        old_hash = (Download.at < hashes) & Download.client_hash.is_not(None)
        old_prefix = (Download.at < prefixes) & Download.client_prefix.is_not(None)
        dropped.client_hashes = self._blank(old_hash, "client_hash")
        dropped.client_prefixes = self._blank(old_prefix, "client_prefix")
        dropped.link_clients = self._until_none(lambda session: _delete_clients(session, hashes))
        dropped.refusals = self.database.write(
            lambda session: _count(session.execute(delete(Refusal).where(Refusal.hour < now - _REFUSALS)))
        )
        dropped.logo_uses = self._until_none(lambda session: _delete_uses(session, now - _USES))
        dropped.ledger_rows = self._drop_entries()
        return dropped

    def _blank(self, condition: ColumnElement[bool], column: str) -> int:
        def some(session: Session) -> int:
            ids = list(session.scalars(select(Download.id).where(condition).limit(_AT_ONCE)))
            session.execute(update(Download).where(Download.id.in_(ids)).values({column: None}))
            return len(ids)

        return self._until_none(some)

    def _drop_entries(self) -> int:
        """Removes rows of entries that are in a segment, and were sealed some days ago."""
        with self.database.read() as session:
            segmented = session.scalar(select(Segment.last).order_by(Segment.last.desc()).limit(1))
            old = select(Checkpoint.size).where(Checkpoint.at < self.clock() - _IN_DATABASE)
            sealed = session.scalar(old.order_by(Checkpoint.size.desc()).limit(1))
        if segmented is None or sealed is None:
            return 0
        end = min(segmented + 1, sealed)
        condition = (LedgerEntry.leaf < end) & LedgerEntry.kind.in_(_MANY)

        def some(session: Session) -> int:
            rows = list(session.scalars(select(LedgerEntry.seq).where(condition).limit(_AT_ONCE)))
            session.execute(delete(LedgerEntry).where(LedgerEntry.seq.in_(rows)))
            return len(rows)

        return self._until_none(some)

    def _until_none(self, some: Callable[[Session], int]) -> int:
        total = 0
        while done := self.database.write(some):
            total += done
        return total


def _delete_clients(session: Session, before: datetime) -> int:
    rows = session.execute(
        select(LinkClient.link, LinkClient.client).where(LinkClient.last_at < before).limit(_AT_ONCE)
    ).all()
    for link, client in rows:
        session.execute(delete(LinkClient).where(LinkClient.link == link, LinkClient.client == client))
    return len(rows)


def _delete_uses(session: Session, before: datetime) -> int:
    ids = list(session.scalars(select(LogoUse.id).where(LogoUse.entered_at < before).limit(_AT_ONCE)))
    session.execute(delete(LogoUse).where(LogoUse.id.in_(ids)))
    return len(ids)


def _count(result: object) -> int:
    return int(getattr(result, "rowcount", 0))
