"""Rate limits of requests: what each kind of request counts against, and the header fields that tell it."""

from __future__ import annotations

import hashlib

from flask import Flask, Response, g, request

from ..limits import Limiter
from .context import client, deployment

#: The forms that send mail, and the limit of each.
_FORMS = {"pages.join_submit": "joining", "pages.sign_in_submit": "sign-in"}


def hit(name: str, who: str) -> None:
    """Count this request against limit ``name`` of ``who``; RateLimited (429) where it is one too many."""
    if fields := deployment().limiter.hit(name, who):
        g.rate_limit = fields


def install(app: Flask, limiter: Limiter) -> None:
    """Refuse the forms that send mail early, where their address has sent too many."""

    @app.before_request
    def refuse() -> None:
        name = _FORMS.get(request.endpoint or "")
        if name is not None and request.method == "POST":
            limiter.hit(name, client().network, count=False)


def permit_mail(mailbox: str) -> None:
    """Count a form that sends mail, by its sender's address and by the mailbox that it names; RateLimited (429).

    Called once the form is right and before anything is written: of many at once no more get through than may, and
    one that is sent back with mistakes in it does not count. ``mailbox`` is the address as it is compared.
    """
    name = _FORMS[request.endpoint or ""]
    hit(name, client().network)
    digest = hashlib.sha256(mailbox.encode("utf-8", "surrogatepass")).hexdigest()
    hit("mailbox", f"{name} {digest}")


def show(response: Response) -> Response:
    """Adds what is left of the limit (RateLimit header fields of the IETF's draft) to an answer."""
    for name, value in g.get("rate_limit", {}).items():
        response.headers.setdefault(name, value)
    return response
