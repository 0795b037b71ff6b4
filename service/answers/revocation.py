"""Answers about the end of a permission, alike for links, embeds and keys."""

from __future__ import annotations

from typing import Self

from pydantic import Field

from ..participants import Revocation
from .base import Answer, Instant


class RevocationAnswer(Answer):
    """End of a permission: when, by whom and why. Auditors see no reason, since a person typed it."""

    at: Instant
    by: str | None = Field(description="Who ended it; null where that was not kept yet")
    reason: str | None

    @classmethod
    def of(cls, seen: Revocation | None, *, with_reason: bool = True) -> Self | None:
        """Return the revocation; None for what is not revoked."""
        return None if seen is None else cls(at=seen.at, by=seen.by, reason=seen.reason if with_reason else None)
