"""The mails of the desk: written in the reader's language, added in the transaction of what they tell of.

Their texts are in ``letters.yaml``; decisions on joining are told by the mails of the participants' room.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path

import yaml
from babel.dates import format_date
from pydantic import BaseModel, ConfigDict
from sqlalchemy.orm import Session

from .. import paths
from ..campaign import LANGUAGES, Campaign
from ..mail import Mailer
from ..participants.emails import Letter, Letters, LetterTexts
from ..participants.emails import texts as participant_texts
from ..store import tables
from ..store.desk_tables import Case

TEXTS = Path(__file__).with_name("letters.yaml")


class DeskTexts(BaseModel):
    """``letters.yaml``: the texts of each kind of mail."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    returned: LetterTexts
    message: LetterTexts
    approved: LetterTexts
    declined: LetterTexts
    overdue: LetterTexts
    staff_overdue: LetterTexts
    misuse_received: LetterTexts
    misuse_decided: LetterTexts


@cache
def texts() -> DeskTexts:
    """The texts of all mails of the desk, read once."""
    return DeskTexts.model_validate(yaml.safe_load(TEXTS.read_text(encoding="utf-8")))


class DeskMail:
    """Adds mails to the outbox in the caller's transaction; the caller lets them leave after it (``leave``)."""

    def __init__(self, campaign: Campaign, mailer: Mailer, base_url: str, staff: Iterable[str]) -> None:
        self._campaign = campaign
        self._mailer = mailer
        self._base_url = base_url
        self._staff = tuple(staff)
        self._letters = Letters(campaign.info.name)

    def leave(self) -> None:
        """Let what was added leave now."""
        self._mailer.leave()

    def returned(self, session: Session, case: Case, person: tables.Participant, text: str) -> None:
        """Ask the applicant something."""
        self._to_applicant(session, case, person, texts().returned, text=text)

    def message(self, session: Session, case: Case, person: tables.Participant, text: str) -> None:
        """Tell the applicant something that asks for no answer."""
        self._to_applicant(session, case, person, texts().message, text=text)

    def decided(self, session: Session, case: Case, person: tables.Participant, reasons: Iterable[str]) -> None:
        """Tell the applicant what was decided, and why."""
        if case.kind == "joining":
            if person.email:
                url = self._base_url + paths.account(person.language)
                outcome = case.outcome or ""
                self._add(session, person.email, self._letters.decision(person.language, outcome, list(reasons), url))
            return
        told = texts().approved if case.outcome == "approved" else texts().declined
        self._to_applicant(session, case, person, told, text="\n\n".join(reasons))

    def overdue(self, session: Session, case: Case, person: tables.Participant | None) -> None:
        """Tell both sides that a case takes longer than it should."""
        if person is not None and case.kind != "misuse":
            self._to_applicant(session, case, person, texts().overdue)
        url = self._base_url + paths.staff_case(case.id)
        letter = self.letter("en", texts().staff_overdue, url=url, due=format_date(case.due_at, "long", locale="en"))
        for address in self._staff:
            self._add(session, address, letter)

    def misuse_received(self, session: Session, case: Case, to: str, language: str) -> None:
        """Thank whoever reported misuse."""
        self._add(session, to, self.letter(language, texts().misuse_received, case=case.id))

    def misuse_decided(self, session: Session, case: Case, to: str, language: str, reason: str) -> None:
        """Tell whoever reported misuse what became of it."""
        self._add(session, to, self.letter(language, texts().misuse_decided, case=case.id, text=reason))

    def letter(self, language: str, told: LetterTexts, **values: str) -> Letter:
        """Return a letter in a language; English where the service has none of it."""
        written = language if language in LANGUAGES else "en"
        values["campaign"] = self._campaign.info.name.get(written)
        footer = participant_texts().footer.get(written).format(campaign=values["campaign"])
        body = told.text.get(written).format_map(values)
        return Letter(told.subject.get(written).format_map(values), f"{body}\n\n-- \n{footer}\n", written)

    def _to_applicant(
        self, session: Session, case: Case, person: tables.Participant, told: LetterTexts, **values: str
    ) -> None:
        if person.email:
            url = self._base_url + paths.account_case(person.language, case.id)
            self._add(session, person.email, self.letter(person.language, told, url=url, **values))

    def _add(self, session: Session, to: str, letter: Letter) -> None:
        self._mailer.add(session, to, letter.subject, letter.text, language=letter.language)
