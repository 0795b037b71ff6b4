"""Reporting misuse of the logo: a form for anybody, and what happens then."""

from __future__ import annotations

from flask import Response, request, url_for
from markupsafe import Markup

from ...campaign.text import msgid
from ...problems import FieldError, InvalidRequest
from .. import limits
from ..context import client, deployment
from ..i18n import language, translate, translate_error
from .blueprint import pages, query
from .forms import FormMistakes, kept, sent
from .join import web_address
from .render import private, public, see_other

_LIMIT = "misuse"
_FIELDS = ("url", "description", "email")
_WORDS = {
    "url": msgid("Give a complete web address, such as https://www.example.org/page."),
    "email": msgid("Give an e-mail address such as name@example.org."),
}


@pages.get("/report")
def report() -> Response:
    """Show the form, or that a report was taken."""
    if case := query("sent", 60):
        return private("report_sent.html", case=case)
    return public("report.html", mistakes=FormMistakes(), values={})


@pages.post("/report")
def report_submit() -> Response:
    """Take a report; every mistake is shown beside its field."""
    if kept():
        return private("report.html", mistakes=FormMistakes(), values=request.form)
    limits.hit(_LIMIT, client().network)
    said = {name: sent(name) for name in _FIELDS}
    said["url"] = web_address(said["url"])
    try:
        case = deployment().desk.misuse.report({**said, "email": said["email"] or None, "language": language()})
    except InvalidRequest as problem:
        mistakes = FormMistakes()
        for error in problem.errors:
            name = error.pointer.strip("/")
            mistakes.add(name, _words(name, said.get(name, ""), error))
        return private("report.html", 422, mistakes=mistakes, values=request.form)
    return see_other(url_for("pages.report", sent=case))


def _words(name: str, value: str, error: FieldError) -> Markup:
    if not value:
        return translate(msgid("Write something here."))
    return translate(_WORDS[name]) if name in _WORDS else translate_error(error)
