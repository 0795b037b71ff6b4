"""Embeds for staff: where partners show the logo."""

from __future__ import annotations

from flask import Response, url_for

from ..context import actor, deployment
from ..pages.blueprint import query
from ..pages.forms import sent
from ..pages.render import private, see_other
from .blueprint import PAGE, staff


@staff.get("/embeds")
def embeds() -> Response:
    """Show all embeds, or those of ``?participant=``."""
    participant = query("participant")
    found = deployment().embeds.list(participant=participant or None, cursor=query("cursor") or None, limit=PAGE)
    return private("staff/embeds.html", page=found, participant=participant)


@staff.post("/embeds/<key>/revocation")
def embed_revoke(key: str) -> Response:
    """End an embed."""
    deployment().embeds.revoke(key, by=actor(), reason=sent("reason"))
    return see_other(url_for("staff.embeds"))
