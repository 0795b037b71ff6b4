"""Embeds: making and ending one's own, and the public page of each, which editors can paste as one link."""

from __future__ import annotations

from flask import Response, request, url_for

from ...campaign.text import msgid
from ...problems import (
    EmbedRevoked,
    InvalidRequest,
    NotFound,
    ParticipantNotApproved,
    TermsNotAccepted,
    UnknownLogo,
)
from ..context import actor, deployment
from ..i18n import translate, translate_error
from ..security import require_session
from .account import own
from .blueprint import pages
from .forms import FormMistakes, sent
from .render import private, public, see_other

_MOST_ORIGINS = 100
_UNLISTED = ("report", "refuse")


@pages.get("/embeds/<key>")
def embed(key: str) -> Response:
    """Show the page of an embed: the logo as it looks, and what to paste to show it."""
    found = deployment().embeds.get(key)
    if found.status == "revoked":
        raise EmbedRevoked
    if found.logo not in deployment().campaign.logos:
        raise UnknownLogo
    return public("embed.html", embed=found)


@pages.get("/account/embeds/new")
def embed_new() -> Response:
    """Show the form for a new embed."""
    own(require_session())
    return _form(FormMistakes())


@pages.post("/account/embeds/new")
def embed_create() -> Response:
    """Make an embed and lead to its page."""
    participant = own(require_session())
    mistakes = FormMistakes()
    origins = [line.strip() for line in sent("origins").splitlines() if line.strip()][: _MOST_ORIGINS + 1]
    logo, unlisted = sent("logo"), sent("unlisted")
    if logo not in deployment().campaign.logos:
        mistakes.add("logo", translate(msgid("Choose one.")))
    if unlisted not in _UNLISTED:
        mistakes.add("unlisted", translate(msgid("Choose one.")))
    if not origins:
        mistakes.add("origins", translate(msgid("Write at least one site.")))
    if mistakes:
        return _form(mistakes, 422)
    try:
        made = deployment().embeds.create(participant, logo=logo, origins=origins, unlisted=unlisted, by=actor())
    except InvalidRequest as problem:
        for error in problem.errors:
            name = error.pointer.strip("/").partition("/")[0]
            # One line of many is wrong: saying which is the help.
            index = error.pointer.rpartition("/")[2]
            line = origins[int(index)] if name == "origins" and index.isdigit() and int(index) < len(origins) else ""
            words = translate_error(error)
            mistakes.add(name, words if not line else translate("%(line)s: %(words)s", line=line, words=words))
        return _form(mistakes, 422)
    except TermsNotAccepted:
        mistakes.add("", translate(msgid("Accept the terms of use of this logo first; your account page leads there.")))
        return _form(mistakes, 403)
    except ParticipantNotApproved:
        mistakes.add("", translate(msgid("Embeds can be made once your application is approved.")))
        return _form(mistakes, 403)
    return see_other(url_for("pages.embed", key=made.key))


@pages.post("/account/embeds/<key>/revocation")
def embed_revoke(key: str) -> Response:
    """End one of one's own embeds."""
    participant = own(require_session())
    if deployment().embeds.get(key).participant != participant:
        raise NotFound("There is no embed with this key that is yours.")
    deployment().embeds.revoke(key, by=actor())
    return see_other(url_for("pages.account", _anchor="embeds"))


def _form(mistakes: FormMistakes, status: int = 200) -> Response:
    values = request.form if request.method == "POST" else {"unlisted": "report"}
    return private("embed_new.html", status, mistakes=mistakes, values=values, logos=deployment().campaign.logos)
