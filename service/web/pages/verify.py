"""Pages that tell whether a file is genuine, and whether a certificate holds: for whoever was shown one."""

from __future__ import annotations

from typing import Any

from flask import Response, request

from ...authenticity import MOST_BYTES
from ...campaign.text import msgid
from ...problems import TooLarge, Unavailable
from .. import limits
from ..context import client, deployment
from ..i18n import language, translate
from ..uploads import content, said_of_file, takes_file
from .blueprint import pages
from .forms import FormMistakes
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
#: The same for what came out of a file.
VERDICT_WORDS = {
    "genuine": ("good", msgid("This file is genuine"), msgid("It is exactly what the campaign published.")),
    "genuine_old": (
        "warn",
        msgid("This file is genuine, and not the newest"),
        msgid("The campaign published it, and something newer counts now."),
    ),
    "altered": (
        "bad",
        msgid("This file was altered"),
        msgid("It says that it comes from the campaign, and is not what was published."),
    ),
    "carries_mark": (
        "warn",
        msgid("This file shows the logo"),
        msgid("The campaign did not publish it. Whether its maker may use the logo, their certificate tells."),
    ),
    "unknown": ("warn", msgid("This file is not known"), msgid("It is nothing that the campaign published.")),
}


@pages.get("/verify")
def verify() -> Response:
    """Show the form."""
    return _form(FormMistakes())


@pages.post("/verify")
@takes_file(MOST_BYTES)
def verify_submit() -> Response:
    """Say whether a file is genuine; nothing is kept, so the answer is this page."""
    limits.hit("artwork", client().network)
    mistakes = FormMistakes()
    file = request.files.get("file")
    if file is None or not file.filename:
        mistakes.add("file", translate(msgid("Choose a file.")))
        return _form(mistakes, 422)
    try:
        data = content(file, MOST_BYTES)
        found = deployment().authenticity.check(data, name=file.filename, language=language())
    except (TooLarge, Unavailable) as problem:
        mistakes.add("file", said_of_file(problem, MOST_BYTES))
        return _form(mistakes, problem.status)
    reasons = [translate(reason.text, **reason.values) for reason in found.reasons]
    return _form(mistakes, found=found, reasons=reasons, verdict=VERDICT_WORDS[found.verdict])


@pages.get("/verify/<certificate>")
def verified(certificate: str) -> Response:
    """Show what a certificate says and whether it holds now."""
    found = deployment().certificates.get(certificate)
    response = private("verified.html", certificate=found, words=STATUS_WORDS[found.status], now=deployment().clock())
    response.headers["X-Robots-Tag"] = "noindex"
    return response


def _form(mistakes: FormMistakes, status: int = 200, **shown: Any) -> Response:
    empty = status == 200 and not shown  # the same for everyone, and may be shared
    return private("verify.html", status, alternates=empty, mistakes=mistakes, megabytes=MOST_BYTES // 10**6, **shown)
