"""The mails to participants, in every language of the service. They lead to pages, never to a download.

Their texts are in ``emails.yaml``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict

from ..campaign import LANGUAGES, Text
from ..campaign.dates import written_date

PasskeyNews = Literal["passkey_added", "passkey_removed", "passkeys_said_lost", "passkeys_recovered"]
TEXTS = Path(__file__).with_name("emails.yaml")


@dataclass(frozen=True)
class Letter:
    """The subject and the text of one mail, and the language that they are really in."""

    subject: str
    text: str
    language: str


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class LetterTexts(_Strict):
    """The texts of one kind of mail."""

    subject: Text
    text: Text


class EmailTexts(_Strict):
    """``emails.yaml``: the texts of each kind of mail, and those that several have in common."""

    footer: Text
    reasons: Text
    account: Text
    sign_in: LetterTexts
    confirm_joining: LetterTexts
    already_joined: LetterTexts
    grant: LetterTexts
    invitation: LetterTexts
    permission_ends: LetterTexts
    permission_lapsed: LetterTexts
    new_terms: LetterTexts
    terms_reminder: LetterTexts
    passkey_added: LetterTexts
    passkey_removed: LetterTexts
    passkeys_said_lost: LetterTexts
    passkeys_recovered: LetterTexts
    decisions: Mapping[str, LetterTexts]


@cache
def texts() -> EmailTexts:
    """The texts of all mails, read once."""
    return EmailTexts.model_validate(yaml.safe_load(TEXTS.read_text(encoding="utf-8")))


class Letters:
    """The letters of one campaign."""

    def __init__(self, campaign: Text) -> None:
        """``campaign`` is its name."""
        self._campaign = campaign

    def sign_in(self, language: str, url: str, minutes: int) -> Letter:
        """A link to sign in, asked for on the sign-in page."""
        return self._letter(language, texts().sign_in, url=url, minutes=str(minutes))

    def confirm_joining(self, language: str, url: str) -> Letter:
        """A link that confirms the address of someone who joins on the public page."""
        return self._letter(language, texts().confirm_joining, url=url)

    def already_joined(self, language: str, url: str, minutes: int) -> Letter:
        """Return what a known address gets instead of ``confirm_joining``."""
        return self._letter(language, texts().already_joined, url=url, minutes=str(minutes))

    def grant(self, language: str, url: str, portal: str) -> Letter:
        """A portal's wish to act for a participant that joined elsewhere."""
        return self._letter(language, texts().grant, url=url, portal=portal)

    def invitation(self, language: str, url: str, participant: str) -> Letter:
        """An invitation to act for a participant."""
        return self._letter(language, texts().invitation, url=url, participant=participant)

    def permission_ends(self, language: str, end: datetime, url: str) -> Letter:
        """A permission that ends at that instant; ``url`` is where it is renewed."""
        date = written_date(end, _written(language))
        return self._letter(language, texts().permission_ends, date=date, url=url)

    def permission_lapsed(self, language: str, url: str) -> Letter:
        """A permission that has ended."""
        return self._letter(language, texts().permission_lapsed, url=url)

    def decision(self, language: str, outcome: str, reasons: Sequence[str], url: str) -> Letter:
        """A decision with its reasons; ``url`` is the account page."""
        written = _written(language)
        told = texts().decisions[outcome]
        why = ["\n\n".join([texts().reasons.get(written), *reasons])] if reasons else []
        body = "\n\n".join([told.text.get(written), *why, f"{texts().account.get(written)}\n{url}"])
        return self._finished(written, told.subject.get(written).format(campaign=self._campaign.get(written)), body)

    def new_terms(self, language: str, title: Callable[[str], str], date: Callable[[str], str], url: str) -> Letter:
        """New terms that someone whose logo is shown by link has to accept; ``date`` is when it stops otherwise.

        ``title`` and ``date`` give their text in the language that the letter is really in.
        """
        written = _written(language)
        return self._letter(language, texts().new_terms, title=title(written), date=date(written), url=url)

    def terms_reminder(self, language: str, title: Callable[[str], str], url: str, read: str) -> Letter:
        """A reminder to accept new terms at ``url``, which can be read at ``read``."""
        return self._letter(language, texts().terms_reminder, title=title(_written(language)), url=url, read=read)

    def passkeys(self, language: str, what: PasskeyNews, url: str) -> Letter:
        """Tell a person of the staff what became of their passkeys, which are listed at ``url``."""
        told: LetterTexts = getattr(texts(), what)
        return self._letter(language, told, url=url)

    def _letter(self, language: str, told: LetterTexts, **values: str) -> Letter:
        written = _written(language)
        values["campaign"] = self._campaign.get(written)
        subject, body = (text.get(written).format_map(values) for text in (told.subject, told.text))
        return self._finished(written, subject, body)

    def _finished(self, written: str, subject: str, body: str) -> Letter:
        footer = texts().footer.get(written).format(campaign=self._campaign.get(written))
        return Letter(subject, f"{body}\n\n-- \n{footer}\n", written)


def _written(language: str) -> str:
    return language if language in LANGUAGES else "en"
