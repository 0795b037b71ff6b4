"""Sending participants their emails: whichever they are, in their language, after the change is durable."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog
from sqlalchemy.orm import Session as Transaction

from .. import paths
from ..campaign import Campaign, TermsVersion
from ..mail import Mailer
from ..store import tables
from .emails import Letter, Letters, PasskeyNews
from .mailed_links import SIGN_IN_LIFE

log = structlog.get_logger()

_SIGN_IN_MINUTES = SIGN_IN_LIFE // timedelta(minutes=1)


class Correspondence:
    """Writes the emails to participants; ``emails`` has their words.

    Each is added in the transaction of what it tells of, so that none is lost between the two; the caller lets them
    leave after it (``leave``).
    """

    def __init__(self, campaign: Campaign, mailer: Mailer, base_url: str) -> None:
        self._mailer = mailer
        self._base_url = base_url
        self._letters = Letters(campaign.info.name)

    def add_decision(
        self, session: Transaction, to: str | None, language: str, outcome: str, reasons: Sequence[str]
    ) -> None:
        """Tell a participant what was decided, and why; nobody where the address is erased."""
        if to:
            url = self._base_url + paths.account(language)
            self._add(session, to, self._letters.decision(language, outcome, reasons, url))

    def add_sign_in(self, session: Transaction, to: str, language: str, secret: str, then: str = "") -> None:
        """Add a link to sign in, asked for on the sign-in page, in this transaction; for nobody where ``to`` is empty.

        ``leave`` after it. Both take as long: a mail for nobody goes the same way and is dropped at its end.
        """
        url = self.page(language, "sign-in", secret, then)
        letter = self._letters.sign_in(language, url, _SIGN_IN_MINUTES)
        self._mailer.add(
            session,
            to or self._mailer.sender,
            letter.subject,
            letter.text,
            language=letter.language,
            for_nobody=not to,
        )

    def add_passkeys(self, session: Transaction, to: str, language: str, what: PasskeyNews) -> None:
        """Add the mail that tells a person of the staff what became of their passkeys; ``leave`` after it."""
        letter = self._letters.passkeys(language, what, self._base_url + paths.staff_passkeys())
        self._mailer.add(session, to, letter.subject, letter.text, language=letter.language)

    def leave(self) -> None:
        """Let what was added leave; what fails is tried again later."""
        try:
            self._mailer.leave()
        except Exception as error:
            log.error("a mail could not be made", reason=type(error).__name__)

    def add_already_joined(self, session: Transaction, to: str, language: str, secret: str, then: str = "") -> None:
        """Add a link to sign in for an address that wanted to join and has joined already."""
        url = self.page(language, "sign-in", secret, then)
        self._add(session, to, self._letters.already_joined(language, url, _SIGN_IN_MINUTES))

    def add_confirm_joining(self, session: Transaction, to: str, language: str, secret: str, then: str = "") -> None:
        """Add a link that confirms an address, and joins."""
        self._add(session, to, self._letters.confirm_joining(language, self.page(language, "join", secret, then)))

    def add_grant(self, session: Transaction, to: str, language: str, secret: str, portal: str) -> None:
        """Ask a participant whether the portal of that name may act for it."""
        self._add(session, to, self._letters.grant(language, self.page(language, "grant", secret), portal))

    def add_invitation(self, session: Transaction, to: str, language: str, secret: str, participant: str) -> None:
        """Invite a person to act for the participant of that name."""
        self._add(session, to, self._letters.invitation(language, self.page(language, "member", secret), participant))

    def add_permission_ends(self, session: Transaction, to: str, language: str, end: datetime) -> None:
        """Add the reminder that a permission ends that day, in this transaction; ``leave`` after it."""
        letter = self._letters.permission_ends(language, end, self._base_url + paths.account(language))
        self._mailer.add(session, to, letter.subject, letter.text, language=letter.language)

    def add_permission_lapsed(self, session: Transaction, to: str, language: str) -> None:
        """Add the mail that a permission has ended, in this transaction; ``leave`` after it."""
        letter = self._letters.permission_lapsed(language, self._base_url + paths.account(language))
        self._mailer.add(session, to, letter.subject, letter.text, language=letter.language)

    def add_terms_reminder(self, session: Transaction, row: tables.Participant, version: TermsVersion) -> None:
        """Add the reminder to accept a version of terms, in this transaction; ``leave`` after it."""
        if row.email:
            url = self._base_url + paths.terms(row.language, version.id)
            letter = self._letters.terms_reminder(
                row.language, version.title, self._base_url + paths.account(row.language), url
            )
            self._mailer.add(session, row.email, letter.subject, letter.text, language=letter.language)

    def page(self, language: str, page: str, secret: str, then: str = "") -> str:
        """Return the URL of the page of a mailed link; ``then`` is a query that says what its reader came for."""
        return self._base_url + paths.mailed_link(language, page, secret) + (f"?{then}" if then else "")

    def _add(self, session: Transaction, to: str, letter: Letter) -> None:
        """Add a letter; an address that cannot stand in a header is logged and changes nothing."""
        try:
            self._mailer.add(session, to, letter.subject, letter.text, language=letter.language)
        except ValueError as error:
            log.error("a mail could not be made", reason=type(error).__name__)
