"""Deliveries to webhooks for staff: how each went, trying one again, and sending entries of the log once more."""

from __future__ import annotations

from flask import Response, request, url_for

from ...campaign.text import msgid
from ...problems import InvalidRequest, NotFound
from ...store import outbox
from ..context import deployment
from ..i18n import translate, translate_error
from ..pages.blueprint import query
from ..pages.forms import FormMistakes, sent
from ..pages.render import private, see_other
from .blueprint import PAGE, staff

_STATES = {"waiting": msgid("Waiting"), "delivered": msgid("Delivered"), "given up": msgid("Given up")}
_DIGITS = 15  # of a leaf's number


@staff.get("/webhooks")
def webhooks() -> Response:
    """Show all deliveries, newest first, and the form that sends entries once more."""
    return _page(FormMistakes())


@staff.post("/webhooks/replays")
def webhooks_replay() -> Response:
    """Send the entries from a leaf on once more, to one address or to all that ask for entries."""
    emblem, mistakes, leaf = deployment(), FormMistakes(), sent("from")
    if not (leaf.isascii() and leaf.isdigit() and len(leaf) <= _DIGITS):
        mistakes.add("from", translate(msgid("Write the leaf as a whole number; the log counts from 0.")))
        return _page(mistakes, 422)
    try:
        done = emblem.entry_webhooks.replay(emblem.alerts.rules.webhooks, int(leaf), sent("url", 2000) or None)
    except InvalidRequest as problem:
        for wrong in problem.errors:
            mistakes.add(wrong.pointer.strip("/"), translate_error(wrong))
        return _page(mistakes, 422)
    return see_other(url_for("staff.webhooks", replayed=sum(one.entries for one in done)))


@staff.post("/webhooks/<delivery>/retry")
def webhook_retry(delivery: str) -> Response:
    """Try one again at once."""
    emblem, number = deployment(), outbox.number_of(delivery)
    if number is None or not outbox.retry(emblem.database, "webhook", number, emblem.clock()):
        raise NotFound
    return see_other(url_for("staff.webhooks"))


def _page(mistakes: FormMistakes, status: int = 200) -> Response:
    emblem = deployment()
    return private(
        "staff/webhooks.html",
        status,
        page=outbox.listing(emblem.database, "webhook", query("cursor") or None, PAGE),
        states=_STATES,
        asking=[hook.url for hook in emblem.alerts.rules.webhooks if hook.kinds],
        replayed=query("replayed"),
        mistakes=mistakes,
        values=request.form,
    )
