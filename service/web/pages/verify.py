"""Whether a certificate holds, for whoever was shown one."""

from __future__ import annotations

from flask import Response

from ...campaign.text import msgid
from ..context import deployment
from .blueprint import pages
from .render import private

#: What a state says, and how the notice looks.
STATUS_WORDS = {
    "valid": ("good", msgid("This certificate holds"), msgid("Its holder may use the logo as agreed in the terms.")),
    "suspended": (
        "warn",
        msgid("This certificate is suspended"),
        msgid("Its holder may not use the logo for the time being."),
    ),
    "superseded": (
        "warn",
        msgid("A newer certificate took the place of this one"),
        msgid("Ask its holder for the newer one."),
    ),
    "lapsed": (
        "warn",
        msgid("This certificate has lapsed"),
        msgid("Its holder has not accepted the terms in force, or has not renewed the permission."),
    ),
    "revoked": ("bad", msgid("This certificate was revoked"), msgid("Its holder may not use the logo.")),
}


@pages.get("/verify/<certificate>")
def verified(certificate: str) -> Response:
    """Show what a certificate says and whether it holds now."""
    found = deployment().certificates.get(certificate)
    response = private("verified.html", certificate=found, words=STATUS_WORDS[found.status], now=deployment().clock())
    response.headers["X-Robots-Tag"] = "noindex"
    return response
