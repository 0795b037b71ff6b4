"""What was handed out, for staff: links, downloads, embeds, the catalogue and the terms."""

from __future__ import annotations

from flask import Response, url_for

from ...campaign.text import msgid
from ...problems import UnknownPackage
from ..context import actor, deployment
from ..pages.blueprint import query
from ..pages.forms import Mistakes, required
from ..pages.render import private, see_other
from .blueprint import staff

_PAGE = 50
_LONGEST_REASON = 1000


@staff.get("/links")
def links() -> Response:
    """All links, or those of ``?participant=``."""
    participant = query("participant")
    found = deployment().links.list(participant=participant or None, cursor=query("cursor") or None, limit=_PAGE)
    return private("staff/links.html", page=found, participant=participant)


@staff.post("/links/<link>/revocation")
def link_revoke(link: str) -> Response:
    """Ends a link at once."""
    deployment().links.revoke(link, by=actor())
    return see_other(url_for("staff.links"))


@staff.get("/downloads")
def downloads() -> Response:
    """Every recorded download, narrowed by participant, package or link."""
    chosen = {name: query(name) for name in ("participant", "package", "link")}
    found = deployment().links.downloads(
        participant=chosen["participant"] or None,
        package=chosen["package"] or None,
        link=chosen["link"] or None,
        cursor=query("cursor") or None,
        limit=_PAGE,
    )
    packages = [facts.id for facts in deployment().catalogue.current()]
    return private("staff/downloads.html", page=found, chosen=chosen, packages=packages)


@staff.get("/embeds")
def embeds() -> Response:
    """All embeds, or those of ``?participant=``."""
    participant = query("participant")
    found = deployment().embeds.list(participant=participant or None, cursor=query("cursor") or None, limit=_PAGE)
    return private("staff/embeds.html", page=found, participant=participant)


@staff.post("/embeds/<key>/revocation")
def embed_revoke(key: str) -> Response:
    """Ends an embed."""
    deployment().embeds.revoke(key, by=actor())
    return see_other(url_for("staff.embeds"))


@staff.get("/catalogue")
def catalogue() -> Response:
    """What is published, version by version."""
    return _catalogue(Mistakes())


@staff.post("/catalogue/<package>/<version>/withdrawal")
def withdraw(package: str, version: str) -> Response:
    """Hands a version out no more."""
    mistakes = Mistakes()
    reason = required(
        mistakes, "reason", msgid("Write the reason; everybody can read it."), _LONGEST_REASON, lines=True
    )
    if mistakes:
        return _catalogue(mistakes, 422)
    deployment().catalogue.withdraw(package, version, reason)
    return see_other(url_for("staff.catalogue"))


@staff.get("/terms")
def terms() -> Response:
    """Every version of the terms with its digests, and the digest of the policies in force."""
    found = deployment()
    now = found.clock()
    rows = []
    for terms_id in found.campaign.terms.ids():
        for version in found.campaign.terms.versions(terms_id):
            current = found.campaign.terms.find_current(terms_id, now)
            state = "current" if version == current else "coming" if version.effective > now else "earlier"
            rows.append((version, state))
    return private("staff/terms.html", rows=rows)


def _catalogue(mistakes: Mistakes, status: int = 200) -> Response:
    catalogue, packages = deployment().catalogue, []
    # Not only what is handed out now: what was withdrawn altogether is shown here too.
    for package in catalogue.ids():
        try:
            versions = catalogue.versions(package)
        except UnknownPackage:  # not published, or not to be shown yet
            continue
        packages.append((versions[0].package, versions))
    return private("staff/catalogue.html", status, packages=packages, mistakes=mistakes)
