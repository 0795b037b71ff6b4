"""Ending the mails of who waits, from the mail itself: by the button of this page, or by one click in the mail reader.

Mail readers send RFC 8058's POST without a cookie; whose mails end is in the signed link.
"""

from __future__ import annotations

from flask import Response

from ..context import deployment
from .blueprint import pages
from .render import private


@pages.get("/digest/<token>")
def digest_end(token: str) -> Response:
    """Show the button."""
    deployment().desk.digest.reader(token)
    return private("digest.html", ended=False)


@pages.post("/digest/<token>")
def digest_end_submit(token: str) -> Response:
    """End them."""
    deployment().desk.digest.off(token)
    return private("digest.html", ended=True)
