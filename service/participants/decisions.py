"""Decisions by staff: approving, declining, suspending; approving also lifts a suspension."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

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
from .views import BY_STAFF, STATUS_OF, DecisionView, ParticipantView

OUTCOMES = ("approved", "declined", "suspended")


@dataclass(frozen=True)
class Ruling:
    """Decision on a participant: what, why, by which rule (``staff`` for a person) of which policies, and by whom."""

    outcome: str
    reasons: Sequence[str] = field(repr=False)
    rule: str
    policy: str
    by: str


def record(
    session: Transaction,
    row: tables.Participant,
    ruling: Ruling,
    now: datetime,
    *,
    purposes: Sequence[str] | None = None,
    answers: Mapping[str, Any] | None = None,
) -> None:
    """Put a decision on a locked participant in force and on record, in the caller's transaction.

    ``purposes`` and ``answers`` replace what is on file, where a case decided on them; the entry names the purposes.
    A suspension leaves the decision before it as it is. Raises Conflict for one that is erased.
    """
    if row.status == "erased":
        raise Conflict("This participant is erased, so there is nothing left to decide.")
    if answers is not None:
        row.answers = dict(answers)
    facts = put_in_force(session, row, ruling, now, purposes=purposes)
    named = None if purposes is None else list(purposes)
    ledger.append(session, ledger.ParticipantDecidedEntry(participant=row.id, purposes=named, **facts), now)


def put_in_force(
    session: Transaction,
    row: tables.Participant,
    ruling: Ruling,
    now: datetime,
    *,
    purposes: Sequence[str] | None = None,
) -> dict[str, str]:
    """Put a decision in force without an entry, for one that the log has already; return what entries say of it."""
    row.status = STATUS_OF.get(ruling.outcome, ruling.outcome)
    if ruling.outcome == "suspended":
        row.suspended_reason = "\n".join(ruling.reasons)
    else:
        row.suspended_reason = None
        row.outcome, row.rule, row.reasons = ruling.outcome, ruling.rule, list(ruling.reasons)
        row.policy, row.decided_at, row.decided_by = ruling.policy, now, ruling.by
    if purposes is not None:
        row.purposes = list(purposes)
    facts = {"outcome": ruling.outcome, "rule": ruling.rule, "policy": ruling.policy, "by": ruling.by}
    session.add(tables.Decision(participant=row.id, reasons=list(ruling.reasons), at=now, **facts))
    return facts


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
            record(session, row, Ruling(outcome, (checked,), BY_STAFF, self._campaign.digest, by), now)
            self._correspondence.add_decision(session, row.email, row.language, outcome, (checked,))
            return ParticipantView.of(row)

        decided = self._database.write(work)
        self._correspondence.leave()
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
