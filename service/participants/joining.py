"""Joining: by a portal or by staff, who vouch for the address, or by the public page, which confirms it first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session as Transaction

from .. import ledger
from ..ids import new_id
from ..problems import AlreadyJoined
from ..store import tables
from ..store.upsert import insert_new
from .application import Application, check
from .office import Office, add_mailed_link
from .views import STATUS_OF, Participant, joined_record

PORTAL = "portal:"
GRANT_LIFE = timedelta(days=7)
JOIN_LIFE = timedelta(hours=24)
SIGN_IN_LIFE = timedelta(minutes=30)
_GRANT_PAUSE = timedelta(hours=1)  # between two mails about one portal to one address


@dataclass(frozen=True)
class _Known:
    """Somebody who had joined already; ``grant`` is the secret of a link to be mailed."""

    participant: Participant
    may_know: bool
    grant: str | None = None
    portal: str = ""


class Joining(Office):
    """Takes applications and decides them by the campaign's rules."""

    def join(self, application: Application, *, via: str) -> Participant:
        """Joins somebody whose address the caller vouches for, and decides by rule.

        ``via`` is who acts: ``portal:<key id>``, ``staff…`` or another actor without personal data. Raises
        InvalidRequest with every mistake, or AlreadyJoined: with the participant's id for staff and for a
        portal that may act for it. For another portal the owner is mailed a page to allow it, once an hour.
        """
        checked = check(application, self._campaign)
        outcome = self._database.write(lambda session: self._join_or_known(session, checked, via))
        if isinstance(outcome, Participant):
            self._mail_decision(outcome.email, outcome.language, outcome.outcome, outcome.reasons)
            return outcome
        known = outcome.participant
        if outcome.grant and known.email:
            url = self._page(known.language, "grant", outcome.grant)
            self._mail(known.email, self._letters.grant(known.language, url, outcome.portal))
        raise AlreadyJoined(extra={"participant": known.id} if outcome.may_know else None)

    def apply(self, application: Application) -> None:
        """Takes an application of the public page, and mails its address a link that confirms it.

        An address that has joined already is mailed a link to sign in instead; nothing seen from outside
        tells the two apart. Raises InvalidRequest with every mistake.
        """
        checked = check(application, self._campaign)

        def work(session: Transaction) -> tuple[bool, str]:
            now = self._clock()
            known = find_by_email(session, checked.email) is not None
            purpose, life = ("sign-in", SIGN_IN_LIFE) if known else ("join", JOIN_LIFE)
            payload = {"language": checked.language} if known else checked.as_json()
            return known, add_mailed_link(session, purpose, checked.email, payload, now, life)

        known, secret = self._database.write(work)
        if known:
            url = self._page(checked.language, "sign-in", secret)
            letter = self._letters.already_joined(checked.language, url, SIGN_IN_LIFE // timedelta(minutes=1))
        else:
            letter = self._letters.confirm_joining(checked.language, self._page(checked.language, "join", secret))
        self._mail(checked.email, letter)

    def _join_or_known(self, session: Transaction, application: Application, via: str) -> Participant | _Known:
        now = self._clock()
        joined = self._join(session, application, via, now)
        if joined is not None:
            return joined
        row = find_by_email(session, application.email)
        if row is None:  # erased between our insert and this read: the next attempt joins
            raise AlreadyJoined("This address is being erased at this moment. Send the same request again.")
        known = Participant.of(row)
        key = via.removeprefix(PORTAL)
        if not via.startswith(PORTAL):
            return _Known(known, may_know=via.startswith("staff"))
        if session.get(tables.PortalGrant, (known.id, key)) is not None:
            return _Known(known, may_know=True)
        return _Known(known, False, *self._ask_for_grant(session, application.email, key, known.language, now))

    def _join(self, session: Transaction, application: Application, via: str, now: datetime) -> Participant | None:
        """Joins and decides in this transaction; None where the address has joined already."""
        verdict = self._campaign.eligibility.decide(application.asked())
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
        if not insert_new(session, tables.Participant, **columns):
            return None
        session.add(
            tables.Decision(
                participant=row.id,
                outcome=row.outcome,
                rule=row.rule,
                reasons=reasons,
                policy=row.policy,
                by="policy",
                at=now,
            )
        )
        if via.startswith(PORTAL):
            session.add(tables.PortalGrant(participant=row.id, key=via.removeprefix(PORTAL), granted_at=now))
        assert row.salt is not None
        ledger.append(
            session,
            "participant.joined",
            now,
            participant=row.id,
            participant_kind=row.kind,
            country=row.country,
            commitment=ledger.commitment(row.salt, joined_record(row)),
        )
        ledger.append(
            session,
            "participant.decided",
            now,
            participant=row.id,
            outcome=row.outcome,
            rule=row.rule,
            policy=row.policy,
            by="policy",
        )
        return Participant.of(row)

    def _ask_for_grant(
        self, session: Transaction, email: str, key: str, language: str, now: datetime
    ) -> tuple[str | None, str]:
        """The secret of a link by which the owner may let this portal act, unless one was mailed lately."""
        portal = session.get(tables.ApiKey, key)
        if portal is None:
            return None, ""
        recent = session.scalars(
            select(tables.MailedLink).where(
                tables.MailedLink.email == email,
                tables.MailedLink.purpose == "grant",
                tables.MailedLink.created_at > now - _GRANT_PAUSE,
            )
        )
        if any(link.payload.get("portal") == key for link in recent):
            return None, ""
        payload = {"language": language, "portal": key}
        return add_mailed_link(session, "grant", email, payload, now, GRANT_LIFE), portal.name or key


def find_by_email(session: Transaction, email: str) -> tables.Participant | None:
    """The row of the participant with this address (in lower case), or None.

    Locked against an erasure until the transaction ends: nothing about an address is written behind one.
    """
    statement = select(tables.Participant).where(tables.Participant.email == email)
    return session.scalar(statement.with_for_update(read=True))
