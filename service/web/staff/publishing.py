"""Publishing for staff: what the draft would change, whom it would ask, past decisions under it, and the publishing.

The draft is what lies in the folders of policies and assets; the files are edited there.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from flask import Response, request, url_for

from ...campaign import CampaignError
from ...campaign.text import msgid
from ...campaign.typed_text import LONGEST_TEXT
from ...participants.trial import count_asked_again, try_policies
from ..context import actor, deployment
from ..i18n import translate
from ..pages.blueprint import query
from ..pages.forms import FormMistakes, required, sent
from ..pages.render import private, see_other
from ..security import require_recent, require_session
from .blueprint import staff

if TYPE_CHECKING:
    from ...packages.publishing import Publisher

_SHOWN = 20  # publications
_OTHERWISE = 200  # applications that a page names


@staff.get("/publishing")
def publishing() -> Response:
    """Show what publishing would change and whom it would ask; with ``?try=yes`` past decisions under the draft."""
    return _publishing(FormMistakes())


@staff.post("/publishing")
def publish() -> Response:
    """Publish what the page showed; the running service takes it up within five seconds."""
    mistakes = FormMistakes()
    reason = required(mistakes, "reason", msgid("Write why it is published; staff read it."), LONGEST_TEXT, lines=True)
    if mistakes:
        return _publishing(mistakes, 422)
    require_recent()
    try:
        with _publisher() as publisher:
            if _mark(publisher) != sent("draft"):
                mistakes.add("", translate(msgid("The files have changed since. Look at the changes again.")))
                return _publishing(mistakes, 409)
            publisher.publish(by=actor(), reason=reason)
    except CampaignError:
        return _publishing(mistakes, 422)
    deployment().refresh()
    return see_other(url_for("staff.publishing", done="yes"))


def _publishing(mistakes: FormMistakes, status: int = 200) -> Response:
    require_session("staff")
    found = deployment()
    context: dict[str, Any] = {"draft": None, "wrong": (), "again": 0, "trial": None, "mark": ""}
    try:
        with _publisher() as publisher:
            context["draft"], context["mark"] = publisher.draft(), _mark(publisher)
            context["again"] = count_asked_again(found.database, found.campaign, publisher.campaign, found.clock)
            if query("try") == "yes":
                context["trial"] = try_policies(found.database, found.campaign, publisher.campaign, found.clock)
    except CampaignError as error:
        context["wrong"] = error.mistakes
    return private(
        "staff/publishing.html",
        status,
        **context,
        most=_OTHERWISE,
        publications=found.publications.list(_SHOWN),
        done=query("done") == "yes",
        mistakes=mistakes,
        values=request.form,
    )


@contextmanager
def _publisher() -> Iterator[Publisher]:
    from ...deployment import open_publisher  # here, because only who publishes needs the renderers

    found = deployment()
    with open_publisher(found.settings, found.clock) as publisher:
        yield publisher


def _mark(publisher: Publisher) -> str:
    """Return what tells a draft from another, so that nothing is published that nobody has seen."""
    return publisher.digest()
