"""API keys for staff: who has one and what it may, making one, giving it a new secret, and ending it."""

from __future__ import annotations

from datetime import timedelta

from flask import Response, request, url_for

from ...campaign import typed_text
from ...campaign.text import msgid
from ...campaign.typed_text import LONGEST_TEXT
from ...participants import ROLES, ApiKeyView
from ...problems import InvalidRequest
from ..context import actor, deployment
from ..i18n import translate, translate_error
from ..pages.forms import FormMistakes, required, sent
from ..pages.render import private, see_other
from ..security import require_recent, require_session
from .blueprint import staff

#: What the form offers: how many days a key lives; the last is for ever.
LIVES = (30, 90, 365, 0)
#: How many hours the secret of before stays good.
OVERLAPS = (0, 24, 168)
ROLE_WORDS = {
    "portal": msgid("Portal: a download page that joins participants"),
    "partner": msgid("Partner: one participant"),
    "staff": msgid("Staff: everything, as yourself"),
    "auditor": msgid("Auditor: reads what is audited"),
}


@staff.get("/keys")
def keys() -> Response:
    """Show all keys, newest first, and the form that makes one."""
    return _page(FormMistakes())


@staff.post("/keys")
def key_create() -> Response:
    """Make a key and show its secret, once; one of staff is of whoever makes it."""
    require_recent()
    found, session = deployment(), require_session("staff")
    role = sent("role")
    try:
        scope = found.scope(
            read_only=bool(sent("read_only")), package=sent("package") or None, origin=sent("origin", 1000) or None
        )
        made = found.participants.api_keys.create(
            role,
            participant=sent("participant", 100) or None,
            staff=session.staff if role == "staff" else None,
            name=typed_text.clean(sent("name")),
            scope=scope,
            life=_days(sent("life")),
            by=actor(),
        )
    except InvalidRequest as error:
        mistakes = FormMistakes()
        for wrong in error.errors:
            mistakes.add(wrong.pointer.strip("/"), translate_error(wrong))
        return _page(mistakes, 422)
    return private("staff/key_secret.html", key=made[0], secret=made[1])


@staff.post("/keys/<key>/rotation")
def key_rotate(key: str) -> Response:
    """Give a key a new secret and show it, once."""
    require_recent()
    hours = int(sent("overlap")) if sent("overlap") in map(str, OVERLAPS) else 24
    made = deployment().participants.api_keys.rotate(key, overlap=timedelta(hours=hours), by=actor())
    return private("staff/key_secret.html", key=made[0], secret=made[1])


@staff.post("/keys/<key>/revocation")
def key_revoke(key: str) -> Response:
    """End a key, with the reason that is kept with it."""
    mistakes = FormMistakes()
    reason = required(mistakes, "reason", msgid("Write why it is ended; staff read it."), LONGEST_TEXT, lines=True)
    if mistakes:
        return _page(mistakes, 422, chosen=key)
    deployment().participants.api_keys.revoke(key, by=actor(), reason=reason)
    return see_other(url_for("staff.keys"))


def _days(text: str) -> timedelta | None:
    days = int(text) if text in map(str, LIVES) else LIVES[1]
    return timedelta(days=days) if days else None


def _page(mistakes: FormMistakes, status: int = 200, *, chosen: str = "") -> Response:
    found = deployment()
    listed = found.participants.api_keys.list()
    return private(
        "staff/keys.html",
        status,
        keys=listed,
        state=_state,
        roles=[(role, translate(ROLE_WORDS[role])) for role in ROLES],
        lives=LIVES,
        overlaps=OVERLAPS,
        packages=found.catalogue.ids(),
        mistakes=mistakes,
        chosen=chosen,
        values=request.form,
    )


def _state(key: ApiKeyView) -> str:
    if key.revoked is not None:
        return "revoked"
    return "expired" if key.expires_at is not None and key.expires_at <= deployment().clock() else "active"
