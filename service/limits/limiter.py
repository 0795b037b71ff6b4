"""The limiter: counts requests against the table and refuses those that are too many.

It counts in Redis where there is one; else what is seldom and dear for the whole machine, all else in this process.
"""

from __future__ import annotations

import math
import sqlite3
import time
from dataclasses import dataclass
from pathlib import Path

import structlog
from limits import RateLimitItem, RateLimitItemPerHour, RateLimitItemPerMinute
from limits.errors import ConfigurationError as LimitsConfigurationError
from limits.storage import storage_from_string
from limits.strategies import MovingWindowRateLimiter

from ..problems import ConfigurationError, RateLimited
from .machine import MachineCounter, Window

log = structlog.get_logger()
_REDIS_WAIT = 0.5  # seconds for an answer
_REDIS_PAUSE = 5.0  # seconds without asking after none came

#: name -> how often, by what the callers say (an address or /64, an API key, a mailbox).
LIMITS: dict[str, RateLimitItem] = {
    "api": RateLimitItemPerMinute(120),
    "key": RateLimitItemPerMinute(600),
    "download": RateLimitItemPerMinute(60),
    "build": RateLimitItemPerMinute(120),
    "artwork": RateLimitItemPerHour(60),
    "embed-lookup": RateLimitItemPerMinute(60),
    "joining": RateLimitItemPerHour(60),  # of one address, behind which a whole school may be
    "sign-in": RateLimitItemPerHour(60),
    "passkey": RateLimitItemPerMinute(30),  # of one address: asking for a challenge, and answering it
    "misuse": RateLimitItemPerHour(20),  # reports of misuse
    "reports": RateLimitItemPerMinute(20),  # of browsers, about our pages
    "invitation": RateLimitItemPerHour(60),  # of colleagues, by one participant
    "form": RateLimitItemPerMinute(300),  # forms of somebody who is signed in, or of an address
    "mailbox": RateLimitItemPerHour(5),  # mails to one, for each of the three
}
#: What is counted for all processes of the machine, at some tenths of a millisecond each: it is seldom, and one too
#: many costs a mail in somebody's mailbox, seconds of a core, or a guess. The others are counted in each process.
_ON_MACHINE = frozenset(LIMITS) - {"api", "key", "download", "embed-lookup", "form"}
_FILE = "limits.sqlite3"


@dataclass
class Limiter:
    """Hits and refuses. Where Redis does not answer, or the file in ``folder``, this process counts for itself."""

    enabled: bool
    redis_url: str = ""
    folder: Path | None = None

    def __post_init__(self) -> None:
        """Opens the storages; Redis connects at the first hit."""
        self._machine = MachineCounter(self.folder / _FILE) if self.folder is not None else None
        self._local = MovingWindowRateLimiter(storage_from_string("memory://"))
        self._shared = None
        if self.redis_url:
            # A server that is frozen must not hold up every request: it is asked again after a pause.
            waits = {"socket_timeout": _REDIS_WAIT, "socket_connect_timeout": _REDIS_WAIT}
            try:
                self._shared = MovingWindowRateLimiter(storage_from_string(self.redis_url, **waits))
            except (ValueError, LimitsConfigurationError) as error:
                raise ConfigurationError(
                    ["EMBLEM_REDIS_URL is no address of Redis; write redis://host:6379/0."]
                ) from error
        self._shared_again = 0.0  # on the monotonic clock

    def hit(self, name: str, who: str, *, count: bool = True) -> dict[str, str]:
        """Count one request against limit ``name`` of ``who``; RateLimited (429) where it is one too many.

        Without ``count`` it only says whether the next one would be too many. Returns the header fields that
        tell the caller what is left (RateLimit header fields of the IETF's draft); none while switched off.
        """
        if not self.enabled:
            return {}
        if self._shared is not None and time.monotonic() >= self._shared_again:
            try:
                return self._hit(self._shared, name, who, count)
            except RateLimited:
                raise
            except Exception as error:
                self._shared_again = time.monotonic() + _REDIS_PAUSE
                log.warning("rate limits are per process: redis does not answer", error=type(error).__name__)
        if self._machine is not None and name in _ON_MACHINE:
            item = LIMITS[name]
            try:
                window = self._machine.hit(name, who, amount=item.amount, seconds=item.get_expiry(), count=count)
            except (OSError, sqlite3.Error) as error:
                log.warning("rate limits are per process: their file cannot be used", error=type(error).__name__)
            else:
                return _told(name, window)
        return self._hit(self._local, name, who, count)

    def _hit(self, limiter: MovingWindowRateLimiter, name: str, who: str, count: bool) -> dict[str, str]:
        item = LIMITS[name]
        allowed = limiter.hit(item, name, who) if count else limiter.test(item, name, who)
        reset, remaining = limiter.get_window_stats(item, name, who)
        return _told(name, Window(allowed, remaining, reset))


def _told(name: str, window: Window) -> dict[str, str]:
    """Return the header fields of a window; RateLimited where it let nothing through."""
    item = LIMITS[name]
    wait = max(1, math.ceil(window.reset - time.time()))
    fields = {
        "RateLimit-Policy": f'"{name}";q={item.amount};w={item.get_expiry()}',
        "RateLimit": f'"{name}";r={window.remaining};t={wait}',
    }
    if not window.allowed:
        raise RateLimited(
            f"At most {item.amount} requests in {_words(item.get_expiry())}. Try again in {wait} seconds.",
            headers={"Retry-After": str(wait), **fields},
        )
    return fields


def _words(seconds: int) -> str:
    return {60: "a minute", 3600: "an hour"}.get(seconds, f"{seconds} seconds")
