"""Rate limits of requests: what each kind of request counts against, and the header fields that tell it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from flask import Flask, Response, g, request

from ..limits import Limiter
from .context import client, deployment
from .security import current_session

_PAGES = ("pages", "staff")  # whose forms people send; what programs send has limits of its own
#: The forms that send mail, and the limit of each.
_FORMS = {"pages.join_submit": "joining", "pages.sign_in_submit": "sign-in"}


def hit(name: str, who: str) -> None:
    """Count this request against limit ``name`` of ``who``; RateLimited (429) where it is one too many."""
    if fields := deployment().limiter.hit(name, who):
        g.rate_limit = fields


def install(app: Flask, limiter: Limiter) -> None:
    """Refuse more forms than anybody fills in, and early those that send mail, of an address that has sent too many."""

    @app.before_request
    def refuse() -> None:
        if request.method != "POST" or request.blueprint not in _PAGES:
            return
        session = current_session()
        limiter.hit("form", _digest(session.email) if session else client().network)
        if (name := _FORMS.get(request.endpoint or "")) is not None:
            limiter.hit(name, client().network, count=False)


def permit_mail(mailbox: str) -> None:
    """Count a form that sends mail, by its sender's address and by the mailbox that it names; RateLimited (429).

    Called once the form is right and before anything is written: of many at once no more get through than may, and
    one that is sent back with mistakes in it does not count. ``mailbox`` is the address as it is compared.
    """
    name = _FORMS[request.endpoint or ""]
    hit(name, client().network)
    hit("mailbox", f"{name} {_digest(mailbox)}")


def permit_invitation(participant: str) -> Callable[[str], None]:
    """Return what counts an invitation by a participant, and by the mailbox that it goes to; RateLimited (429)."""

    def permit(mailbox: str) -> None:
        hit("invitation", participant)
        hit("mailbox", f"invitation {_digest(mailbox)}")

    return permit


def _digest(mailbox: str) -> str:
    return hashlib.sha256(mailbox.encode("utf-8", "surrogatepass")).hexdigest()


def show(response: Response) -> Response:
    """Adds what is left of the limit (RateLimit header fields of the IETF's draft) to an answer."""
    for name, value in g.get("rate_limit", {}).items():
        response.headers.setdefault(name, value)
    return response
