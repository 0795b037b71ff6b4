"""Conversation of staff and the applicant in a case: questions, answers, notes; who has it; and withdrawing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from .. import ledger
from ..campaign import Campaign, Text, typed_text
from ..clock import Clock
from ..participants.decisions import Ruling, record
from ..participants.staff import Staff, staff_id
from ..problems import FieldError, InvalidRequest
from ..store import Database, tables
from ..store.desk_tables import Case, CaseFile
from .letters import DeskMail
from .reading import seen
from .rows import Expected, add_message, advance, locked, no_case
from .states import CaseAction, State
from .views import CaseView, MessageView

WITHDRAWN = "withdrawn"  # the rule of a decision that an applicant made by taking its application back
_WITHDRAWN_REASON = Text.of(
    "The application was withdrawn by whoever made it.",
    ar="سحب الطلبَ مَن قدّمه.",
    es="La solicitud fue retirada por quien la presentó.",
    fr="La demande a été retirée par la personne qui l’a présentée.",
    ru="Заявка отозвана тем, кто её подал.",
    zh="申请已由申请人撤回。",
)


@dataclass(frozen=True)
class Wish:
    """Changes that an applicant asks for, as they were sent; None leaves what is there.

    ``answers`` are a mapping of those that differ, ``purposes`` a list of all.
    """

    answers: object = None
    purposes: object = None


class Conversation:
    """Messages, assignment and withdrawal of cases."""

    def __init__(self, database: Database, campaign: Campaign, clock: Clock, mail: DeskMail, staff: Staff) -> None:
        self._database = database
        self._campaign = campaign
        self._clock = clock
        self._mail = mail
        self._staff = staff

    def write(
        self,
        case: str,
        text: object,
        *,
        by: str,
        visible: bool = True,
        back: bool = False,
        files: Sequence[str] = (),
        expected: Expected = None,
    ) -> MessageView:
        """Write as staff: a note (not ``visible``), a message, or with ``back`` a question that returns the case.

        Raises InvalidRequest, NotFound, CaseDecided, or ChangedMeanwhile.
        """
        errors: list[FieldError] = []
        said = typed_text.read(text, "/text", errors, longest=typed_text.LONGEST_TEXT, lines=True)
        if back and not visible:
            errors.append(FieldError("/visible", "A question to the applicant has to be visible: leave this out."))
        if errors:
            raise InvalidRequest(errors=errors)

        def work(session: Session) -> MessageView:
            now = self._clock()
            row, person = locked(session, case)
            if back and (person is None or row.kind == "misuse"):
                detail = "Nobody applied here, so there is nobody to ask back. Write a note, or decide."
                raise InvalidRequest(detail, errors=[FieldError("/return", detail)])
            shown = visible and row.kind != "misuse"  # where only what a letter says is for others
            self._attach(session, row, files, visible=shown, staff=True)
            if back:
                assert person is not None
                self._return(session, row, person, said, by, now, expected)
            else:
                advance(session, row, CaseAction.NOTE, by, now, expected)
                if shown and person is not None:
                    self._mail.message(session, row, person, said)
            return MessageView.of(add_message(session, row, said, by=by, visible=shown, files=files, now=now))

        made = self._database.write(work)
        self._mail.leave()
        return made

    def answer(
        self,
        case: str,
        text: object,
        *,
        by: str,
        wish: Wish | None = None,
        files: Sequence[str] = (),
        expected: Expected = None,
    ) -> MessageView:
        """Write as the applicant: the case is open again, and what is asked for otherwise stands among its changes.

        An approval by a first person counts no more. Who has a case that was asked back hears of the answer at once.
        Raises InvalidRequest, NotFound, CaseDecided or ChangedMeanwhile.
        """
        errors: list[FieldError] = []
        said = typed_text.read(text, "/text", errors, longest=typed_text.LONGEST_TEXT, lines=True)

        def work(session: Session) -> MessageView:
            now = self._clock()
            row, person = locked(session, case)
            if person is None or row.kind == "misuse":
                raise no_case()
            came_back = row.status == State.RETURNED
            advance(session, row, CaseAction.ANSWER, by, now, expected)
            self._change(row, person, wish or Wish(), list(errors))
            self._attach(session, row, files, visible=True, staff=False)
            row.first_by = None
            if came_back:
                self._run_on(row, now)
                if row.kind == "joining" and person.status == "returned":
                    person.status = "under_review"
                self._mail.answered(session, row, person, self._staff.member(session, row.assignee or ""))
            return MessageView.of(add_message(session, row, said, by=by, visible=True, files=files, now=now))

        made = self._database.write(work)
        self._mail.leave()
        return made

    def assign(self, case: str, assignee: str | None, *, by: str, expected: Expected = None) -> CaseView:
        """Give a case to a person of the desk, or to nobody; who is given it by somebody else is mailed at once.

        Raises NotFound, InvalidRequest for one who is not staff now, CaseDecided or ChangedMeanwhile.
        """

        def work(session: Session) -> CaseView:
            row, person = locked(session, case)
            member = None if assignee is None else self._staff.member(session, assignee)
            if assignee is not None and member is None:
                detail = "Nobody of the staff has this id now; `emblem staff list` shows all. Send null for nobody."
                raise InvalidRequest(detail, errors=[FieldError("/assignee", detail)])
            advance(session, row, CaseAction.ASSIGN, by, self._clock(), expected)
            if member is not None and assignee not in (row.assignee, staff_id(by)):
                giver = self._staff.member(session, staff_id(by) or "")
                self._mail.assigned(session, row, person, member, giver.label if giver is not None else by)
            row.assignee = assignee
            return seen(session, row, staff=True)

        given = self._database.write(work)
        self._mail.leave()
        return given

    def withdraw(self, case: str, *, by: str, expected: Expected = None) -> CaseView:
        """Close a case whose applicant wants it no more; an application is declined by that, and may be made anew.

        Raises NotFound, CaseDecided or ChangedMeanwhile.
        """

        def work(session: Session) -> CaseView:
            now = self._clock()
            row, person = locked(session, case)
            if person is None or row.kind == "misuse":
                raise no_case()
            advance(session, row, CaseAction.WITHDRAW, by, now, expected)
            row.first_by, row.returned_at = None, None
            if row.kind == "joining" and person.status in ("under_review", "returned"):
                policy, why = self._campaign.digest, [_WITHDRAWN_REASON.get(person.language)]
                record(session, person, Ruling("declined", why, WITHDRAWN, policy, by), now)
            entry = ledger.CaseDecidedEntry(
                case=row.id, case_kind=row.kind, participant=row.participant, outcome=WITHDRAWN, by=by
            )
            ledger.append(session, entry, now)
            return seen(session, row, staff=False)

        return self._database.write(work)

    def _return(
        self,
        session: Session,
        row: Case,
        person: tables.Participant,
        text: str,
        by: str,
        now: datetime,
        expected: Expected,
    ) -> None:
        advance(session, row, CaseAction.RETURN, by, now, expected)
        if row.returned_at is None:
            row.returned_at = now
        if row.kind == "joining" and person.status == "under_review":
            person.status = "returned"
        entry = ledger.CaseReturnedEntry(case=row.id, case_kind=row.kind, participant=row.participant, by=by)
        ledger.append(session, entry, now)
        self._mail.returned(session, row, person, text)

    def _run_on(self, row: Case, now: datetime) -> None:
        """Let the clock go on: as many working days are left as when the case was returned, and at least one."""
        clock = self._campaign.desk.clock
        if row.returned_at is not None:
            row.due_at = clock.after(now, max(1, clock.left(row.returned_at, row.due_at)))
        row.returned_at = row.overdue_told_at = None

    def _change(self, row: Case, person: tables.Participant, wish: Wish, errors: list[FieldError]) -> None:
        """Take over what is asked for otherwise; raises InvalidRequest for what cannot be."""
        if wish.answers is not None or wish.purposes is not None:
            row.purposes, row.answers = merged(self._campaign, person, row.purposes, row.answers or {}, wish, errors)
        if errors:
            raise InvalidRequest(errors=errors)

    def _attach(self, session: Session, row: Case, files: Sequence[str], *, visible: bool, staff: bool) -> None:
        """Check that the files are the case's, and show them to the applicant with a visible message."""
        if not files:
            return
        statement = select(CaseFile).where(CaseFile.case == row.id, CaseFile.dropped_at.is_(None))
        known = {one.id: one for one in session.scalars(statement) if staff or one.visible}
        errors = [
            FieldError(f"/files/{index}", "This case has no file of this id. Send the file to the case first.")
            for index, name in enumerate(files)
            if name not in known
        ]
        if errors:
            raise InvalidRequest(errors=errors)
        if visible:
            for name in files:
                known[name].visible = True


def merged(
    campaign: Campaign,
    person: tables.Participant,
    purposes: Sequence[str],
    answers: Mapping[str, Any],
    wish: Wish,
    errors: list[FieldError],
) -> tuple[list[str], dict[str, Any]]:
    """Return the purposes and all answers with a wish in them, checked as an application is; mistakes are noted."""
    given: object = answers if wish.answers is None else wish.answers
    if isinstance(given, Mapping):
        given = {**answers, **given}
    wanted = list(purposes) if wish.purposes is None else wish.purposes
    applicant = campaign.eligibility.read(person.kind, person.country, given, wanted, errors)
    return list(applicant.purposes), dict(applicant.answers)
