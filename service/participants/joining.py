"""Joining: by a portal or by staff, who vouch for the address, or by the public page, which confirms it first."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session as Transaction

from .. import ledger
from ..campaign import Campaign
from ..clock import Clock
from ..even_time import even_time
from ..ids import new_id
from ..problems import AlreadyJoined
from ..store import Database, tables
from ..store.upsert import insert_new
from . import mailed_links, search
from .application import Application, read
from .correspondence import Correspondence
from .mailed_links import GRANT_LIFE, JOIN_LIFE, SIGN_IN_LIFE, Permit, anyone
from .members import add_first
from .rows import find_by_email
from .views import BY_RULE, STATUS_OF, ParticipantView, joined_record

PORTAL = "portal:"
_GRANT_PAUSE = timedelta(hours=1)  # between two mails about one portal to one address


#: Takes, in the transaction that joins, somebody whom a person has to decide on: the row, who acts, and the instant.
Held = Callable[[Transaction, tables.Participant, str, datetime], None]


@dataclass(frozen=True)
class _Rejoined:
    """Somebody who had joined already, and whether the caller may know who."""

    participant: str
    may_know: bool


class Joining:
    """Takes applications and decides them by the campaign's rules."""

    def __init__(
        self,
        database: Database,
        campaign: Campaign,
        clock: Clock,
        correspondence: Correspondence,
        held: Held | None = None,
    ) -> None:
        self._database = database
        self._campaign = campaign
        self._clock = clock
        self._correspondence = correspondence
        self._held = held

    def join(self, said: Mapping[str, Any], *, via: str) -> ParticipantView:
        """Join somebody whose address the caller vouches for, and decide by rule.

        ``via`` is who acts: ``portal:<key id>``, ``staff…`` or another actor without personal data. Raises
        InvalidRequest with every mistake, or AlreadyJoined: with the participant's id for staff and for a
        portal that may act for it. For another portal the owner is mailed a page to allow it, once an hour.
        """
        checked = read(said, self._campaign)
        outcome = self._database.write(lambda session: self._join_or_known(session, checked, via))
        self._correspondence.leave()
        if isinstance(outcome, ParticipantView):
            return outcome
        raise AlreadyJoined(extra={"participant": outcome.participant} if outcome.may_know else None)

    def check(self, said: Mapping[str, Any]) -> None:
        """Raise InvalidRequest with every mistake of an application that ``apply`` would not take."""
        read(said, self._campaign)

    def apply(self, said: Mapping[str, Any], permit: Permit = anyone, then: str = "") -> None:
        """Take an application of the public page, and mail its address a link that confirms it.

        ``permit`` is asked before anything is written, with the address as it is compared, and may raise. ``then`` is
        a query for the mailed address: what its reader came for.

        An address that has joined already is mailed a link to sign in instead; nothing seen from outside
        tells the two apart. Raises InvalidRequest with every mistake.
        """
        checked = read(said, self._campaign)
        permit(checked.email)

        def work(session: Transaction) -> None:
            now = self._clock()
            known = find_by_email(session, checked.email) is not None
            purpose, life = ("sign-in", SIGN_IN_LIFE) if known else ("join", JOIN_LIFE)
            payload = {"language": checked.language} if known else checked.as_json()
            secret = mailed_links.add(session, purpose, checked.email, payload, now, life)
            tell = self._correspondence.add_already_joined if known else self._correspondence.add_confirm_joining
            tell(session, checked.email, checked.language, secret, then)

        with even_time():
            self._database.write(work)
            self._correspondence.leave()

    def admit(self, session: Transaction, payload: dict[str, Any], now: datetime) -> None:
        """Join, in this transaction, who confirmed an application of the public page; the caller lets the mail leave.

        ``payload`` is what ``apply`` kept. Nothing where the address has joined meanwhile: its owner only signs in.
        Raises InvalidRequest where the policies in force now ask something else.
        """
        self._join(session, read(payload, self._campaign), "page", now)

    def _join_or_known(self, session: Transaction, application: Application, via: str) -> ParticipantView | _Rejoined:
        now = self._clock()
        joined = self._join(session, application, via, now)
        if joined is not None:
            return joined
        row = find_by_email(session, application.email)
        if row is None:  # erased between our insert and this read: the next attempt joins
            raise AlreadyJoined("This address is being erased at this moment. Send the same request again.")
        key = via.removeprefix(PORTAL)
        if not via.startswith(PORTAL):
            return _Rejoined(row.id, may_know=via.startswith("staff"))
        if session.get(tables.PortalGrant, (row.id, key)) is not None:
            return _Rejoined(row.id, may_know=True)
        self._ask_for_grant(session, row, application.email, key, now)
        return _Rejoined(row.id, may_know=False)

    def _join(self, session: Transaction, application: Application, via: str, now: datetime) -> ParticipantView | None:
        """Join, decide and add the mail about it in this transaction; None where the address has joined already."""
        verdict = self._campaign.eligibility.decide(application.applicant())
        reasons = [reason.get(application.language) for reason in verdict.reasons]
        row = tables.Participant(
            id=new_id("par"),
            **application.as_json(),
            status=STATUS_OF[verdict.outcome],
            outcome=verdict.outcome,
            rule=verdict.rule,
            reasons=reasons,
            policy=self._campaign.digest,
            joined_via=via,
            salt=ledger.new_salt(),
            created_at=now,
            decided_at=now,
        )
        columns = {column.key: getattr(row, column.key) for column in tables.Participant.__table__.columns}
        if find_by_email(session, application.email) is not None:
            return None
        if not insert_new(session, tables.Participant, **columns):
            return None
        if not add_first(session, row, now):  # somebody's colleague since we looked
            raise AlreadyJoined("This address is being invited at this moment. Send the same request again.")
        search.remember(session, row.id)
        session.add(
            tables.Decision(
                participant=row.id,
                outcome=row.outcome,
                rule=row.rule,
                reasons=reasons,
                policy=row.policy,
                by=BY_RULE,
                at=now,
            )
        )
        if via.startswith(PORTAL):
            session.add(tables.PortalGrant(participant=row.id, key=via.removeprefix(PORTAL), granted_at=now))
        assert row.salt is not None
        ledger.append(
            session,
            ledger.ParticipantJoinedEntry(
                participant=row.id,
                participant_kind=row.kind,
                country=row.country,
                commitment=ledger.commitment(row.salt, joined_record(row)),
            ),
            now,
        )
        ledger.append(
            session,
            ledger.ParticipantDecidedEntry(
                participant=row.id, outcome=row.outcome, rule=row.rule, policy=row.policy, by=BY_RULE
            ),
            now,
        )
        if row.status == "under_review" and self._held is not None:
            self._held(session, row, via, now)
        self._correspondence.add_decision(session, row.email, row.language, row.outcome, reasons)
        return ParticipantView.of(row)

    def _ask_for_grant(
        self, session: Transaction, row: tables.Participant, email: str, key: str, now: datetime
    ) -> None:
        """Mail the owner a link by which they may let this portal act, unless one was mailed lately."""
        portal = session.get(tables.ApiKey, key)
        if portal is None:
            return
        recent = session.scalars(
            select(tables.MailedLink).where(
                tables.MailedLink.email == email,
                tables.MailedLink.purpose == "grant",
                tables.MailedLink.created_at > now - _GRANT_PAUSE,
            )
        )
        if any(link.payload.get("portal") == key for link in recent):
            return
        payload = {"language": row.language, "portal": key}
        secret = mailed_links.add(session, "grant", email, payload, now, GRANT_LIFE)
        if row.email:
            self._correspondence.add_grant(session, row.email, row.language, secret, portal.name or key)
