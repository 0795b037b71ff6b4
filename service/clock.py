"""The clock: present instants, injected so that tests can freeze them, and their text form."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]


def now() -> datetime:
    """The present instant, aware, in UTC."""
    return datetime.now(UTC)


def timestamp(at: datetime) -> str:
    """An instant as RFC 3339 in UTC with six decimals and ``Z``."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"
