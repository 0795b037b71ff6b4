"""Requests of participants: anew after a refusal or suspension, for another purpose or plan, or for a renewal.

They are decided by the same rules as joining, so many are decided at once; what a rule leaves to people is a case.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..campaign import Applicant, Campaign, typed_text
from ..clock import Clock
from ..participants.decisions import Ruling, record
from ..participants.rows import locked
from ..participants.views import BY_RULE
from ..problems import Conflict, FieldError, InvalidRequest
from ..store import Database, tables
from ..store.desk_tables import Case
from .conversation import Wish, merged
from .deciding import CaseDecision, settle_case
from .letters import DeskMail
from .reading import seen
from .rows import OPEN, Openings, add_message, advance, asks_to_lift, require_none_open
from .states import CaseAction
from .views import CaseView

KINDS = ("joining", "change", "renewal")
#: What a participant can ask for, by its status.
_ALLOWED = {
    "approved": ("change", "renewal"),
    "lapsed": ("renewal",),
    "declined": ("joining",),
    "suspended": ("joining",),  # that the suspension be lifted, which a person decides
}
_ADOPTED = 100  # applications that a turn opens cases for


class Requests:
    """Takes what participants ask for."""

    def __init__(
        self, database: Database, campaign: Campaign, clock: Clock, mail: DeskMail, openings: Openings
    ) -> None:
        self._database = database
        self._campaign = campaign
        self._clock = clock
        self._mail = mail
        self._openings = openings

    @staticmethod
    def allowed(status: str) -> Sequence[str]:
        """Return what a participant of this status can ask for."""
        return _ALLOWED.get(status, ())

    def ask(
        self, participant: str, kind: object, *, by: str, wish: Wish | None = None, message: object = None
    ) -> CaseView:
        """Ask for something; the case that is made, decided already where a rule decides.

        Raises InvalidRequest, NotFound, CaseOpen where a case is open, and Conflict where this cannot be asked for.
        """
        errors: list[FieldError] = []
        if kind not in KINDS:
            errors.append(FieldError("/kind", f"Choose one of {', '.join(KINDS)}."))
        said = ""
        if message is not None:
            said = typed_text.read(message, "/message", errors, longest=typed_text.LONGEST_TEXT, lines=True)
        asked = wish or Wish()

        def work(session: Session) -> CaseView:
            mistakes = list(errors)
            now = self._clock()
            person = locked(session, participant)
            if person.status == "erased":
                raise Conflict("This participant is erased, so it can ask for nothing. Its address may join anew.")
            require_none_open(session, participant)
            purposes, answers = merged(self._campaign, person, person.purposes, person.answers or {}, asked, mistakes)
            if not mistakes:
                mistakes += self._empty(str(kind), person, purposes, answers)
            if mistakes:
                raise InvalidRequest(errors=mistakes)
            self._require_allowed(str(kind), person.status)
            case = self._openings.open(
                session,
                kind,  # type: ignore[arg-type]  # one of KINDS, or there was a mistake
                person,
                purposes=purposes,
                answers=answers,
                by=by,
                now=now,
            )
            if said:
                add_message(session, case, said, by=by, visible=True, files=(), now=now)
            self._decide_by_rule(session, case, person)
            return seen(session, case, staff=False)

        made = self._database.write(work)
        self._mail.leave()
        return made

    def adopt(self) -> int:
        """Open the case of every application that waits without one, as those from before there were cases."""
        person = tables.Participant
        has_one = select(Case.id).where(Case.participant == person.id, Case.kind == "joining", Case.status.in_(OPEN))
        waiting = select(person.id).where(person.status == "under_review", ~has_one.exists()).limit(_ADOPTED)
        with self._database.read() as session:
            found = list(session.scalars(waiting))

        def open_one(session: Session, participant: str) -> bool:
            row = locked(session, participant)
            if row.status != "under_review" or session.scalar(has_one.where(Case.participant == row.id)):
                return False
            self._openings.joining(session, row, BY_RULE, self._clock())
            return True

        return sum(
            self._database.write(lambda session, participant=participant: open_one(session, participant))  # type: ignore[misc]
            for participant in found
        )

    def _empty(
        self, kind: str, person: tables.Participant, purposes: Sequence[str], answers: dict[str, Any]
    ) -> list[FieldError]:
        """Return the mistake of a change that changes nothing."""
        same = sorted(purposes) == sorted(person.purposes) and answers == (person.answers or {})
        if kind != "change" or not same:
            return []
        detail = "This is what is on file already. Say in purposes or answers what is to be otherwise."
        return [FieldError("", detail)]

    def _require_allowed(self, kind: str, status: str) -> None:
        if kind in self.allowed(status):
            return
        can = self.allowed(status)
        rest = f"It can ask for: {', '.join(can)}." if can else "It can ask for nothing until that is otherwise."
        raise Conflict(f"The participant is {status.replace('_', ' ')}, and so cannot ask for this. {rest}")

    def _decide_by_rule(self, session: Session, case: Case, person: tables.Participant) -> None:
        """Decide the case where a rule of the campaign does; else hold an applicant for review.

        That a suspension be lifted is for people alone.
        """
        if asks_to_lift(case):
            return
        verdict = self._campaign.eligibility.decide(
            Applicant(person.kind, person.country, case.answers or {}, tuple(case.purposes))
        )
        now = self._clock()
        reasons = [reason.get(person.language) for reason in verdict.reasons]
        if verdict.outcome == "review":
            if case.kind == "joining":  # what is asked for becomes what is on file, as with a first application
                ruling = Ruling("review", reasons, verdict.rule, self._campaign.digest, BY_RULE)
                record(session, person, ruling, now, purposes=case.purposes, answers=case.answers)
            return
        advance(session, case, CaseAction.DECIDE, BY_RULE, now)
        decision = CaseDecision(verdict.outcome, "", BY_RULE)
        settle_case(session, self._campaign, case, person, decision, reasons, rule=verdict.rule, now=now)
        self._mail.decided(session, case, person, reasons)
