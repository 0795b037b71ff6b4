"""Keep to the campaign's retention: each room drops what has become too old, and the database stays small.

The log holds nothing of what is dropped here, so it verifies before and after all the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from ..alerts.refusals import drop_refusals
from ..audit.forgetting import drop_entries
from ..clock import Clock
from ..desk.forgetting import drop_reporters
from ..embeds.forgetting import drop_uses
from ..links.forgetting import drop_client_hashes, drop_client_prefixes, drop_clients, drop_downloads
from ..store import Database

_IN_DATABASE = timedelta(days=7)  # how long an entry stays in the database after it is in a segment
_REFUSALS = timedelta(days=90)
_USES = timedelta(days=90)  # how long views stay in the database after they are entries: pages show 30 days of them


class RetentionDays(Protocol):
    """The campaign's retention in days."""

    @property
    def client_hash_days(self) -> int:
        """For how long the keyed hash of a download's client is kept."""

    @property
    def client_prefix_days(self) -> int:
        """For how long the address prefix of a download's client is kept."""

    @property
    def downloads_days(self) -> int | None:
        """For how long a download is listed; None for ever."""

    @property
    def reporter_days(self) -> int:
        """For how long the mailbox of whoever reported a misuse is kept after the case has ended."""


@dataclass(frozen=True)
class Dropped:
    """Numbers of rows that a run dropped or blanked, by what they were."""

    downloads: int
    link_clients: int
    client_hashes: int
    client_prefixes: int
    refusals: int
    logo_uses: int
    reporters: int
    ledger_rows: int


class DataRetention:
    """Drops what has become too old. Every process may run it: what is dropped twice is dropped once."""

    def __init__(self, database: Database, clock: Clock, days: RetentionDays) -> None:
        self.database = database
        self.clock = clock
        self.days = days

    def kept_since(self) -> datetime | None:
        """Return since when downloads are listed; None where all are."""
        days = self.days.downloads_days
        return None if days is None else self.clock() - timedelta(days=days)

    def run(self) -> Dropped:
        """Drop everything that is due, in short transactions; whole rows first, so that none is blanked before."""
        now = self.clock()
        hashes = now - timedelta(days=self.days.client_hash_days)
        listed = self.days.downloads_days
        return Dropped(
            downloads=0 if listed is None else drop_downloads(self.database, now - timedelta(days=listed)),
            link_clients=drop_clients(self.database, hashes),
            client_hashes=drop_client_hashes(self.database, hashes),
            client_prefixes=drop_client_prefixes(self.database, now - timedelta(days=self.days.client_prefix_days)),
            refusals=drop_refusals(self.database, now - _REFUSALS),
            logo_uses=drop_uses(self.database, now - _USES),
            reporters=drop_reporters(self.database, now - timedelta(days=self.days.reporter_days)),
            ledger_rows=drop_entries(self.database, now - _IN_DATABASE),
        )
