"""Mailed links: secrets that a mail brings to an address, each good once and for a time."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import CursorResult, delete, update
from sqlalchemy.orm import Session as Transaction

from ..ids import secret_digest
from ..problems import InvalidSignIn
from ..store import tables

GRANT_LIFE = timedelta(days=7)
INVITATION_LIFE = timedelta(days=7)
JOIN_LIFE = timedelta(hours=24)
SIGN_IN_LIFE = timedelta(minutes=10)
ISSUED_LIFE = timedelta(hours=24)  # of a link that an operator makes
LONGEST_SECRET = 100

#: Lets an address be mailed, or raises: asked once what was sent is right in form, before anything is written.
Permit = Callable[[str], None]


def anyone(_address: str) -> None:
    """Permit every address."""


def add(session: Transaction, purpose: str, email: str, payload: dict[str, Any], now: datetime, life: timedelta) -> str:
    """Store a link that is to be mailed and return its secret. Those that ended before are deleted."""
    session.execute(delete(tables.MailedLink).where(tables.MailedLink.expires_at < now))
    secret = secrets.token_urlsafe(24)
    session.add(
        tables.MailedLink(
            secret_sha256=secret_digest(secret),
            purpose=purpose,
            email=email,
            payload=payload,
            created_at=now,
            expires_at=now + life,
        )
    )
    return secret


def stored(secret: str) -> str:
    """Return the digest under which a link's secret is stored. Raises InvalidSignIn for what can be no secret."""
    if not secret or len(secret) > LONGEST_SECRET:
        raise InvalidSignIn
    return secret_digest(secret)


def find(session: Transaction, secret: str, now: datetime) -> tables.MailedLink:
    """Return the row of a link that is still good; uses nothing up. Raises InvalidSignIn for any other."""
    row = session.get(tables.MailedLink, stored(secret))
    if row is None or row.used_at is not None or row.expires_at <= now:
        raise InvalidSignIn
    return row


def use(session: Transaction, secret_sha256: str, now: datetime) -> bool:
    """Use a link up and drop what it held; of several at once exactly one gets True."""
    link = tables.MailedLink
    result = session.execute(
        update(link)
        .where(link.secret_sha256 == secret_sha256, link.used_at.is_(None), link.expires_at > now)
        .values(used_at=now, payload={})
        .execution_options(synchronize_session=False)
    )
    return cast(CursorResult[Any], result).rowcount == 1
