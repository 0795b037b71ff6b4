"""Embeds for staff: where partners show the logo, what an end would break, ending one and bringing it back."""

from __future__ import annotations

from flask import Response, request, url_for

from ...campaign.text import msgid
from ...campaign.typed_text import LONGEST_TEXT
from ..context import actor, deployment
from ..pages.blueprint import query
from ..pages.forms import FormMistakes, required
from ..pages.render import private, see_other
from .blueprint import PAGE, staff


@staff.get("/embeds")
def embeds() -> Response:
    """Show all embeds, or those of ``?participant=``."""
    participant = query("participant")
    found = deployment().embeds.list(participant=participant or None, cursor=query("cursor") or None, limit=PAGE)
    return private("staff/embeds.html", page=found, participant=participant)


@staff.get("/embeds/<key>")
def embed(key: str) -> Response:
    """Show one embed: its use of the last week, what became of it, and the form that ends it or brings it back."""
    return _embed(key, FormMistakes())


@staff.post("/embeds/<key>/revocation")
def embed_revoke(key: str) -> Response:
    """End an embed, and tell its partner why."""
    mistakes = FormMistakes()
    reason = required(mistakes, "reason", msgid("Write the reason; the partner is told."), LONGEST_TEXT, lines=True)
    if mistakes:
        return _embed(key, mistakes, 422)
    deployment().endings.end("embed", key, by=actor(), reason=reason)
    return see_other(url_for("staff.embed", key=key))


@staff.post("/embeds/<key>/restoration")
def embed_restore(key: str) -> Response:
    """Bring an embed back, and tell its partner why."""
    mistakes = FormMistakes()
    reason = required(mistakes, "reason", msgid("Write the reason; the partner is told."), LONGEST_TEXT, lines=True)
    if mistakes:
        return _embed(key, mistakes, 422)
    deployment().endings.restore("embed", key, by=actor(), reason=reason)
    return see_other(url_for("staff.embed", key=key))


def _embed(key: str, mistakes: FormMistakes, status: int = 200) -> Response:
    found = deployment()
    one = found.embeds.get(key)
    return private(
        "staff/embed.html",
        status,
        embed=one,
        uses=found.endings.views(key),
        history=found.endings.history(key),
        owner=found.participants.listing.get(one.participant),
        mistakes=mistakes,
        values=request.form,
    )
