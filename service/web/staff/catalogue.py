"""The catalogue for staff: what is published, version by version, and the terms with their digests."""

from __future__ import annotations

from flask import Response, url_for
from markupsafe import Markup

from ...audit.plots import plot
from ...campaign.text import msgid
from ...participants.uptake import PAUSE
from ...problems import Conflict, UnknownPackage
from ..context import actor, deployment
from ..i18n import translate_plain
from ..pages.blueprint import query
from ..pages.forms import FormMistakes, required
from ..pages.render import private, see_other
from ..security import require_recent
from .blueprint import PAGE, staff

_LONGEST_REASON = 1000
_NOT_IN_FORCE = msgid("This version of the terms is not the one that is in force, so nobody is reminded of it.")


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
    require_recent()
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


@staff.get("/terms/<terms_id>/<version>")
def terms_uptake(terms_id: str, version: str) -> Response:
    """Show how a version of the terms is accepted, day by day, and who is still to accept it."""
    emblem = deployment()
    found = emblem.campaign.terms.get(terms_id, version)
    uptake = emblem.participants.uptake.of(found)
    rows, total = [], 0
    for day, number in uptake.by_day:
        total += number
        rows.append({"day": day, "participants": total, "new": number})
    drawn = plot(rows, "day", "participants", label=translate_plain(msgid("Participants who accepted"))) if rows else ""
    return private(
        "staff/terms_uptake.html",
        version=found,
        uptake=uptake,
        rows=rows[::-1],
        figure=Markup(drawn),  # noqa: S704  # made by plot(), which escapes what it shows
        page=emblem.participants.uptake.outstanding(found, cursor=query("cursor") or None, limit=PAGE),
        reminded=query("reminded"),
        pause=PAUSE.days,
        styles=url_for("staff.audit_styles"),
        current=found == emblem.campaign.terms.find_current(terms_id, emblem.clock()),
    )


@staff.post("/terms/<terms_id>/<version>/reminder")
def terms_remind(terms_id: str, version: str) -> Response:
    """Mail those who are still to accept the version that is in force."""
    emblem = deployment()
    found = emblem.campaign.terms.get(terms_id, version)
    if found != emblem.campaign.terms.find_current(terms_id, emblem.clock()):
        raise Conflict(_NOT_IN_FORCE)
    sent = emblem.participants.uptake.remind(found)
    return see_other(url_for("staff.terms_uptake", terms_id=terms_id, version=version, reminded=sent))


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
