"""Links and downloads for staff: every link that was issued, and every download that was recorded."""

from __future__ import annotations

from flask import Response, url_for

from ..context import actor, deployment
from ..pages.blueprint import query
from ..pages.forms import sent
from ..pages.render import private, see_other
from .blueprint import PAGE, staff


@staff.get("/links")
def links() -> Response:
    """Show all links, or those of ``?participant=``."""
    participant = query("participant")
    found = deployment().links.list(participant=participant or None, cursor=query("cursor") or None, limit=PAGE)
    return private("staff/links.html", page=found, participant=participant)


@staff.post("/links/<link>/revocation")
def link_revoke(link: str) -> Response:
    """End a link at once."""
    deployment().links.revoke(link, by=actor(), reason=sent("reason"))
    return see_other(url_for("staff.links"))


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
