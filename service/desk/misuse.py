"""Reports of misuse: what anybody tells of, what alerts tell of, and whom it concerns."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from ..campaign import LANGUAGES, typed_text
from ..campaign.answers import is_url
from ..campaign.desk import DeskPolicy
from ..campaign.text import msgid
from ..clock import Clock, timestamp
from ..participants.application import check_email
from ..participants.rows import locked as locked_participant
from ..problems import FieldError, InvalidRequest
from ..store import Database, tables
from ..store.desk_tables import Case, CaseMessage
from .letters import DeskMail
from .rows import Openings, add_message, advance, locked
from .signed_links import SignedLinks
from .states import CaseAction

_SETTLED_FOR = timedelta(days=90)  # in which what was decided about a site is not asked again by the service itself

_MOST_DAYS = 90  # that a letter gives
#: What a report says of the letter about it: until when the participant is to put it right.
ANSWER_UNTIL = "answer_until"


class Misuse:
    """Opens cases of misuse."""

    def __init__(
        self,
        database: Database,
        policy: DeskPolicy,
        clock: Clock,
        mail: DeskMail,
        openings: Openings,
        links: SignedLinks,
    ) -> None:
        self._database = database
        self._policy = policy
        self._clock = clock
        self._mail = mail
        self._openings = openings
        self._links = links

    def report(self, said: Mapping[str, Any]) -> str:
        """Take a report of misuse that anybody sent: ``url``, ``description``, and ``email`` and ``language`` if given.

        Returns the id of the case. Raises InvalidRequest with every mistake.
        """
        errors: list[FieldError] = []
        url = said.get("url")
        address = typed_text.clean(url) if isinstance(url, str) else ""
        if typed_text.flaw(address, longest=typed_text.LONGEST_URL) or not is_url(address):
            wrong = msgid("Send a complete web address, such as https://www.example.org/.")
            errors.append(FieldError.of("/url", wrong))
        text = typed_text.read(
            said.get("description"), "/description", errors, longest=typed_text.LONGEST_TEXT, lines=True
        )
        email = None if said.get("email") is None else check_email(said["email"], errors)
        language = said.get("language", "en")
        if not isinstance(language, str) or language not in LANGUAGES:
            options = ", ".join(LANGUAGES)
            errors.append(FieldError.of("/language", msgid("Choose one of %(options)s."), options=options))
        if errors:
            raise InvalidRequest(errors=errors)

        def work(session: Session) -> str:
            now = self._clock()
            report = {"url": address, "email": email, "language": language, "source": "page"}
            case = self._openings.open(session, "misuse", None, report=report, by="page", now=now)
            add_message(session, case, text, by="page", visible=False, files=(), now=now)
            if email:
                self._mail.misuse_received(session, case, email, language)
            return case.id

        made = self._database.write(work)
        self._mail.leave()
        return made

    def name(self, case: str, participant: str | None, *, by: str) -> None:
        """Say whose use of the logo a report tells of, or that nobody is known any more.

        Raises NotFound for either that is not there, InvalidRequest for another kind of case, CaseDecided.
        """

        def work(session: Session) -> None:
            row, _ = locked(session, case)
            _require_misuse(row)
            if participant is not None:
                locked_participant(session, participant)
            advance(session, row, CaseAction.NAME, by, self._clock())
            if participant != row.participant:  # who is not meant sees none of it, and who is only what comes now
                mine = update(CaseMessage).where(CaseMessage.case == case, CaseMessage.visible)
                session.execute(mine.values(visible=False))
                row.report = {name: value for name, value in (row.report or {}).items() if name != ANSWER_UNTIL}
            row.participant = participant

        self._database.write(work)

    def write(self, case: str, text: object, *, days: object, by: str) -> None:
        """Write to the participant of a report, who has so many working days; the case is due then.

        Raises InvalidRequest, NotFound or CaseDecided.
        """
        errors: list[FieldError] = []
        said = typed_text.read(text, "/text", errors, longest=typed_text.LONGEST_TEXT, lines=True)
        if not isinstance(days, int) or not 1 <= days <= _MOST_DAYS:
            errors.append(FieldError("/days", f"Give working days as a whole number from 1 to {_MOST_DAYS}."))

        def work(session: Session) -> None:
            row, person = locked(session, case)
            _require_misuse(row)
            mistakes = list(errors)
            if person is None or not person.email:
                mistakes.append(FieldError("/participant", "Say first whose use it is."))
            if mistakes:
                raise InvalidRequest(errors=mistakes)
            assert person is not None
            assert isinstance(days, int)
            now = self._clock()
            advance(session, row, CaseAction.LETTER, by, now)
            row.due_at, row.overdue_told_at = self._policy.clock.after(now, days), None
            row.report = {**(row.report or {}), ANSWER_UNTIL: timestamp(row.due_at)}
            add_message(session, row, said, by=by, visible=True, files=(), now=now)
            self._mail.misuse_letter(session, row, person, said, self._links.letter(row.id, person.id))

        self._database.write(work)
        self._mail.leave()

    def suspect(self, url: str, text: str, *, participant: str | None, source: str) -> str | None:
        """Open a case for something that the service noticed; None where there was one about the same lately."""

        def work(session: Session) -> str | None:
            now = self._clock()
            known = select(Case).where(Case.kind == "misuse", Case.participant == participant)
            if any(
                (row.report or {}).get("url") == url
                for row in session.scalars(known.where(Case.opened_at > now - _SETTLED_FOR))
            ):
                return None
            person = session.get(tables.Participant, participant) if participant else None
            report = {"url": url, "email": None, "language": "en", "source": source}
            case = self._openings.open(session, "misuse", person, report=report, by=source, now=now)
            add_message(session, case, text, by=source, visible=False, files=(), now=now)
            return case.id

        return self._database.write(work)


def _require_misuse(row: Case) -> None:
    if row.kind != "misuse":
        detail = "This case is no report of misuse: its applicant is asked in the case itself."
        raise InvalidRequest(detail, errors=[FieldError("", detail)])
