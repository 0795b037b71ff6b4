"""Revocations: when a permission was ended, who ended it and why; alike for links, embeds and keys."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from sqlalchemy.orm import Session as Transaction

from .. import ledger
from ..campaign import typed_text
from ..problems import FieldError, InvalidRequest
from ..store import tables


@dataclass(frozen=True)
class Revocation:
    """The end of a permission. ``by`` is None for one of before this was kept, ``reason`` where none was given."""

    at: datetime
    by: str | None
    reason: str | None = field(repr=False)

    @classmethod
    def of(cls, row: Revocable) -> Revocation | None:
        """Return the revocation of a row; None while it is not revoked."""
        return None if row.revoked_at is None else cls(row.revoked_at, row.revoked_by, row.revoked_reason)


class Revocable(Protocol):
    """A row that can be revoked."""

    revoked_at: datetime | None
    revoked_by: str | None
    revoked_reason: str | None


def check_reason_given(value: object) -> str | None:
    """Return the reason of a revocation, cleaned; None where none is given. Raises InvalidRequest (``?reason``)."""
    if value is None or (isinstance(value, str) and not typed_text.clean(value)):
        return None
    errors: list[FieldError] = []
    text = typed_text.read(value, "?reason", errors, longest=typed_text.LONGEST_TEXT, lines=True)
    if errors:
        raise InvalidRequest(errors=errors)
    return text


def end_key(session: Transaction, row: tables.ApiKey, now: datetime, by: str, reason: str | None = None) -> None:
    """Revoke a key in this transaction."""
    row.revoked_at, row.revoked_by, row.revoked_reason = now, by, reason
    ledger.append(
        session,
        ledger.KeyRevokedEntry(key=row.id, role=row.role, participant=row.participant, staff=row.staff, by=by),
        now,
    )
