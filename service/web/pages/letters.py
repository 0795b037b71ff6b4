"""The page of a letter about a report of misuse: what it says, until when, what was answered, and how it ended.

Whoever got the letter needs no account: the link in it is signed, and good for that matter alone.
"""

from __future__ import annotations

from flask import Response, request, url_for

from ...campaign.text import msgid
from ...campaign.typed_text import LONGEST_TEXT
from ...problems import CaseDecided, InvalidRequest
from .. import limits
from ..context import client, deployment
from ..i18n import translate_error
from .blueprint import pages
from .forms import FormMistakes, kept, required
from .render import private, see_other

_LIMIT = "misuse"


@pages.get("/letter/<token>")
def letter(token: str) -> Response:
    """Show the letter."""
    return _letter(token, FormMistakes())


@pages.post("/letter/<token>")
def letter_answer(token: str) -> Response:
    """Take an answer to it."""
    mistakes = FormMistakes()
    if kept():
        return _letter(token, mistakes)
    text = required(mistakes, "text", msgid("Write something here."), LONGEST_TEXT, lines=True)
    if not mistakes:
        limits.hit(_LIMIT, client().network)
        try:
            deployment().desk.replies.answer(token, text)
        except InvalidRequest as problem:
            for error in problem.errors:
                mistakes.add("text", translate_error(error))
        except CaseDecided as problem:
            mistakes.add("text", translate_error(problem))
    if mistakes:
        return _letter(token, mistakes, 422)
    return see_other(url_for("pages.letter", token=token, _anchor="answered"))


def _letter(token: str, mistakes: FormMistakes, status: int = 200) -> Response:
    seen = deployment().desk.replies.read(token)
    return private("letter.html", status, letter=seen, token=token, mistakes=mistakes, values=request.form)
