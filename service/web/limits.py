"""Rate limits of requests: what each kind of request counts against, and the header fields that tell it."""

from __future__ import annotations

import hashlib

import structlog
from flask import Flask, Response, g, request

from ..campaign import typed_text
from ..limits import Limiter
from ..problems import RateLimited
from .context import client, deployment

log = structlog.get_logger()

#: The forms that send mail, and the limit of each.
_FORMS = {"pages.join_submit": "joining", "pages.sign_in_submit": "sign-in"}


def hit(name: str, who: str) -> None:
    """Count this request against limit ``name`` of ``who``; RateLimited (429) where it is one too many."""
    if fields := deployment().limiter.hit(name, who):
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
    mailbox = typed_text.clean(request.form.get("email", "")).lower()
    digest = hashlib.sha256(mailbox.encode("utf-8", "surrogatepass")).hexdigest()
    return [(name, client().network), ("mailbox", f"{name} {digest}")]


def show(response: Response) -> Response:
    """Adds what is left of the limit (RateLimit header fields of the IETF's draft) to an answer."""
    for name, value in g.get("rate_limit", {}).items():
        response.headers.setdefault(name, value)
    return response
