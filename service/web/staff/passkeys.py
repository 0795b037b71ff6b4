"""Passkeys for staff: one's own, and the word that a colleague has lost theirs."""

from __future__ import annotations

from flask import Response, make_response, url_for

from ...problems import InvalidRequest, PasskeyRefused
from .. import passkey_place, security
from ..context import deployment
from ..i18n import language, translate_error
from ..pages.forms import FormMistakes, sent
from ..pages.render import private, see_other
from .blueprint import staff


@staff.get("/passkeys")
def passkeys() -> Response:
    """Show one's own passkeys, and the colleagues who have any."""
    return _page(FormMistakes())


@staff.post("/passkeys/options")
def passkey_options() -> Response:
    """Give the browser what it needs to make a passkey."""
    security.require_recent()
    me = _me()
    response = make_response(deployment().passkeys.offer(me, deployment().participants.staff.get(me).label))
    response.headers["Content-Type"] = "application/json"
    response.headers["Cache-Control"] = "private, no-store"
    return response


@staff.post("/passkeys")
def passkey_add() -> Response:
    """Keep the passkey that the browser made."""
    security.require_recent()
    try:
        deployment().passkeys.add(
            _me(),
            sent("credential", 20_001),
            name=sent("name"),
            keep=security.session_secret(),
            language=language(),
        )
    except InvalidRequest as error:
        mistakes = FormMistakes()
        for wrong in error.errors:
            mistakes.add(wrong.pointer.strip("/"), translate_error(wrong))
        return _page(mistakes, 422)
    except PasskeyRefused as refused:
        mistakes = FormMistakes()
        mistakes.add("", translate_error(refused))
        return _page(mistakes, 422)
    return see_other(url_for("staff.passkeys"))


@staff.post("/passkeys/<passkey>/removal")
def passkey_remove(passkey: str) -> Response:
    """Remove one of one's own."""
    security.require_recent()
    deployment().passkeys.remove(_me(), passkey, language=language())
    return see_other(url_for("staff.passkeys"))


@staff.post("/passkeys/recovery/<member>")
def passkey_recovery(member: str) -> Response:
    """Say that a colleague has lost theirs; the second who says so removes them."""
    security.require_recent()
    deployment().passkeys.agree_to_recovery(member, by=_me(), language=language())
    return see_other(url_for("staff.passkeys"))


def _me() -> str:
    return security.require_session("staff").staff or ""


def _page(mistakes: FormMistakes, status: int = 200) -> Response:
    found, me = deployment(), _me()
    counts = found.passkeys.counts()
    others = [(one, counts[one.id]) for one in found.participants.staff.list() if one.id != me and one.id in counts]
    return private(
        "staff/passkeys.html",
        status,
        mine=found.passkeys.of(me),
        others=others,
        waiting=found.passkeys.waiting(),
        offered=found.passkeys.relying_party is not None,
        elsewhere=passkey_place.elsewhere(),
        mistakes=mistakes,
    )
