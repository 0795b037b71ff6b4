"""Erase a participant: what is known of the person goes, in every room; figures, ids and the log stay."""

from __future__ import annotations

from datetime import datetime
from itertools import chain

from sqlalchemy import select
from sqlalchemy.orm import Session as Transaction

from .. import ledger
from ..alerts.forgetting import forget_alerts
from ..campaign import Campaign
from ..certificates.forgetting import blank_certificates
from ..clock import Clock
from ..desk.forgetting import forget_cases
from ..embeds.forgetting import end_embeds, forget_sites
from ..links.forgetting import end_links, forget_clients
from ..mail import Mailer
from ..participants import ApiKeys, forgetting, search
from ..participants.application import check_reason
from ..participants.members import addresses, forget_members, names
from ..participants.rows import locked
from ..participants.views import BY_STAFF
from ..store import Database, outbox, tables
from ..store.desk_tables import Case
from ..store.idempotency import forget_answers
from ..verdicts.forgetting import forget_checks

_PARTS = (
    "links",
    "embeds",
    "keys",
    "sessions",
    "members",
    "mailed_links",
    "acceptances",
    "downloads",
    "artwork_checks",
    "certificates",
    "cases",
    "answers",
)

_TELLING = 5  # characters: a mail that holds a shorter name may be about anybody


class Erasure:
    """Erases participants: each room forgets its own rows, all in one transaction."""

    def __init__(self, database: Database, campaign: Campaign, clock: Clock, mailer: Mailer, api_keys: ApiKeys) -> None:
        self._database = database
        self._campaign = campaign
        self._clock = clock
        self._mailer = mailer
        self._api_keys = api_keys

    def erase(self, participant: str, *, reason: str, by: str) -> dict[str, int]:
        """Erase what is known of a participant and end its links, embeds, keys and sessions.

        Return how many of each were ended or removed; all are 0 for one that is erased already. The reason
        is kept with the decisions unless it repeats what is erased. Raise InvalidRequest or NotFound.
        """
        checked = check_reason(reason)

        mailboxes: list[str] = []
        known: list[str] = []
        staff: list[str] = []

        def work(session: Transaction) -> dict[str, int]:
            row = locked(session, participant)
            if row.status == "erased":
                return dict.fromkeys(_PARTS, 0)
            mailboxes[:], known[:], staff[:] = _mailboxes(session, row), _known(session, row), _staff(session)
            now = self._clock()
            removed = self._forget(session, row, checked, by, now)
            ledger.append(session, ledger.ParticipantErasedEntry(participant=row.id, by=by), now)
            return removed

        removed = self._database.write(work)
        self._api_keys.forget()
        mails = sum(map(self._mailer.forget, mailboxes)) + self._mailer.forget_mentions(known, staff)
        self._database.scrub()
        return {**removed, "mails": mails}

    def repeat(self, session: Transaction, participant: str, *, by: str, at: datetime) -> bool:
        """Erase in this transaction a participant whose erasure is in the log already; False where nothing is left.

        For a database that was put back from before. Mails that wait for the participant are dropped with it.
        """
        row = session.get(tables.Participant, participant)
        if row is None or row.status == "erased":
            return False
        for mailbox in _mailboxes(session, row):
            outbox.forget(session, "mail", mailbox)
        self._forget(session, row, "", by, at)
        return True

    def _forget(
        self, session: Transaction, row: tables.Participant, reason: str, by: str, now: datetime
    ) -> dict[str, int]:
        people = [*_mailboxes(session, row), *names(session, row.id)]
        sites = forget_sites(session, row.id)
        cases = list(session.scalars(select(Case.id).where(Case.participant == row.id)))
        forget_alerts(session, row.id, sites)
        outbox.forget_mentions(session, [*_known(session, row), *sites], _staff(session))
        kept = [reason] if reason and not forgetting.repeats(reason, row, people) else []
        removed = {
            "links": end_links(session, row.id, now, by),
            "embeds": end_embeds(session, row.id, now, by),
            "keys": forgetting.end_keys(session, row.id, now, by),
            "sessions": forgetting.end_sessions(session, row),
            "mailed_links": forgetting.drop_mailed_links(session, row),
            "members": forget_members(session, row.id, now),
            "acceptances": forgetting.blank_acceptances(session, row.id),
            "downloads": forget_clients(session, row.id),
            "artwork_checks": forget_checks(session, row.id),
            "certificates": blank_certificates(session, row.id),
            "cases": forget_cases(session, row.id, now, by),
            "answers": forget_answers(session, [value for value in (row.id, row.name, *people) if value], cases),
        }
        forgetting.blank_decisions(session, row.id)
        forgetting.blank(row, now)
        search.forget(session, row.id)
        session.add(
            tables.Decision(
                participant=row.id,
                outcome="erased",
                rule=BY_STAFF,
                reasons=kept,
                policy=self._campaign.digest,
                by=by,
                at=now,
            )
        )
        return removed


def _staff(session: Transaction) -> list[str]:
    """Return the addresses of the staff, to whom mails about others go."""
    return list(session.scalars(select(tables.StaffMember.email)))


def _known(session: Transaction, row: tables.Participant) -> list[str]:
    """Return what names a participant or somebody of it and is no short word, with the sites of its embeds."""
    mine = tables.Embed.participant == row.id
    listed = session.scalars(select(tables.Embed.origins).where(mine))
    seen = session.scalars(select(tables.LogoUse.origin).join(tables.Embed).where(mine).distinct())
    said = [
        row.name,
        row.email,
        row.website,
        *addresses(session, row.id),
        *names(session, row.id),
        *chain(*listed),
        *seen,
    ]
    return [text for text in dict.fromkeys(said) if text and len(text) >= _TELLING]


def _mailboxes(session: Transaction, row: tables.Participant) -> list[str]:
    """Return the addresses of a participant and of everybody who belongs to it."""
    return list(dict.fromkeys([*([row.email] if row.email else []), *addresses(session, row.id)]))
