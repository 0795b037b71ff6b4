"""Links and downloads for staff: every link that was issued, and every download that was recorded."""

from __future__ import annotations

from flask import Response, request, url_for

from ...campaign.text import msgid
from ...campaign.typed_text import LONGEST_TEXT
from ..context import actor, deployment
from ..pages.blueprint import query
from ..pages.forms import FormMistakes, required
from ..pages.render import private, see_other
from .blueprint import PAGE, staff


@staff.get("/links")
def links() -> Response:
    """Show all links, or those of ``?participant=``."""
    participant = query("participant")
    found = deployment().links.list(participant=participant or None, cursor=query("cursor") or None, limit=PAGE)
    return private("staff/links.html", page=found, participant=participant)


@staff.get("/links/<link>")
def link(link: str) -> Response:
    """Show one link: its downloads of the last week, what became of it, and the form that ends it or brings it back."""
    return _link(link, FormMistakes())


@staff.post("/links/<link>/revocation")
def link_revoke(link: str) -> Response:
    """End a link at once, and tell its partner why."""
    mistakes = FormMistakes()
    reason = required(mistakes, "reason", msgid("Write the reason; the partner is told."), LONGEST_TEXT, lines=True)
    if mistakes:
        return _link(link, mistakes, 422)
    deployment().endings.end("link", link, by=actor(), reason=reason)
    return see_other(url_for("staff.link", link=link))


@staff.post("/links/<link>/restoration")
def link_restore(link: str) -> Response:
    """Bring a link back, and tell its partner why."""
    mistakes = FormMistakes()
    reason = required(mistakes, "reason", msgid("Write the reason; the partner is told."), LONGEST_TEXT, lines=True)
    if mistakes:
        return _link(link, mistakes, 422)
    deployment().endings.restore("link", link, by=actor(), reason=reason)
    return see_other(url_for("staff.link", link=link))


def _link(link: str, mistakes: FormMistakes, status: int = 200) -> Response:
    found = deployment()
    one = found.links.get(link)
    return private(
        "staff/link.html",
        status,
        link=one,
        downloads=found.endings.downloads(link),
        history=found.endings.history(link),
        owner=found.participants.listing.get(one.state.participant),
        mistakes=mistakes,
        values=request.form,
    )


@staff.get("/downloads")
def downloads() -> Response:
    """Show every recorded download, narrowed by participant, package or link."""
    chosen = {name: query(name) for name in ("participant", "package", "link")}
    found = deployment().links.downloads(
        participant=chosen["participant"] or None,
        package=chosen["package"] or None,
        link=chosen["link"] or None,
        cursor=query("cursor") or None,
        limit=PAGE,
    )
    packages = [facts.id for facts in deployment().catalogue.current()]
    return private("staff/downloads.html", page=found, chosen=chosen, packages=packages)
