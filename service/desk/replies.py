"""Answers to letters about misuse: whoever was written to answers in the case, by the link of the letter alone.

The link is good for the participant that the letter was sent to, for as long as the case is about it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..campaign import typed_text
from ..campaign.desk import DeskPolicy
from ..campaign.text import msgid
from ..clock import Clock
from ..participants import Staff
from ..problems import FieldError, InvalidRequest, NotFound
from ..store import Database
from ..store.desk_tables import Case, CaseMessage
from .letters import DeskMail
from .misuse import ANSWER_UNTIL
from .rows import add_message, advance, locked
from .signed_links import SignedLinks
from .states import CaseAction, Status, allowed, shown
from .views import CaseView, MessageView

BY_LETTER = "letter"  # who wrote what came by such a link
_MOST_REPLIES = 20  # to the letters of a case, so that a link that got about fills none
_ENOUGH = msgid("You have answered %(count)s times: that is read first.")


@dataclass(frozen=True)
class LetterView:
    """A letter about misuse as its reader sees it: where, what was written, until when, and what became of it."""

    case: str
    url: str
    status: Status
    until: datetime | None
    messages: tuple[MessageView, ...]
    outcome: str | None
    decided_at: datetime | None
    can_answer: bool


class Replies:
    """Shows letters to those who got them, and takes their answers."""

    def __init__(
        self, database: Database, policy: DeskPolicy, clock: Clock, mail: DeskMail, staff: Staff, links: SignedLinks
    ) -> None:
        self._database = database
        self._policy = policy
        self._clock = clock
        self._mail = mail
        self._staff = staff
        self._links = links

    def read(self, token: str) -> LetterView:
        """Return what a letter tells of. Raises NotFound for a link that is not ours, or is good no more."""
        case, participant = self._links.addressee(token)
        with self._database.read() as session:
            row = session.get(Case, case)
            messages = _messages(session, _addressed(row, participant))
            assert row is not None
            told = row.report or {}
            return LetterView(
                case=row.id,
                url=told["url"],
                status=shown(row.status),
                until=_until(told),
                messages=messages,
                outcome=row.outcome,
                decided_at=row.decided_at,
                can_answer=CaseAction.REPLY in allowed(row.status),
            )

    def answer(self, token: str, text: object) -> MessageView:
        """Answer a letter; the case is due as soon as a report is, for staff have to read it. Who has it is mailed.

        Raises NotFound as ``read`` does, InvalidRequest for a text that is none or after many answers, and CaseDecided.
        """
        case, participant = self._links.addressee(token)
        errors: list[FieldError] = []
        said = typed_text.read(text, "/text", errors, longest=typed_text.LONGEST_TEXT, lines=True)

        def work(session: Session) -> MessageView:
            row, person = locked(session, case)
            seen = _messages(session, _addressed(row, participant))
            now = self._clock()
            advance(session, row, CaseAction.REPLY, BY_LETTER, now)
            mistakes = list(errors)
            if sum(one.by == BY_LETTER for one in seen) >= _MOST_REPLIES:
                mistakes.append(FieldError.of("/text", _ENOUGH, count=str(_MOST_REPLIES)))
            if mistakes:
                raise InvalidRequest(errors=mistakes)
            soon = self._policy.clock.after(now, self._policy.clock.days_for("misuse"))
            row.due_at = min(row.due_at, soon) if row.due_at > now else soon
            row.overdue_told_at = None
            self._mail.answered(session, row, person, self._staff.member(session, row.assignee or ""))
            return MessageView.of(add_message(session, row, said, by=BY_LETTER, visible=True, files=(), now=now))

        made = self._database.write(work)
        self._mail.leave()
        return made


def letter_until(case: CaseView) -> datetime | None:
    """Return until when the participant of a report was given to put it right; None where nobody was written to."""
    return _until(case.report or {})


def _until(report: Mapping[str, Any]) -> datetime | None:
    told = report.get(ANSWER_UNTIL)
    return datetime.fromisoformat(told) if told else None


def _addressed(row: Case | None, participant: str) -> Case:
    """Return a case, if it is about the participant to whom the letter went. Raises NotFound."""
    if row is None or row.kind != "misuse" or row.participant != participant or row.report is None:
        raise NotFound("This letter is about nothing any more: the matter is settled, or it does not concern you.")
    return row


def _messages(session: Session, row: Case) -> tuple[MessageView, ...]:
    statement = select(CaseMessage).where(CaseMessage.case == row.id, CaseMessage.visible)
    return tuple(MessageView.of(one) for one in session.scalars(statement.order_by(CaseMessage.at, CaseMessage.id)))
