"""The mails of the desk: written in the reader's language, added in the transaction of what they tell of.

Their texts are in ``letters.yaml``; decisions on joining are told by the mails of the participants' room.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict
from sqlalchemy.orm import Session

from .. import paths
from ..campaign import LANGUAGES, Campaign, Text, country_name
from ..campaign.dates import written_date
from ..campaign.desk import CaseKind
from ..mail import Mailer
from ..participants import StaffMemberView
from ..participants.emails import Letter, Letters, LetterTexts
from ..participants.emails import texts as participant_texts
from ..store import tables
from ..store.desk_tables import Case
from .rows import asks_to_lift

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
    staff_assigned: LetterTexts
    staff_answered: LetterTexts
    embed_ended: LetterTexts
    embed_restored: LetterTexts
    link_ended: LetterTexts
    link_restored: LetterTexts
    digest: LetterTexts
    case_line: Text
    digest_more: Text
    kinds: Mapping[CaseKind, Text]
    misuse_received: LetterTexts
    misuse_decided: LetterTexts
    misuse_letter: LetterTexts
    misuse_upheld: LetterTexts
    misuse_dismissed: LetterTexts


@cache
def texts() -> DeskTexts:
    """The texts of all mails of the desk, read once."""
    return DeskTexts.model_validate(yaml.safe_load(TEXTS.read_text(encoding="utf-8")))


class DeskMail:
    """Adds mails to the outbox in the caller's transaction; the caller lets them leave after it (``leave``)."""

    def __init__(self, campaign: Campaign, mailer: Mailer, base_url: str) -> None:
        self._campaign = campaign
        self._mailer = mailer
        self._base_url = base_url
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

    def preview(self, kind: str, language: str, outcome: str, case: str, text: str) -> Letter:
        """Return the letter that tells an applicant of this, as it would be sent: a decision, or ``return``."""
        if outcome == "return":
            told = texts().returned
        elif kind == "misuse":
            return self.letter(language, texts().misuse_decided, case=case, text=text)
        elif kind == "joining":
            return self._letters.decision(language, outcome, [text], self._base_url + paths.account(language))
        else:
            told = texts().approved if outcome == "approved" else texts().declined
        return self.letter(language, told, url=self._base_url + paths.account_case(language, case), text=text)

    def decided(self, session: Session, case: Case, person: tables.Participant, reasons: Iterable[str]) -> None:
        """Tell the applicant what was decided, and why."""
        if case.kind == "joining" and not (asks_to_lift(case) and case.outcome == "declined"):
            if person.email:
                url = self._base_url + paths.account(person.language)
                outcome = case.outcome or ""
                letter = self._letters.decision(person.language, outcome, list(reasons), url)
                self._add(session, person.email, letter, case.id)
            return
        told = texts().approved if case.outcome == "approved" else texts().declined
        self._to_applicant(session, case, person, told, text="\n\n".join(reasons))

    def overdue(
        self, session: Session, case: Case, person: tables.Participant | None, staff: Iterable[StaffMemberView]
    ) -> None:
        """Tell both sides that a case takes longer than it should: its applicant, and those of the ``staff``."""
        if person is not None and case.kind != "misuse":
            self._to_applicant(session, case, person, texts().overdue)
        url = self._base_url + paths.staff_case(case.id)
        letter = self.letter("en", texts().staff_overdue, url=url, due=written_date(case.due_at, "en"))
        for member in staff:
            self._add(session, member.email, letter, case.id)

    def assigned(
        self, session: Session, case: Case, person: tables.Participant | None, to: StaffMemberView, by: str
    ) -> None:
        """Tell a person of the staff whom a colleague, called ``by``, has given a case."""
        letter = self.letter("en", texts().staff_assigned, by=by, case=self._case_line(case, person))
        self._add(session, to.email, letter, case.id)

    def answered(
        self, session: Session, case: Case, person: tables.Participant | None, to: StaffMemberView | None
    ) -> None:
        """Tell whoever has a case, if anybody does, that what was asked or written about in it is answered."""
        if to is not None:
            letter = self.letter("en", texts().staff_answered, case=self._case_line(case, person))
            self._add(session, to.email, letter, case.id)

    def ending(
        self, session: Session, person: tables.Participant, thing: str, what: str, subject: str, text: str
    ) -> None:
        """Tell a partner that staff ended a link or an embed (``thing``), or brought it back (``what``), and why."""
        if person.email:
            told: LetterTexts = getattr(texts(), f"{thing}_{what}")
            url = self._base_url + paths.account(person.language)
            letter = self.letter(person.language, told, id=subject, text=text, url=url)
            self._add(session, person.email, letter, subject)

    def digest(
        self,
        session: Session,
        to: str,
        waiting: Iterable[tuple[Case, tables.Participant | None]],
        open_: int,
        late: int,
        off: str,
    ) -> None:
        """Tell a person of the staff who waits: the first of the ``open_`` cases, of which some are ``late``.

        ``off`` is the path that ends such mails.
        """
        lines = [self._case_line(case, person) for case, person in waiting]
        if open_ > len(lines):
            lines.append(texts().digest_more.get("en").format(count=open_ - len(lines)))
        values = {"cases": "\n\n".join(lines), "open": str(open_), "overdue": str(late)}
        url, off = self._base_url + paths.STAFF, self._base_url + off
        letter = self.letter("en", texts().digest, url=url, off=off, **values)
        self._mailer.add(session, to, letter.subject, letter.text, language=letter.language, unsubscribe=off)

    def _case_line(self, case: Case, person: tables.Participant | None) -> str:
        """Return what staff are mailed of a case: its kind, who asks by kind and country, its time and its page."""
        kinds = {kind.id: kind.label for kind in self._campaign.eligibility.kinds}
        about = []
        if person is not None:
            about = [kinds[person.kind].get("en") if person.kind in kinds else person.kind]
            about += [country_name(person.country, "en")] if person.country else []
        return (
            texts()
            .case_line.get("en")
            .format(
                kind=texts().kinds[case.kind].get("en"),  # type: ignore[index]  # one of the kinds of cases
                about="".join(f", {word}" for word in about),
                due=written_date(case.due_at, "en"),
                url=self._base_url + paths.staff_case(case.id),
            )
        )

    def misuse_received(self, session: Session, case: Case, to: str, language: str) -> None:
        """Thank whoever reported misuse."""
        self._add(session, to, self.letter(language, texts().misuse_received, case=case.id), case.id)

    def misuse_decided(self, session: Session, case: Case, to: str, language: str, reason: str) -> None:
        """Tell whoever reported misuse what became of it."""
        self._add(session, to, self.letter(language, texts().misuse_decided, case=case.id, text=reason), case.id)

    def misuse_letter(self, session: Session, case: Case, person: tables.Participant, text: str, token: str) -> None:
        """Tell a participant what is wrong with its use of the logo, until when, and where it is answered."""
        if person.email:
            language = person.language if person.language in LANGUAGES else "en"
            due = written_date(case.due_at, language)
            url = self._base_url + paths.letter(language, token)
            values = {"due": due, "url": url, "text": text}
            self._add(session, person.email, self.letter(language, texts().misuse_letter, **values), case.id)

    def misuse_settled(self, session: Session, case: Case, person: tables.Participant, token: str) -> None:
        """Tell a participant who got such a letter how it ended."""
        if person.email:
            told = texts().misuse_upheld if case.outcome == "upheld" else texts().misuse_dismissed
            url = self._base_url + paths.letter(person.language, token)
            self._add(session, person.email, self.letter(person.language, told, url=url), case.id)

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
            self._add(session, person.email, self.letter(person.language, told, url=url, **values), case.id)

    def _add(self, session: Session, to: str, letter: Letter, thread: str) -> None:
        self._mailer.add(session, to, letter.subject, letter.text, language=letter.language, thread=thread)
