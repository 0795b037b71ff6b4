"""The snapshot of all embeds that every process keeps, for requests that touch no lock and no database.

A snapshot is read about every second and a half and replaced as a whole. A key that is not in it is looked
up once, so that a new embed works at once. While the database does not answer, the last snapshot holds.
"""

from __future__ import annotations

import os
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from cachetools import TTLCache
from sqlalchemy import Select, select

from ..background import Background
from ..campaign import Campaign
from ..clock import Clock
from ..problems import EmbedRevoked, OriginNotAllowed, ParticipantSuspended, TermsNotAccepted, UnknownEmbed
from ..store import Database
from ..store.tables import Embed, Participant
from .terms_status import AcceptedTerms

log = structlog.get_logger()

PAUSE = 1.5  # seconds between two snapshots
_LONGEST_PAUSE = 3.0  # where reading one takes long; a change has to be in force within 5
_UNSTARTED_AGE = 2.0  # seconds after which a process without the thread reads anew
_RETRY = 1.0  # seconds until a process without the thread tries again what failed
_UNKNOWN_FOR = 1.0  # seconds for which an unknown key is not looked up again
_MOST_UNKNOWN = 10_000
_KEY = re.compile(r"ebd_[A-Za-z0-9_-]{22}")


@dataclass(frozen=True, slots=True)
class ServedEmbed:
    """An embed as serving its logo needs to know it. ``until`` is when its acceptances no longer suffice."""

    key: str
    participant: str
    kind: str
    country: str | None
    language: str
    logo: str
    origins: frozenset[str]
    unlisted: str
    revoked: bool
    approved: bool
    until: datetime | None


def allowed(embed: ServedEmbed, origin: str | None) -> None:
    """Raise OriginNotAllowed where the embed refuses this origin. A request that names none is served."""
    if embed.unlisted == "refuse" and origin is not None and origin not in embed.origins:
        raise OriginNotAllowed


class EmbedSnapshot:
    """All embeds as they were a moment ago. Safe to share between threads; after a fork it starts afresh."""

    def __init__(self, database: Database, campaign: Campaign, clock: Clock, base_url: str) -> None:
        self._database = database
        self._campaign = campaign
        self._clock = clock
        self._base_url = base_url
        self._known: dict[str, ServedEmbed] = {}
        self._thread = Background("emblem-embeds", self._turn)
        self._start_afresh()
        os.register_at_fork(after_in_child=self._start_afresh)

    def take_up(self, campaign: Campaign) -> None:
        """Judge by another campaign, from the next reading of the snapshot on."""
        self._campaign = campaign

    def _start_afresh(self) -> None:
        self._unknown: TTLCache[str, None] = TTLCache(_MOST_UNKNOWN, _UNKNOWN_FOR, time.monotonic)
        self._asking = threading.Lock()  # round the cache, which is not safe to share
        self._reading = threading.Lock()
        self._taken = float("-inf")  # when the reading of the snapshot began, on the monotonic clock
        self._tried = float("-inf")

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
        embed = self._known.get(key)
        if embed is None:
            embed = self._look_up(key, before_lookup)
        if embed.revoked:
            raise EmbedRevoked
        if not embed.approved:
            raise ParticipantSuspended
        if embed.until is not None and self._clock() >= embed.until:
            raise terms_not_accepted(self._campaign, embed.logo, self._clock(), self._base_url, embed.language)
        return embed

    def refresh(self) -> None:
        """Read the snapshot anew. Raise Unavailable where the database does not answer."""
        with self._reading:
            self._read()

    def reload(self, key: str) -> None:
        """Take over what this process has just written about one embed."""
        with self._reading:  # a snapshot that is being read now may be from before
            with self._asking:
                self._unknown.pop(key, None)
            if (embed := self._find(key)) is not None:
                self._known[key] = embed

    def _turn(self) -> float:
        began = time.monotonic()
        try:
            self.refresh()
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
        began = time.monotonic()
        with self._database.read() as session:
            rows = session.execute(_select()).all()
            accepted = AcceptedTerms.of_embeds(session, self._campaign)
        now = self._clock()
        self._known = {row.key: self._served(row, accepted, now) for row in rows}
        self._taken = began

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
        self._known[key] = embed
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
