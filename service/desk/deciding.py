"""Deciding cases: at once, by two people where the desk asks for it, or after a while in which it can be undone.

A decision is one transaction: the case, the participant, the entries and the mail, all or none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from .. import ledger
from ..campaign import Campaign
from ..clock import Clock
from ..participants import Decisions, ParticipantView
from ..participants.application import check_reason
from ..participants.decisions import Ruling, record
from ..participants.emails import Letter
from ..participants.views import BY_RULE, BY_STAFF
from ..problems import Conflict, FieldError, Forbidden, InvalidRequest, Problem
from ..store import Database, tables
from ..store.desk_tables import Case
from .letters import DeskMail
from .misuse import ANSWER_UNTIL
from .reading import seen
from .rows import Expected, advance, asks_to_lift, follows, locked, open_case_of
from .signed_links import SignedLinks
from .states import CaseAction, State
from .views import CaseView

log = structlog.get_logger()

OUTCOMES = ("approved", "declined")
MISUSE_OUTCOMES = ("upheld", "dismissed")
UNDO_FOR = timedelta(seconds=30)
_AT_ONCE = 100  # decisions of the console that a turn puts in force


@dataclass(frozen=True)
class CaseDecision:
    """Decision of a case: what, why, and by whom; ``purposes`` are those that are approved, where not all."""

    outcome: str
    reason: str
    by: str
    purposes: tuple[str, ...] | None = None


class Deciding:
    """Decides cases."""

    def __init__(
        self,
        database: Database,
        campaign: Campaign,
        clock: Clock,
        mail: DeskMail,
        decisions: Decisions,
        links: SignedLinks,
    ) -> None:
        self._database = database
        self._campaign = campaign
        self._clock = clock
        self._mail = mail
        self._decisions = decisions
        self._links = links

    def decide(
        self,
        case: str,
        outcome: object,
        *,
        reason: object,
        by: str,
        purposes: Sequence[str] | None = None,
        expected: Expected = None,
    ) -> CaseView:
        """Decide a case, in force and on record at once; where two have to approve, the first leaves it open.

        Raises InvalidRequest, NotFound, ChangedMeanwhile where somebody was quicker or the caller has not seen the
        newest version, Forbidden for the second approval by the same person, and Conflict for a participant who is
        suspended or erased.
        """
        checked = check_reason(reason)

        def work(session: Session) -> CaseView:
            row, person = locked(session, case)
            decision = self._checked(row, outcome, checked, by, purposes)
            self._decide(session, row, person, decision, expected)
            return seen(session, row, staff=True)

        decided = self._database.write(work)
        self._mail.leave()
        return decided

    def decide_participant(self, participant: str, outcome: str, *, reason: str, by: str) -> ParticipantView:
        """Approve, decline or suspend a participant; its open case is decided by that, so that none is left behind.

        Raises what ``decide`` raises, and NotFound for a participant who is not there.
        """
        with self._database.read() as session:
            case = open_case_of(session, participant)
            person = session.get(tables.Participant, participant)
            number = case.id if case is not None else None
            lifts = case is not None and asks_to_lift(case)
        suspended = person is not None and person.status == "suspended"
        if number is None or outcome not in OUTCOMES or (suspended and not lifts):
            return self._decisions.decide(participant, outcome, reason=reason, by=by)
        assert case is not None
        if (case.kind == "joining" and not lifts) or outcome == "approved":
            self.decide(number, outcome, reason=reason, by=by)
        else:  # an approved participant is declined, and with it what it asks for
            self._decisions.decide(participant, outcome, reason=reason, by=by)
            self.decide(number, outcome, reason=reason, by=by)
        with self._database.read() as session:
            return ParticipantView.of(session.get_one(tables.Participant, participant))

    def suspense(
        self,
        case: str,
        outcome: object,
        *,
        reason: object,
        by: str,
        purposes: Sequence[str] | None = None,
        expected: Expected = None,
    ) -> CaseView:
        """Decide a case in the console: for 30 seconds it can be undone, and only then it is in force.

        Raises what ``decide`` raises.
        """
        checked = check_reason(reason)

        def work(session: Session) -> CaseView:
            row, person = locked(session, case)
            decision = self._checked(row, outcome, checked, by, purposes)
            follows(session, row, CaseAction.SUSPENSE)
            self._require_possible(row, person, decision)
            before, now = row.status, self._clock()
            advance(session, row, CaseAction.SUSPENSE, by, now, expected)
            row.pending = {
                "outcome": decision.outcome,
                "reason": decision.reason,
                "by": by,
                "purposes": list(decision.purposes) if decision.purposes is not None else None,
                "before": before,
            }
            row.pending_until = now + UNDO_FOR
            return seen(session, row, staff=True)

        return self._database.write(work)

    def undo(self, case: str, *, by: str) -> CaseView:
        """Take a decision of the console back while it can be. Raises NotFound, or Conflict once it is too late."""

        def work(session: Session) -> CaseView:
            row, _ = locked(session, case)
            advance(session, row, CaseAction.UNDO, by, self._clock())
            self._resume(row)
            return seen(session, row, staff=True)

        return self._database.write(work)

    def preview(self, case: CaseView, language: str, outcome: str, text: str) -> Letter:
        """Return the mail that an outcome, or a question (``return``), with this text would send."""
        return self._mail.preview(case.kind, language, outcome, case.id, text)

    def settle(self) -> int:
        """Put in force what can no longer be undone; return how many. Every process may do it: each is done once."""
        now, done = self._clock(), 0
        due = select(Case.id).where(Case.status == State.DECIDING, Case.pending_until <= now)
        with self._database.read() as session:
            waiting = list(session.scalars(due.order_by(Case.pending_until, Case.id).limit(_AT_ONCE)))
        for case in waiting:
            try:
                done += self._database.write(lambda session, case=case: self._settle(session, case, now))  # type: ignore[misc]
            except Problem as problem:
                log.warning("a decision of the console cannot be put in force", case=case, reason=problem.detail)
                self._database.write(lambda session, case=case: self._give_back(session, case))  # type: ignore[misc]
        if done:
            self._mail.leave()
        return done

    def _settle(self, session: Session, case: str, now: datetime) -> bool:
        row, person = locked(session, case)
        if row.status != State.DECIDING or row.pending_until is None or row.pending_until > now or not row.pending:
            return False
        waits = row.pending
        self._resume(row)
        named = waits["purposes"]
        decision = CaseDecision(waits["outcome"], waits["reason"], waits["by"], None if named is None else tuple(named))
        self._decide(session, row, person, decision, None)
        return True

    def _give_back(self, session: Session, case: str) -> None:
        """Let a case whose decision cannot be put in force wait for another one."""
        row, _ = locked(session, case)
        if row.status == State.DECIDING:
            advance(session, row, CaseAction.UNDO, BY_RULE, self._clock())
            self._resume(row)

    def _resume(self, row: Case) -> None:
        """Let a case stand where it stood before the decision of the console."""
        row.status = (row.pending or {}).get("before", State.OPEN.value)
        row.pending, row.pending_until = None, None

    def _checked(
        self, row: Case, outcome: object, reason: str, by: str, purposes: Sequence[str] | None
    ) -> CaseDecision:
        """Return the decision, if it is one that this case can have. Raises InvalidRequest."""
        options = MISUSE_OUTCOMES if row.kind == "misuse" else OUTCOMES
        errors = []
        if not isinstance(outcome, str) or outcome not in options:
            errors.append(FieldError("/outcome", f"Choose one of {', '.join(options)}."))
        known = self._campaign.eligibility.purposes
        if purposes is not None:
            if row.kind == "misuse" or outcome != "approved":
                errors.append(FieldError("/purposes", "Purposes go with an approval alone: leave them out."))
            elif not purposes:
                errors.append(FieldError("/purposes", "Name at least one purpose, or decline."))
            for index, name in enumerate(purposes):
                if name not in known:
                    errors.append(FieldError(f"/purposes/{index}", f"Choose one of {', '.join(known)}."))
                elif name in purposes[:index]:
                    errors.append(FieldError(f"/purposes/{index}", "Name each purpose once."))
        if errors:
            raise InvalidRequest(errors=errors)
        return CaseDecision(str(outcome), reason, by, tuple(purposes) if purposes is not None else None)

    def _require_possible(self, row: Case, person: tables.Participant | None, decision: CaseDecision) -> None:
        """Raise Forbidden or Conflict for what this person cannot decide, or not now."""
        if person is not None and row.kind != "misuse":
            if person.status == "erased":
                raise Conflict("This participant is erased, so there is nothing left to decide.")
            if person.status == "suspended" and decision.outcome == "approved" and not asks_to_lift(row):
                raise Conflict("This participant is suspended. Lift the suspension first, or decline.")
        if row.first_by is not None and row.first_by == decision.by and decision.outcome == "approved":
            raise Forbidden("You approved this case already. It needs a second person.")

    def _decide(
        self,
        session: Session,
        row: Case,
        person: tables.Participant | None,
        decision: CaseDecision,
        expected: Expected,
    ) -> None:
        """Decide a locked case, in the caller's transaction."""
        now = self._clock()
        follows(session, row, CaseAction.DECIDE)  # whoever comes too late hears that first
        self._require_possible(row, person, decision)
        purposes = decision.purposes or tuple(row.purposes)
        kind = person.kind if person is not None else None
        second = self._campaign.desk.needs_two(row.kind, kind, purposes)
        if decision.outcome == "approved" and second and row.first_by is None:
            advance(session, row, CaseAction.APPROVE_FIRST, decision.by, now, expected)
            row.first_by, row.returned_at = decision.by, None
            if person is not None and row.kind == "joining" and person.status == "returned":
                person.status = "under_review"
            return
        advance(session, row, CaseAction.DECIDE, decision.by, now, expected)
        settle_case(session, self._campaign, row, person, decision, [decision.reason], rule=BY_STAFF, now=now)
        if row.kind == "misuse":
            told = row.report or {}
            if told.get("email"):
                self._mail.misuse_decided(session, row, told["email"], told.get("language", "en"), decision.reason)
            if person is not None and ANSWER_UNTIL in told:
                self._mail.misuse_settled(session, row, person, self._links.letter(row.id, person.id))
        elif person is not None:
            self._mail.decided(session, row, person, [decision.reason])


def settle_case(
    session: Session,
    campaign: Campaign,
    row: Case,
    person: tables.Participant | None,
    decision: CaseDecision,
    reasons: Sequence[str],
    *,
    rule: str,
    now: datetime,
) -> None:
    """Write what a decision on a case changes: the case, its participant, and the entries of both.

    An approval puts what is asked for in force. What is declined changes an applicant who is not approved, and nothing
    of one who is, or who asked that a suspension be lifted.
    """
    row.outcome, row.reason = decision.outcome, "\n\n".join(reasons)
    row.decided_by, row.decided_at = decision.by, now
    row.returned_at = None
    if decision.purposes is not None:
        row.purposes = list(decision.purposes)
    entry = ledger.CaseDecidedEntry(
        case=row.id, case_kind=row.kind, participant=row.participant, outcome=decision.outcome, by=decision.by
    )
    ledger.append(session, entry, now)
    if person is None or row.kind == "misuse":
        return
    ruling = Ruling(decision.outcome, reasons, rule, campaign.digest, decision.by)
    if decision.outcome == "approved":
        record(session, person, ruling, now, purposes=row.purposes, answers=row.answers)
    elif row.kind == "joining" and not asks_to_lift(row):
        record(session, person, ruling, now)
