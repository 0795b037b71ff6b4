"""What every part of this room needs: the store, the campaign, the clock, and mail."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import delete
from sqlalchemy.orm import Session as Transaction

from ..campaign import Campaign
from ..clock import Clock
from ..mail import Mailer
from ..problems import NotFound
from ..store import Database, tables
from .emails import Letter, Letters

log = structlog.get_logger()


class Office:
    """The base of each part of ``Participants``; it holds what they share and knows nothing of the parts."""

    def __init__(
        self,
        database: Database,
        campaign: Campaign,
        clock: Clock,
        mailer: Mailer,
        base_url: str,
        *,
        staff: tuple[str, ...] = (),
        auditors: tuple[str, ...] = (),
    ) -> None:
        """``staff`` and ``auditors`` are the addresses, in lower case, that may sign in as such."""
        self._database = database
        self._campaign = campaign
        self._clock = clock
        self._mailer = mailer
        self._base_url = base_url
        self._staff = frozenset(staff)
        self._auditors = frozenset(auditors)
        self._letters = Letters(campaign.info.name)

    def _mail(self, to: str, letter: Letter) -> None:
        """Sends a letter after its change is durable; what fails is logged and changes nothing."""
        try:
            self._mailer.send(to, letter.subject, letter.text, language=letter.language)
        except Exception as error:
            log.error("a mail could not be made", reason=type(error).__name__)

    def _mail_decision(self, to: str | None, language: str, outcome: str, reasons: tuple[str, ...]) -> None:
        if to:
            url = f"{self._base_url}/{language}/account"
            self._mail(to, self._letters.decision(language, outcome, reasons, url))

    def _page(self, language: str, page: str, secret: str) -> str:
        return f"{self._base_url}/{language}/{page}/{secret}"


def digest(secret: str) -> str:
    """The SHA-256 under which a secret is stored; the secrets are random, so no salt is needed."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def add_mailed_link(
    session: Transaction, purpose: str, email: str, payload: dict[str, Any], now: datetime, life: timedelta
) -> str:
    """Stores a link that is to be mailed and returns its secret. Those that ended before are deleted."""
    session.execute(delete(tables.MailedLink).where(tables.MailedLink.expires_at < now))
    secret = secrets.token_urlsafe(24)
    session.add(
        tables.MailedLink(
            secret_sha256=digest(secret),
            purpose=purpose,
            email=email,
            payload=payload,
            created_at=now,
            expires_at=now + life,
        )
    )
    return secret


def locked(session: Transaction, participant: str) -> tables.Participant:
    """A participant's row, which nobody else changes until the transaction ends; NotFound where there is none."""
    row = session.get(tables.Participant, participant, with_for_update=True)
    if row is None:
        raise NotFound("There is no participant of this id.")
    return row
