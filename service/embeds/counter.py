"""Counts the views that this process serves: in memory, and within seconds in the database.

What was counted since the last flush is written as one numbered batch of its process. The number is stored
in the transaction that adds the counts: a batch whose commit went through, but was reported as failed, is
known when it is sent again and adds nothing. A process that is killed loses what it counted after its
last flush, a second's worth; the contract allows five.
"""

from __future__ import annotations

import os
import secrets
import threading
from datetime import UTC, datetime, timedelta

import structlog
from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from ..background import Background
from ..clients import NAMELESS
from ..clock import Clock
from ..store import Database, advisory
from ..store.tables import Embed, LogoUse, LogoUseWriter
from ..store.upsert import insert_into
from .crowding import Crowd
from .served import ServedEmbed

log = structlog.get_logger()

INTERVAL = 1.0  # seconds between flushes
_MANY = 20_000  # different counts in memory that are flushed without waiting for the interval
_NUMBERS_KEPT = timedelta(days=7)  # much longer than any process keeps on sending one batch

CountKey = tuple[datetime, str, str, str]  # hour, embed, variant, origin ("" for none)


class ViewCounter:
    """The counts of one process. Safe to share between threads; after a fork it starts afresh."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._thread = Background("emblem-counts", self._turn)
        self._start_afresh()
        os.register_at_fork(after_in_child=self._start_afresh)

    def _start_afresh(self) -> None:
        self._writer = secrets.token_hex(16)
        self._number = 0
        self._counts: dict[CountKey, int] = {}
        never = datetime.min.replace(tzinfo=UTC)
        self._hour = (never, never)  # the last one that was counted in: its beginning and its end
        self._sending: dict[CountKey, int] | None = None
        self._crowds: dict[tuple[datetime, str], Crowd] = {}
        self._lock = threading.Lock()
        self._flushing = threading.Lock()

    def count(self, embed: ServedEmbed, variant: str, origin: str | None) -> None:
        """Count one view of a variant (``colourway/width.format``) on an origin, as ``origin_of`` gave it."""
        now = self._clock()
        begin, end = self._hour
        if not begin <= now < end:
            begin = now.replace(minute=0, second=0, microsecond=0)
            self._hour = begin, begin + timedelta(hours=1)
        site = "" if origin is None or origin == NAMELESS else origin
        key = (begin, embed.key, variant, site)
        with self._lock:
            if key in self._counts:  # so it was admitted under its own names
                self._counts[key] += 1
                return
            key = (begin, embed.key, *self._crowd(begin, embed).admit(variant, site))
            self._counts[key] = self._counts.get(key, 0) + 1
            full = len(self._counts) >= _MANY
        if full:
            self._thread.wake()

    def start(self) -> None:
        """Start the thread that flushes; a second call changes nothing."""
        self._thread.start()
        self._thread.wake()

    def stop(self) -> None:
        """End the thread and flush. What cannot be written is logged as lost."""
        self._thread.stop()
        try:
            self.flush()
        except Exception as error:
            log.error("views were counted and could not be written", error=type(error).__name__)

    def flush(self) -> int:
        """Write what was counted, durably, and return the number of different counts written.

        Raises Unavailable where the database does not take it; the counts are kept, and nothing is added twice.
        """
        with self._flushing:
            written = 0
            if self._sending is not None:  # a batch whose end is not known goes first, under its number
                written += self._send(self._sending)
            with self._lock:
                self._sending, self._counts = self._counts or None, {}
            if self._sending is not None:
                self._number += 1
                written += self._send(self._sending)
            return written

    def _send(self, counts: dict[CountKey, int]) -> int:
        number, now = self._number, self._clock()
        try:
            self._database.write(lambda session: add_counts(session, self._writer, number, counts, now))
        except IntegrityError:  # an embed that the database does not know: it was put back from a backup
            counts = self._of_known_embeds(counts)
            if counts:
                self._database.write(lambda session: add_counts(session, self._writer, number, counts, now))
        self._sending = None
        return len(counts)

    def _of_known_embeds(self, counts: dict[CountKey, int]) -> dict[CountKey, int]:
        with self._database.read() as session:
            known = set(session.scalars(select(Embed.key)))
        kept = {key: views for key, views in counts.items() if key[1] in known}
        log.error("views of unknown embeds were dropped", views=sum(counts.values()) - sum(kept.values()))
        return kept

    def _crowd(self, hour: datetime, embed: ServedEmbed) -> Crowd:
        crowd = self._crowds.get((hour, embed.key))
        if crowd is None:
            for old in [key for key in self._crowds if key[0] < hour - timedelta(hours=1)]:
                del self._crowds[old]
            crowd = self._crowds[hour, embed.key] = Crowd(embed.origins, watching=True)
        crowd.list_anew(embed.origins)
        return crowd

    def _turn(self) -> float:
        try:
            self.flush()
        except Exception as error:
            log.warning("counts could not be written; they are kept and tried again", error=type(error).__name__)
        return INTERVAL


def add_counts(session: Session, writer: str, number: int, counts: dict[CountKey, int], now: datetime) -> bool:
    """Add a batch of a writer to what is stored; return False, and nothing is added, where it has been already."""
    lock_uses(session, shared=True)
    dialect = session.get_bind().dialect.name
    numbered = insert_into(LogoUseWriter, dialect).values(writer=writer, batch=number, at=now)
    first = session.execute(
        numbered.on_conflict_do_update(
            index_elements=[LogoUseWriter.writer],
            set_={"batch": number, "at": now},
            where=LogoUseWriter.batch < number,
        ).returning(LogoUseWriter.writer)
    ).first()
    if first is None:
        return False
    added = insert_into(LogoUse, dialect)
    session.execute(
        added.on_conflict_do_update(
            index_elements=[LogoUse.hour, LogoUse.embed, LogoUse.variant, LogoUse.origin, LogoUse.batch],
            set_={"views": LogoUse.views + added.excluded.views},
        ),
        # In one order, so that two processes cannot wait for each other's rows.
        [
            {"hour": hour, "embed": embed, "variant": variant, "origin": origin, "batch": "", "views": views}
            for (hour, embed, variant, origin), views in sorted(counts.items())
        ],
    )
    return True


def forget_writers(session: Session, now: datetime) -> None:
    """Drop the numbers of processes that have ended long ago."""
    session.execute(delete(LogoUseWriter).where(LogoUseWriter.at < now - _NUMBERS_KEPT))


def lock_uses(session: Session, *, shared: bool) -> None:
    """Lock the uses for this transaction: many may add counts, or one may enter them. SQLite has one writer anyway."""
    advisory.hold_until_end(session, advisory.USES, shared=shared)
