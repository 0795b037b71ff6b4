"""The snapshot of all embeds that every process keeps, for requests that touch no lock and no database.

About every second and a half what has changed is read: each change that matters here is an entry of the ledger in
its own transaction, so the new entries name the participants whose embeds are read anew. So an idle deployment costs
the same with ten embeds as with a million. The whole is read at the start, and then once a minute, or as seldom as
keeps that to a two-thousandth of a core, but once an hour. A key that is not in it is looked up once, so that a new
embed works at once. While the database does not answer, the last snapshot holds.
"""

from __future__ import annotations

import json
import os
import re
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import structlog
from cachetools import TTLCache
from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from ..background import Background
from ..campaign import Campaign
from ..clock import Clock
from ..problems import (
    EmbedRevoked,
    ParticipantSuspended,
    PermissionLapsed,
    TermsNotAccepted,
    UnknownEmbed,
)
from ..store import Database
from ..store.tables import Embed, LedgerEntry, Participant
from .served import ServedEmbed, ServedEmbeds
from .terms_status import AcceptedTerms

log = structlog.get_logger()

PAUSE = 1.5  # seconds between two looks at what has changed
_WHOLE, _LONGEST_WHOLE = 60.0, 3600.0  # seconds between two readings of all, at least and at most
_REST = 2000  # and as many times what reading all takes, so that many embeds cost an idle process no more than few
#: Kinds of entries that may change whether and where an embed shows its logo; each names its participant.
_CHANGES = (
    "embed.created",
    "embed.changed",
    "embed.revoked",
    "embed.restored",
    "participant.decided",
    "participant.erased",
    "terms.accepted",
    "case.opened",
    "case.returned",
    "case.decided",
)
_BEHIND = 20_000  # on PostgreSQL an entry may be committed that many numbers behind a later one
_STEP = 500  # embeds, or participants, a query
_LONGEST_PAUSE = 3.0  # where reading one takes long; a change has to be in force within 5
_UNSTARTED_AGE = 2.0  # seconds after which a process without the thread reads anew
_RETRY = 1.0  # seconds until a process without the thread tries again what failed
_UNKNOWN_FOR = 1.0  # seconds for which an unknown key is not looked up again
_MOST_UNKNOWN = 10_000
_KEY = re.compile(r"ebd_[A-Za-z0-9_-]{22}")


class EmbedSnapshot:
    """All embeds as they were a moment ago. Safe to share between threads; after a fork it starts afresh."""

    def __init__(self, database: Database, campaign: Campaign, clock: Clock, base_url: str) -> None:
        self._database = database
        self._campaign = campaign
        self._clock = clock
        self._base_url = base_url
        self._known = ServedEmbeds()
        self._thread = Background("emblem-embeds", self._turn)
        self._start_afresh()
        os.register_at_fork(after_in_child=self._start_afresh)

    def take_up(self, campaign: Campaign) -> None:
        """Judge by another campaign, from the next reading of the snapshot on, which is one of all."""
        self._campaign = campaign

    def _start_afresh(self) -> None:
        self._unknown: TTLCache[str, None] = TTLCache(_MOST_UNKNOWN, _UNKNOWN_FOR, time.monotonic)
        self._asking = threading.Lock()  # round the cache, which is not safe to share
        self._reading = threading.Lock()
        self._judged_by: Campaign | None = None
        self._numbers: set[int] = set()  # of entries that were taken in, near the last
        self._last = 0  # number of the newest entry that was seen
        self._taken = float("-inf")  # when the reading of the snapshot began, on the monotonic clock
        self._tried = float("-inf")
        self._lasts = _WHOLE  # seconds for which the reading is added to, before all is read anew

    def start(self) -> None:
        """Start the thread that keeps the snapshot fresh; a second call changes nothing."""
        self._thread.start()
        self._thread.wake()

    def stop(self) -> None:
        """End the thread."""
        self._thread.stop()

    def permission(self, key: str, before_lookup: Callable[[], None] | None = None) -> ServedEmbed:
        """Return the embed of a key, if it may show its logo now.

        Raises UnknownEmbed, EmbedRevoked, ParticipantSuspended or TermsNotAccepted. ``before_lookup`` is
        called before the database is asked about a key that is not known here; what it raises is raised.
        """
        if not self._thread.running:
            self._read_if_old()
        embed: ServedEmbed | None = self._known.get(key)
        if embed is None:
            embed = self._look_up(key, before_lookup)
        if embed.revoked:
            raise EmbedRevoked
        if embed.lapsed:
            raise PermissionLapsed.of(embed.participant, self._base_url, embed.language)
        if not embed.approved:
            raise ParticipantSuspended
        if embed.until is not None and self._clock() >= embed.until:
            raise terms_not_accepted(self._campaign, embed.logo, self._clock(), self._base_url, embed.language)
        return embed

    def refresh(self) -> None:
        """Read the snapshot anew. Raise Unavailable where the database does not answer."""
        with self._reading:
            self._read()

    def catch_up(self) -> None:
        """Read what has changed, or everything where that was long ago. Raise Unavailable."""
        with self._reading:
            if time.monotonic() - self._taken > self._lasts or self._judged_by is not self._campaign:
                self._read()
            else:
                self._read_changes()

    def reload(self, key: str) -> None:
        """Take over what this process has just written about one embed."""
        with self._reading:  # a snapshot that is being read now may be from before
            with self._asking:
                self._unknown.pop(key, None)
            if (embed := self._find(key)) is not None:
                self._known.put({key: embed})

    def _turn(self) -> float:
        began = time.monotonic()
        try:
            self.catch_up()
        except Exception as error:
            log.warning("the embeds could not be read; what was known is used on", error=type(error).__name__)
        return min(_LONGEST_PAUSE, max(PAUSE, 10 * (time.monotonic() - began)))

    def _read_if_old(self) -> None:
        now = time.monotonic()
        if now - self._taken <= _UNSTARTED_AGE or now - self._tried <= _RETRY:
            return
        with self._reading:
            if self._taken >= now or self._tried >= now:
                return  # another thread did it meanwhile
            self._tried = time.monotonic()
            try:
                self._read()
            except Exception as error:
                log.warning("the embeds could not be read; what was known is used on", error=type(error).__name__)

    def _read(self) -> None:
        began, campaign = time.monotonic(), self._campaign
        with self._database.read() as session:
            last = session.scalar(select(func.max(LedgerEntry.seq))) or 0
            numbers = {number for number, _ in self._entries(session, last)}
            known = ServedEmbeds(self._all(session, campaign))
        self._known = known
        self._taken, self._last, self._numbers, self._judged_by = began, last, numbers, campaign
        self._lasts = min(_LONGEST_WHOLE, max(_WHOLE, _REST * (time.monotonic() - began)))

    def _read_changes(self) -> None:
        changed: dict[str, ServedEmbed] = {}
        with self._database.read() as session:
            entries = self._entries(session, self._last)
            fresh = {json.loads(body).get("participant") for number, body in entries if number not in self._numbers}
            last = session.scalar(select(func.max(LedgerEntry.seq))) or 0
            participants = sorted(fresh - {None})
            for start in range(0, len(participants), _STEP):
                some = participants[start : start + _STEP]
                rows = session.execute(_select().where(Embed.participant.in_(some))).all()
                if rows:
                    accepted = AcceptedTerms.read(session, self._campaign, {row.participant for row in rows})
                    now = self._clock()
                    changed |= {row.key: self._served(row, accepted, now) for row in rows}
        self._known.put(changed)
        self._last, self._numbers = last, {number for number, _ in entries}

    def _all(self, session: Session, campaign: Campaign) -> Iterator[ServedEmbed]:
        """Give all embeds in the order of their keys, a step at a time, so that few are in memory as rows."""
        now = self._clock()
        key = Embed.key if self._database.is_sqlite else Embed.key.collate("C")  # by bytes, as they are packed
        rows = session.execute(_select().order_by(key).execution_options(yield_per=_STEP))
        for some in rows.partitions():
            accepted = AcceptedTerms.read(session, campaign, {row.participant for row in some})
            yield from (self._served(row, accepted, now) for row in some)

    def _entries(self, session: Session, last: int) -> list[tuple[int, str]]:
        """Numbers and bodies of the entries that matter here from ``last`` on, and of those just before it."""
        behind = 0 if self._database.is_sqlite else _BEHIND  # SQLite numbers them in the order of commits
        wanted = select(LedgerEntry.seq, LedgerEntry.body)
        rows = session.execute(wanted.where(LedgerEntry.seq > last - behind, LedgerEntry.kind.in_(_CHANGES)))
        return [(row.seq, row.body) for row in rows]

    def _look_up(self, key: str, before_lookup: Callable[[], None] | None) -> ServedEmbed:
        with self._asking:
            known_as_unknown = key in self._unknown
        if known_as_unknown or not _KEY.fullmatch(key):
            raise UnknownEmbed
        if before_lookup is not None:
            before_lookup()
        embed = self._find(key)
        if embed is None:
            with self._asking:
                self._unknown[key] = None
            raise UnknownEmbed
        self._known.put({key: embed})
        return embed

    def _find(self, key: str) -> ServedEmbed | None:
        with self._database.read() as session:
            row = session.execute(_select().where(Embed.key == key)).first()
            if row is None:
                return None
            accepted = AcceptedTerms.read(session, self._campaign, [row.participant])
        return self._served(row, accepted, self._clock())

    def _served(self, row: Any, accepted: AcceptedTerms, now: datetime) -> ServedEmbed:
        return ServedEmbed(
            key=row.key,
            participant=row.participant,
            kind=row.kind,
            country=row.country,
            language=row.language,
            logo=row.logo,
            origins=frozenset(row.origins),
            unlisted=row.unlisted,
            revoked=row.revoked_at is not None,
            approved=row.status == "approved",
            lapsed=row.status == "lapsed",
            until=accepted.until(row.participant, row.logo, now),
        )


def _select() -> Select[*tuple[Any, ...]]:
    return select(
        Embed.key,
        Embed.participant,
        Participant.kind,
        Participant.country,
        Participant.language,
        Participant.status,
        Embed.logo,
        Embed.origins,
        Embed.unlisted,
        Embed.revoked_at,
    ).join(Participant, Participant.id == Embed.participant)


def terms_not_accepted(campaign: Campaign, logo: str, now: datetime, base_url: str, language: str) -> TermsNotAccepted:
    """Return the problem that leads to the current terms of a logo."""
    terms = campaign.logos[logo].terms
    version = campaign.terms.current(terms, now).version
    return TermsNotAccepted.of(terms, version, base_url, language)
