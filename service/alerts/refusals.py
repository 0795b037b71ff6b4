"""Refused requests, counted: by hour, by link or embed, by the problem they were answered with."""

from __future__ import annotations

import threading
from collections import Counter
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, text
from sqlalchemy.orm import Session

from ..clock import Clock
from ..store.audit_tables import Refusal
from ..store.batches import changed
from ..store.database import Database
from ..store.tables import Instant

_MOST = 10_000  # counts in memory; a flood of refusals must not fill it
_ADD = text(
    "insert into refusals (hour, subject, slug, attempts) values (:hour, :subject, :slug, :attempts) "
    "on conflict (hour, subject, slug) do update set attempts = refusals.attempts + excluded.attempts"
).bindparams(bindparam("hour", type_=Instant()))


class Refusals:
    """Counts in memory, written every few seconds. Safe to share between threads; best effort by design."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self.database = database
        self.clock = clock
        self._lock = threading.Lock()
        self._counts: Counter[tuple[datetime, str, str]] = Counter()

    def note(self, subject: str, slug: str) -> None:
        """Counts one refused request on a link or embed."""
        key = (self.clock().replace(minute=0, second=0, microsecond=0), subject, slug)
        with self._lock:
            if key in self._counts or len(self._counts) < _MOST:
                self._counts[key] += 1

    def flush(self) -> None:
        """Adds what was counted to the database; kept for the next time where that fails."""
        with self._lock:
            counts, self._counts = self._counts, Counter()
        if not counts:
            return
        rows: list[dict[str, Any]] = [
            {"hour": hour, "subject": subject, "slug": slug, "attempts": attempts}
            for (hour, subject, slug), attempts in counts.items()
        ]

        def work(session: Session) -> None:
            session.connection().execute(_ADD, rows)

        try:
            self.database.write(work)
        except BaseException:
            with self._lock:
                self._counts.update(counts)
            raise


def drop_refusals(database: Database, before: datetime) -> int:
    """Delete what was counted of hours before ``before``; return how many rows."""
    return database.write(lambda session: changed(session, delete(Refusal).where(Refusal.hour < before)))
