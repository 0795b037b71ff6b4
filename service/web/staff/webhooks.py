"""Deliveries to webhooks for staff: how each went, and trying one again."""

from __future__ import annotations

from flask import Response, url_for

from ...campaign.text import msgid
from ...problems import NotFound
from ...store import outbox
from ..context import deployment
from ..pages.blueprint import query
from ..pages.render import private, see_other
from .blueprint import PAGE, staff

_STATES = {"waiting": msgid("Waiting"), "delivered": msgid("Delivered"), "given up": msgid("Given up")}


@staff.get("/webhooks")
def webhooks() -> Response:
    """Show all deliveries, newest first."""
    found = outbox.listing(deployment().database, "webhook", query("cursor") or None, PAGE)
    return private("staff/webhooks.html", page=found, states=_STATES)


@staff.post("/webhooks/<delivery>/retry")
def webhook_retry(delivery: str) -> Response:
    """Try one again at once."""
    emblem, number = deployment(), outbox.number_of(delivery)
    if number is None or not outbox.retry(emblem.database, "webhook", number, emblem.clock()):
        raise NotFound
    return see_other(url_for("staff.webhooks"))
