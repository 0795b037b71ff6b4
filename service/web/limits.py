"""Rate limits: one table, counted per process or, with ``EMBLEM_REDIS_URL``, for all machines together."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

import structlog
from flask import Response, g
from limits import RateLimitItem, RateLimitItemPerHour, RateLimitItemPerMinute
from limits.storage import storage_from_string
from limits.strategies import MovingWindowRateLimiter

from ..problems import RateLimited

log = structlog.get_logger()

#: name -> how often, by what the callers say (an address or /64, an API key, a mailbox).
LIMITS: dict[str, RateLimitItem] = {
    "api": RateLimitItemPerMinute(120),
    "key": RateLimitItemPerMinute(600),
    "download": RateLimitItemPerMinute(60),
    "embed-lookup": RateLimitItemPerMinute(60),
    "joining": RateLimitItemPerHour(5),
    "sign-in": RateLimitItemPerHour(5),
}


@dataclass
class Limiter:
    """Hits and refuses. Where Redis does not answer, this process counts for itself."""

    enabled: bool
    redis_url: str = ""

    def __post_init__(self) -> None:
        """Opens the storages; Redis connects at the first hit."""
        self._local = MovingWindowRateLimiter(storage_from_string("memory://"))
        self._shared = MovingWindowRateLimiter(storage_from_string(self.redis_url)) if self.redis_url else None

    def hit(self, name: str, who: str) -> None:
        """Counts one request against limit ``name`` of ``who``; RateLimited (429) where it is one too many."""
        if not self.enabled:
            return
        item = LIMITS[name]
        if self._shared is not None:
            try:
                self._hit(self._shared, item, name, who)
                return
            except RateLimited:
                raise
            except Exception as error:
                log.warning("rate limits are per process: redis does not answer", error=type(error).__name__)
        self._hit(self._local, item, name, who)

    def _hit(self, limiter: MovingWindowRateLimiter, item: RateLimitItem, name: str, who: str) -> None:
        allowed = limiter.hit(item, name, who)
        reset, remaining = limiter.get_window_stats(item, name, who)
        wait = max(1, math.ceil(reset - time.time()))
        fields = {
            "RateLimit-Policy": f'"{name}";q={item.amount};w={item.get_expiry()}',
            "RateLimit": f'"{name}";r={remaining};t={wait}',
        }
        if not allowed:
            raise RateLimited(
                f"At most {item.amount} requests in {_words(item.get_expiry())}. Try again in {wait} seconds.",
                headers={"Retry-After": str(wait), **fields},
            )
        g.rate_limit = fields


def show(response: Response) -> Response:
    """Adds what is left of the limit (RateLimit header fields of the IETF's draft) to an answer."""
    for name, value in g.get("rate_limit", {}).items():
        response.headers.setdefault(name, value)
    return response


def _words(seconds: int) -> str:
    return {60: "a minute", 3600: "an hour"}.get(seconds, f"{seconds} seconds")
