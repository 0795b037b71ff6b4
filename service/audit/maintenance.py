"""The background work of the audit: what each process does about once a second, and at its end."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import structlog

from ..campaign import Campaign
from ..ids import Clock
from ..ledger import Sealer
from ..ledger.lock import leadership
from ..mail import Mailer
from ..settings import Settings
from ..storage import Storage
from ..store.database import Database
from .alerts import Alerts
from .daily import DailyCheckpoint
from .receipts import Receipts
from .refusals import Refusals
from .reports import Reports
from .retention import Retention
from .rules import load_rules
from .segments import Segments
from .webhooks import Webhooks

if TYPE_CHECKING:
    from datetime import datetime

log = structlog.get_logger()


class EntersUses(Protocol):
    """What counts logo uses: it turns counts of hours that are over, or of all hours, into entries."""

    def enter_uses(self, *, everything: bool = False) -> int:
        """Writes the entries and gives their number."""

    def settle(self) -> None:
        """Waits until what other processes have counted before is in the database."""

    def notify_terms(self, mailer: Mailer) -> int:
        """Mails partners whose embeds need new terms, once for each version, and gives the number of mails."""


@dataclass
class _Duty:
    name: str
    every: float  # seconds
    work: Callable[[], object]
    due: float = 0


class Maintenance:
    """Seals, enters the uses of hours that are over, writes segments, raises alerts, keeps to retention, mails.

    Every process calls ``tick``; what one alone may do is under a lock or a row that only one can write.
    """

    def __init__(
        self,
        *,
        settings: Settings,
        database: Database,
        storage: Storage,
        campaign: Campaign,
        sealer: Sealer,
        embeds: EntersUses,
        mailer: Mailer,
        clock: Clock,
    ) -> None:
        self.settings = settings
        self.sealer = sealer
        self.embeds = embeds
        self.clock = clock
        self.segments = Segments(database, storage, settings.data_dir, clock)
        self.reports = Reports(database, self.segments, clock)
        self.receipts = Receipts(database, storage, self.reports)
        self.refusals = Refusals(database, clock)
        self.alerts = Alerts(
            database,
            self.reports,
            clock,
            load_rules(settings.policies_dir),
            mailer=mailer,
            staff=settings.staff,
            base_url=settings.base_url,
            data_dir=settings.data_dir,
        )
        self.webhooks = Webhooks(database, clock, settings.secret_keys)
        self.retention = Retention(database, clock, campaign.info.retention)
        self.daily = DailyCheckpoint(database, clock, mailer, settings.auditors, settings.base_url)
        self._sealed_at = 0.0
        self._beside: threading.Thread | None = None
        self._duties = [
            _Duty("logo uses", 30, embeds.enter_uses),
            _Duty("notices of new terms", 120, lambda: embeds.notify_terms(mailer)),
            _Duty("segments", 20, self.segments.write),
            _Duty("refusals", 5, self.refusals.flush),
            _Duty("alerts", 120, self.alerts.run),
            _Duty("webhooks", 15, self._deliver),
            _Duty("retention", 3600, self.retention.run),
            _Duty("daily checkpoint", 60, self.daily.run),
        ]

    def tick(self) -> None:
        """Seals if that is due, and starts the other duties that are, in a thread beside: none delays sealing."""
        self._attempt("sealing", self._seal)
        if self._beside is None or not self._beside.is_alive():
            self._beside = threading.Thread(target=self.duties, name="emblem-audit", daemon=True)
            self._beside.start()

    def duties(self) -> None:
        """Does what is due but sealing. A duty that fails is logged and tried again; it stops no other."""
        for duty in self._duties:
            now = time.monotonic()
            if now >= duty.due:
                duty.due = now + duty.every
                self._attempt(duty.name, duty.work)

    def flush(self) -> int:
        """Enters every use that is counted and seals: the size of the log after it. Waits for another sealer."""
        self.embeds.settle()
        self.embeds.enter_uses(everything=True)
        return self.sealer.seal(wait=30).size

    def finish(self) -> None:
        """The last turn of a process that ends."""
        if self._beside is not None:
            self._beside.join(timeout=2)
        self._attempt("logo uses", lambda: self.embeds.enter_uses(everything=True))
        self._attempt("refusals", self.refusals.flush)
        self._attempt("sealing", lambda: self.sealer.seal(wait=3))

    def _deliver(self) -> None:
        with leadership(self.sealer.database, self.settings.data_dir, name="webhooks") as held:
            if held is not None:
                self.webhooks.deliver()

    def _seal(self) -> None:
        newest = self.sealer.rows.newest()
        if newest is not None and self._sealed_at and self._age(newest.at) < self.settings.seal_interval:
            return
        now = time.monotonic()
        # A full turn now and then, even with nothing waiting, publishes what a process left that was killed.
        if now - self._sealed_at >= self.settings.seal_interval or self.sealer.rows.waiting():
            self.sealer.seal()
            self._sealed_at = now

    def _age(self, at: datetime) -> float:
        return (self.clock() - at).total_seconds()

    def _attempt(self, name: str, work: Callable[[], object]) -> None:
        try:
            work()
        except Exception as error:
            log.error("background work failed; it is tried again", duty=name, exc_info=error)
