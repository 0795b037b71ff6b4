"""Decisions by staff: approving, declining, suspending; approving also lifts a suspension."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session as Transaction

from .. import ledger
from ..campaign import Campaign
from ..clock import Clock
from ..problems import Conflict, FieldError, InvalidRequest
from ..store import Database, tables
from .application import check_reason
from .correspondence import Correspondence
from .rows import locked
from .views import BY_STAFF, DecisionView, ParticipantView

OUTCOMES = ("approved", "declined", "suspended")


class Decisions:
    """Records what staff decide; each decision is a row and an entry of the ledger."""

    def __init__(self, database: Database, campaign: Campaign, clock: Clock, correspondence: Correspondence) -> None:
        self._database = database
        self._campaign = campaign
        self._clock = clock
        self._correspondence = correspondence

    def decide(self, participant: str, outcome: str, *, reason: str, by: str) -> ParticipantView:
        """Approve, decline or suspend, and mail the participant; in force at once.

        ``by`` says who decides, without personal data. A suspension leaves the decision before it as it is.
        Raises InvalidRequest, NotFound, or Conflict for one that is erased.
        """
        if outcome not in OUTCOMES:
            raise InvalidRequest(errors=[FieldError("/outcome", f"Choose one of {', '.join(OUTCOMES)}.")])
        checked = check_reason(reason)

        def work(session: Transaction) -> ParticipantView:
            now = self._clock()
            row = locked(session, participant)
            if row.status == "erased":
                raise Conflict("This participant is erased, so there is nothing left to decide.")
            row.status = outcome
            if outcome == "suspended":
                row.suspended_reason = checked
            else:
                row.suspended_reason = None
                row.outcome, row.rule, row.reasons = outcome, BY_STAFF, [checked]
                row.policy, row.decided_at, row.decided_by = self._campaign.digest, now, by
            facts = {"outcome": outcome, "rule": BY_STAFF, "policy": self._campaign.digest, "by": by}
            session.add(tables.Decision(participant=row.id, reasons=[checked], at=now, **facts))
            ledger.append(session, ledger.ParticipantDecidedEntry(participant=row.id, **facts), now)
            return ParticipantView.of(row)

        decided = self._database.write(work)
        self._correspondence.decision(decided.email, decided.language, outcome, (checked,))
        return decided

    def of(self, participant: str) -> tuple[DecisionView, ...]:
        """Return all decisions on a participant, newest first."""
        with self._database.read() as session:
            rows = session.scalars(
                select(tables.Decision)
                .where(tables.Decision.participant == participant)
                .order_by(tables.Decision.at.desc(), tables.Decision.id.desc())
            )
            return tuple(DecisionView.of(row) for row in rows)
