"""The catalogue for staff: what is published, version by version, and the terms with their digests."""

from __future__ import annotations

from flask import Response, url_for

from ...campaign.text import msgid
from ...problems import UnknownPackage
from ..context import actor, deployment
from ..pages.forms import FormMistakes, required
from ..pages.render import private, see_other
from .blueprint import staff

_LONGEST_REASON = 1000


@staff.get("/catalogue")
def catalogue() -> Response:
    """Show what is published, version by version."""
    return _catalogue(FormMistakes())


@staff.post("/catalogue/<package>/<version>/withdrawal")
def withdraw(package: str, version: str) -> Response:
    """Hand a version out no more."""
    mistakes = FormMistakes()
    reason = required(
        mistakes, "reason", msgid("Write the reason; everybody can read it."), _LONGEST_REASON, lines=True
    )
    if mistakes:
        return _catalogue(mistakes, 422)
    deployment().catalogue.withdraw(package, version, reason, by=actor())
    return see_other(url_for("staff.catalogue"))


@staff.get("/terms")
def terms() -> Response:
    """Show every version of the terms with its digests, and the digest of the policies in force."""
    found = deployment()
    now = found.clock()
    rows = []
    for terms_id in found.campaign.terms.ids():
        for version in found.campaign.terms.versions(terms_id):
            current = found.campaign.terms.find_current(terms_id, now)
            state = "current" if version == current else "coming" if version.effective > now else "earlier"
            rows.append((version, state))
    return private("staff/terms.html", rows=rows)


def _catalogue(mistakes: FormMistakes, status: int = 200) -> Response:
    catalogue, packages = deployment().catalogue, []
    # Not only what is handed out now: what was withdrawn altogether is shown here too.
    for package in catalogue.ids():
        try:
            versions = catalogue.versions(package)
        except UnknownPackage:  # not published, or not to be shown yet
            continue
        packages.append((versions[0].package, versions))
    return private("staff/catalogue.html", status, packages=packages, mistakes=mistakes)
