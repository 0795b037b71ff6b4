"""Ids and instants: what is injected so that tests can freeze and replay them."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]


def now() -> datetime:
    """The present instant, aware, in UTC."""
    return datetime.now(UTC)


def new_id(prefix: str) -> str:
    """An opaque, URL-safe id such as ``par_3fK…``: the prefix and 128 random bits."""
    return f"{prefix}_{secrets.token_urlsafe(16)}"


def timestamp(at: datetime) -> str:
    """An instant as RFC 3339 in UTC with six decimals and ``Z``."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
