"""The pages of the campaign itself: home, actions, Protocol, logo rules, terms, privacy; and the way in at ``/``."""

from __future__ import annotations

from typing import Any

from flask import Response, make_response, redirect, request, url_for

from ...campaign.terms import TermsVersion
from ...problems import NotFound, UnknownTerms, UnknownVersion
from ..context import deployment
from ..i18n import language, negotiated
from ..security import FILE_POLICY
from ..sharing import actions as suggested_actions
from . import figures
from .blueprint import pages, root
from .downloads import uses_offered
from .render import public
from .shared import symbol


@root.get("/")
def start() -> Response:
    """Lead to the home page in the visitor's language."""
    response = make_response(redirect(url_for("pages.home", lang=negotiated()), 302))
    response.headers["Cache-Control"] = "public, max-age=60"
    response.vary.add("Accept-Language")
    return response


@root.get("/brand/<logo>/<colourway>.svg")
def master(logo: str, colourway: str) -> Response:
    """Show a logo's master, for our own pages; partners use embeds."""
    found = deployment().campaign.logos.get(logo)
    if found is None or colourway not in found.colourways:
        raise NotFound("There is no such logo in this colourway.")
    response = make_response(found.drawing(colourway).plain())
    response.headers["Content-Type"] = "image/svg+xml"
    response.headers["Content-Security-Policy"] = FILE_POLICY
    response.headers["Cache-Control"] = "public, max-age=3600"
    response.add_etag()
    response.make_conditional(request)
    return response


@pages.get("/")
def home() -> Response:
    """Show the campaign, how to join, who can, the Protocol in a nutshell, and the way to the tools."""
    catalogue = deployment().catalogue
    shown = (catalogue.current("logo") + catalogue.current("tool"))[:3]
    return public("home.html", tools=shown, uses=uses_offered())


@pages.get("/actions")
def actions() -> Response:
    """Show suggested actions for each kind of participant."""
    campaign = deployment().campaign
    groups = [(kind, campaign.actions[kind.id]) for kind in campaign.eligibility.kinds]
    return public("actions.html", groups=groups)


@pages.get("/actions/<kind>/<action>")
def action(kind: str, action: str) -> Response:
    """Show one suggested action, to be shared."""
    for one, suggested in suggested_actions(deployment().campaign):
        if (one.id, suggested.id) == (kind, action):
            group = deployment().campaign.actions[kind].actions
            others = [other for other in group if other.id != action]
            return public("action.html", kind=one, action=suggested, others=others)
    raise NotFound("There is no such action; the page of all actions lists them.")


@pages.get("/protocol")
def protocol() -> Response:
    """Show the Protocol in a nutshell."""
    return public("protocol.html")


@pages.get("/rules")
def rules() -> Response:
    """Show the logo rules, with right and wrong examples drawn from the same data that decides elsewhere."""
    campaign = deployment().campaign
    logos = [figures.of_logo(campaign, logo) for logo in campaign.logos.values()]
    backgrounds = figures.backgrounds(campaign, symbol())
    return public("rules.html", logos=logos, backgrounds=backgrounds, example=figures.example(campaign, symbol()))


@pages.get("/terms/<terms_id>")
@pages.get("/terms/<terms_id>/<version>")
def terms(terms_id: str, version: str | None = None) -> Response:
    """Show one version of terms of use (the one in force, where none is named), with its digest and the others."""
    campaign, now = deployment().campaign, deployment().clock()
    current = campaign.terms.find_current(terms_id, now)
    if current is None:
        raise UnknownTerms("There are no terms of this name; the foot of the page leads to all that there are.")
    versions = campaign.terms.versions(terms_id)
    shown = next((one for one in versions if one.version == version), None) if version else current
    if shown is None:
        raise UnknownVersion("There is no such version of these terms. Look at the one in force.")
    listed = [(item, _standing(item, current, now)) for item in versions]
    given = shown.language(language())
    return public("terms.html", shown=shown, given=given, listed=listed, standing=_standing(shown, current, now))


def _standing(version: TermsVersion, current: TermsVersion, now: Any) -> str:
    if version.version == current.version:
        return "current"
    return "coming" if version.effective > now else "earlier"


@pages.get("/privacy")
def privacy() -> Response:
    """Show what is kept of visitors and participants, why, and for how long."""
    return public("privacy.html")
