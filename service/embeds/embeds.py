"""Embeds of one deployment: making, changing and ending them; permission, and the count of use."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import Select, Text, cast, select
from sqlalchemy.orm import Session

from .. import ledger
from ..campaign import Campaign
from ..clock import Clock
from ..ids import new_id
from ..mail import Mailer
from ..participants import granted
from ..participants.revocation import check_reason_given
from ..problems import (
    Conflict,
    EmbedRevoked,
    FieldError,
    InvalidRequest,
    NotFound,
    ParticipantNotApproved,
    PermissionLapsed,
    UnknownEmbed,
    UnknownLogo,
)
from ..store import Database, tables
from ..store.paging import Page, paginate
from . import terms_reminders
from .counter import INTERVAL, ViewCounter
from .origins import check_origins
from .presentation import UNLISTED, Describer, EmbedDetails
from .rollup import enter_waiting
from .served import ServedEmbed
from .site_statistics import SiteUse, sites_of
from .snapshot import EmbedSnapshot, terms_not_accepted
from .terms_status import AcceptedTerms

log = structlog.get_logger()
_FLUSH = 0.3  # seconds that a flush takes on a busy machine
Also = Callable[[Session, tables.Participant], None]
_KEY = re.compile(r"[A-Za-z0-9_-]{1,40}")


class Embeds:
    """The embeds of one deployment. Safe to share between threads, and across a fork."""

    def __init__(self, database: Database, campaign: Campaign, clock: Clock, base_url: str) -> None:
        self._database = database
        self._campaign = campaign
        self._clock = clock
        self._base_url = base_url
        self._snapshot = EmbedSnapshot(database, campaign, clock, base_url)
        self._counter = ViewCounter(database, clock)
        self._describer = Describer(campaign, base_url)

    def take_up(self, campaign: Campaign) -> None:
        """Go on with another campaign; what was counted stays."""
        self._snapshot.take_up(campaign)
        self._describer = Describer(campaign, self._base_url)
        self._campaign = campaign

    # ---- what their owners do

    def create(self, participant: str, logo: str, origins: Sequence[str], unlisted: str, by: str) -> EmbedDetails:
        """Make an embed for an approved participant that accepted the current terms of the logo.

        Raises InvalidRequest, UnknownLogo, NotFound (participant), ParticipantNotApproved or TermsNotAccepted.
        """
        checked = check_origins(origins)
        _check_unlisted(unlisted)
        if logo not in self._campaign.logos:
            raise UnknownLogo(f"There are these logos: {', '.join(sorted(self._campaign.logos))}.")
        key = new_id("ebd")

        def work(session: Session) -> EmbedDetails:
            now = self._clock()
            # Shared lock: an erasure at this moment comes before or after, never in between.
            owner = session.get(tables.Participant, participant, with_for_update={"read": True})
            if owner is None or owner.status == "erased":
                raise NotFound("There is no participant of this id that you may act for.")
            if owner.status == "lapsed":
                raise PermissionLapsed.of(participant, self._base_url, owner.language)
            if owner.status != "approved":
                raise ParticipantNotApproved(extra={"participant_status": owner.status})
            if not AcceptedTerms.read(session, self._campaign, [participant]).current(participant, logo, now):
                raise terms_not_accepted(self._campaign, logo, now, self._base_url, owner.language)
            row = tables.Embed(
                key=key,
                participant=participant,
                logo=logo,
                origins=list(checked),
                unlisted=unlisted,
                personal=self._campaign.eligibility.kind(owner.kind).person,
                created_at=now,
            )
            session.add(row)
            session.flush()
            self._append(session, ledger.EmbedCreatedEntry, now, row, owner, by)
            return self._describer.of(session, [(row, owner)], now)[0]

        made = self._database.write(work)
        self._take_over(key)
        return made

    def get(self, key: str) -> EmbedDetails:
        """Return an embed by its key; raise UnknownEmbed where there is none."""
        with self._database.read() as session:
            row = session.execute(_select().where(tables.Embed.key == key)).first() if _KEY.fullmatch(key) else None
            if row is None:
                raise UnknownEmbed
            return self._describer.of(session, [row], self._clock())[0]

    def list(
        self,
        *,
        participant: str | None = None,
        portal: str | None = None,
        origin: str | None = None,
        cursor: str | None = None,
        limit: int = 50,
    ) -> Page[EmbedDetails]:
        """List embeds, newest first: of one participant, or of those that a portal key may act for, or all.

        ``origin`` narrows the list to embeds for that site and no other.
        """
        statement = _select()
        if origin:
            statement = statement.where(cast(tables.Embed.origins, Text) == json.dumps([origin]))
        if participant:
            statement = statement.where(tables.Embed.participant == participant)
        with self._database.read() as session:
            if portal:
                statement = statement.where(granted(session, portal, tables.Embed.participant))
            page = paginate(session, statement, tables.Embed.created_at, tables.Embed.key, cursor=cursor, limit=limit)
            return Page(tuple(self._describer.of(session, page.items, self._clock())), page.next_cursor)

    def use_of(self, key: str, days: int) -> tuple[SiteUse, ...]:
        """Return where the logo of one embed was seen in the last days; none where it was not."""
        return self.usage(self.get(key).participant, days).get(key, ())

    def usage(self, participant: str, days: int = 30) -> dict[str, tuple[SiteUse, ...]]:
        """Return where the logos of a participant's embeds were seen in the last days, by the embed's key.

        An embed that was not seen is not in it. What processes counted in the last seconds may be missing.
        """
        with self._database.read() as session:
            return sites_of(session, participant, self._clock() - timedelta(days=days))

    def change(
        self, key: str, *, origins: Sequence[str] | None = None, unlisted: str | None = None, by: str
    ) -> EmbedDetails:
        """Change the sites of an embed, or what happens on others; None leaves it as it is. Return the changed embed.

        Raises InvalidRequest, UnknownEmbed or EmbedRevoked.
        """
        checked = None if origins is None else list(check_origins(origins))
        if unlisted is not None:
            _check_unlisted(unlisted)

        def work(session: Session) -> EmbedDetails:
            now = self._clock()
            row, owner = self._locked(session, key)
            if row.revoked_at is not None:
                raise EmbedRevoked
            before = list(row.origins), row.unlisted
            row.origins = before[0] if checked is None else checked
            row.unlisted = unlisted or row.unlisted
            if (row.origins, row.unlisted) != before:
                self._append(session, ledger.EmbedChangedEntry, now, row, owner, by)
            return self._describer.of(session, [(row, owner)], now)[0]

        changed = self._database.write(work)
        self._take_over(key)
        return changed

    def revoke(self, key: str, by: str, reason: str | None = None, also: Also | None = None) -> None:
        """End an embed; again changes nothing. ``also`` is done in the same transaction.

        Raise UnknownEmbed or InvalidRequest.
        """
        checked = check_reason_given(reason)

        def work(session: Session) -> None:
            now = self._clock()
            row, owner = self._locked(session, key)
            if row.revoked_at is None:
                row.revoked_at, row.revoked_by, row.revoked_reason = now, by, checked
                ledger.append(session, ledger.EmbedRevokedEntry(embed=key, participant=row.participant, by=by), now)
                if also is not None:
                    also(session, owner)

        self._database.write(work)
        self._take_over(key)

    def restore(self, key: str, by: str, also: Also | None = None) -> None:
        """Take the end of an embed back; nothing happens to one that goes on. ``also`` is done with it.

        Raise UnknownEmbed, or Conflict where its participant is erased.
        """

        def work(session: Session) -> None:
            row, owner = self._locked(session, key)
            if owner.status == "erased":
                raise Conflict("Its participant is erased, so the embed cannot come back.")
            if row.revoked_at is not None:
                row.revoked_at = row.revoked_by = row.revoked_reason = None
                entry = ledger.EmbedRestoredEntry(embed=key, participant=row.participant, by=by)
                ledger.append(session, entry, self._clock())
                if also is not None:
                    also(session, owner)

        self._database.write(work)
        self._take_over(key)

    # ---- what serving a logo asks

    def permission(self, key: str, before_lookup: Callable[[], None] | None = None) -> ServedEmbed:
        """Return the embed of a key, if it may show its logo now; for a known key without lock or database.

        Raises UnknownEmbed, EmbedRevoked, ParticipantSuspended or TermsNotAccepted. ``before_lookup`` is
        called before the database is asked about a key that is not known here; what it raises is raised.
        """
        return self._snapshot.permission(key, before_lookup)

    def count(self, embed: ServedEmbed, variant: str, origin: str | None) -> None:
        """Count one view of ``colourway/width.format`` on an origin, as ``origin_of`` gave it."""
        self._counter.count(embed, variant, origin)

    # ---- background work

    def start(self) -> None:
        """Start the threads of this process: one reads all embeds anew, one writes what was counted."""
        self._snapshot.start()
        self._counter.start()

    def close(self) -> None:
        """End the threads and write what was counted."""
        self._snapshot.stop()
        self._counter.stop()

    def refresh(self) -> None:
        """Read all embeds anew now. Raise Unavailable where the database does not answer."""
        self._snapshot.refresh()

    def flush(self) -> int:
        """Write what this process has counted, durably; return how many different counts that were."""
        return self._counter.flush()

    def settle(self) -> None:
        """Wait until what running processes have counted before is in the database, if it takes their flushes."""
        time.sleep(INTERVAL + _FLUSH)

    def enter_uses(self, *, everything: bool = False) -> int:
        """Make entries of the uses of hours that are over, or of all; return how many.

        Any number of processes may do it at once: each use is entered exactly once.
        """
        try:
            self._counter.flush()
        except Exception as error:  # what other processes have written is entered all the same, if it can be
            log.warning("counts could not be written; they are kept and tried again", error=type(error).__name__)
        entered = 0
        while some := self._database.write(
            lambda session: enter_waiting(session, self._clock(), everything=everything)
        ):
            entered += some
        return entered

    def notify_terms(self, mailer: Mailer) -> int:
        """Mail partners whose embeds need new terms, once for each version; return how many mails."""
        return terms_reminders.notify(self._database, self._campaign, mailer, self._base_url, self._clock())

    # ---- inside

    def _take_over(self, key: str) -> None:
        try:
            self._snapshot.reload(key)
        except Exception as error:  # the change is durable; the next snapshot brings it
            log.warning("an embed could not be read again", error=type(error).__name__)

    def _locked(self, session: Session, key: str) -> tuple[tables.Embed, tables.Participant]:
        row = session.get(tables.Embed, key, with_for_update=True) if _KEY.fullmatch(key) else None
        if row is None:
            raise UnknownEmbed
        owner = session.get(tables.Participant, row.participant)
        assert owner is not None  # a foreign key
        return row, owner

    def _append(
        self,
        session: Session,
        kind: type[ledger.EmbedCreatedEntry],
        now: datetime,
        row: tables.Embed,
        owner: tables.Participant,
        by: str,
    ) -> None:
        """Append an entry about an embed: with its sites, or for a person's with what binds them until an erasure."""
        record = {"embed": row.key, "origins": row.origins}
        ledger.append(
            session,
            kind(
                embed=row.key,
                participant=row.participant,
                logo=row.logo,
                origins=[] if row.personal else list(row.origins),
                commitment=ledger.commitment(owner.salt, record) if row.personal and owner.salt else None,
                unlisted=row.unlisted,
                by=by,
            ),
            now,
        )


def _select() -> Select[*tuple[Any, ...]]:
    return select(tables.Embed, tables.Participant).join(
        tables.Participant, tables.Participant.id == tables.Embed.participant
    )


def _check_unlisted(unlisted: str) -> None:
    if unlisted not in UNLISTED:
        raise InvalidRequest(errors=[FieldError("/unlisted", f"Give one of {', '.join(UNLISTED)}.")])
