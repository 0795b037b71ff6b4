"""Rate limits: one table, counted per process or, with ``EMBLEM_REDIS_URL``, for all machines together."""

from __future__ import annotations

import hashlib
import math
import time
from dataclasses import dataclass

import structlog
from flask import Flask, Response, g, has_request_context, request
from limits import RateLimitItem, RateLimitItemPerHour, RateLimitItemPerMinute
from limits.storage import storage_from_string
from limits.strategies import MovingWindowRateLimiter

from ..problems import RateLimited
from .context import client

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


#: The forms that send mail, and the limit of each.
_FORMS = {"pages.join_submit": "joining", "pages.sign_in_submit": "sign-in"}


@dataclass
class Limiter:
    """Hits and refuses. Where Redis does not answer, this process counts for itself."""

    enabled: bool
    redis_url: str = ""

    def __post_init__(self) -> None:
        """Opens the storages; Redis connects at the first hit."""
        self._local = MovingWindowRateLimiter(storage_from_string("memory://"))
        self._shared = MovingWindowRateLimiter(storage_from_string(self.redis_url)) if self.redis_url else None

    def hit(self, name: str, who: str, *, count: bool = True) -> None:
        """Counts one request against limit ``name`` of ``who``; RateLimited (429) where it is one too many.

        Without ``count`` it only says whether the next one would be too many.
        """
        if not self.enabled:
            return
        if self._shared is not None:
            try:
                self._hit(self._shared, name, who, count)
                return
            except RateLimited:
                raise
            except Exception as error:
                log.warning("rate limits are per process: redis does not answer", error=type(error).__name__)
        self._hit(self._local, name, who, count)

    def _hit(self, limiter: MovingWindowRateLimiter, name: str, who: str, count: bool) -> None:
        item = LIMITS[name]
        allowed = limiter.hit(item, name, who) if count else limiter.test(item, name, who)
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
        if has_request_context():
            g.rate_limit = fields


def install(app: Flask, limiter: Limiter) -> None:
    """Limits the forms that send mail: by address, and by the mailbox that they name.

    A form that is sent back with mistakes in it sends no mail and does not count.
    """

    @app.before_request
    def refuse() -> None:
        for name, who in _form_limits():
            limiter.hit(name, who, count=False)

    @app.after_request
    def count(response: Response) -> Response:
        if response.status_code == 303:
            for name, who in _form_limits():
                try:
                    limiter.hit(name, who)
                except RateLimited:  # another request was quicker; this one has been answered already
                    log.info("rate limit reached", limit=name)
        return response


def _form_limits() -> list[tuple[str, str]]:
    name = _FORMS.get(request.endpoint or "")
    if name is None or request.method != "POST":
        return []
    mailbox = request.form.get("email", "").strip().lower()
    return [(name, client().network), (name, hashlib.sha256(mailbox.encode()).hexdigest())]


def show(response: Response) -> Response:
    """Adds what is left of the limit (RateLimit header fields of the IETF's draft) to an answer."""
    for name, value in g.get("rate_limit", {}).items():
        response.headers.setdefault(name, value)
    return response


def _words(seconds: int) -> str:
    return {60: "a minute", 3600: "an hour"}.get(seconds, f"{seconds} seconds")
