"""The campaign tools: what there is, what is in it, and the way to a download in three plain steps."""

from __future__ import annotations

import hashlib
from typing import Any

from flask import Response, make_response, request, url_for

from ...campaign.terms import TermsVersion
from ...campaign.text import msgid
from ...packages import previews
from ...packages.published import PublishedPackage
from ...participants import ParticipantView, Signatory
from ...problems import DigestMismatch, NotFound, TermsNotCurrent
from ..context import actor, deployment
from ..i18n import translate
from ..security import current_session, require_session
from .blueprint import pages, root
from .forms import FormMistakes, required, sent
from .render import private, public, see_other


@root.get("/brand/packages/<package>/<version>.png")
def preview(package: str, version: str) -> Response:
    """Show the picture of a package version as it was published."""
    catalogue = deployment().catalogue
    return _picture(catalogue.preview(catalogue.shown_version(package, version)), "png")


@root.get("/brand/packages/<package>/<version>/<int:width>.<form>")
def preview_variant(package: str, version: str, width: int, form: str) -> Response:
    """Show the picture of a package version in a width and format that pages ask for."""
    if width not in previews.WIDTHS or form not in previews.FORMS:
        raise NotFound
    catalogue = deployment().catalogue
    png = catalogue.preview(catalogue.shown_version(package, version))
    return _picture(previews.encoded(png, form, width), form)


def _picture(content: bytes, form: str) -> Response:
    """Return a picture that never changes at its address."""
    response = make_response(content)
    response.headers["Content-Type"] = f"image/{form}"
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    response.set_etag(hashlib.sha256(content).hexdigest())
    response.make_conditional(request)
    return response


@pages.get("/tools")
def tools() -> Response:
    """Show every package with its picture, size, formats and licence."""
    catalogue = deployment().catalogue
    return public("tools.html", logos=catalogue.current("logo"), tools=catalogue.current("tool"))


@pages.get("/tools/<package>")
def tool(package: str) -> Response:
    """Show one package, and what this visitor needs to do to download it."""
    return _tool_page(deployment().catalogue.current_version(package), FormMistakes())


@pages.post("/tools/<package>")
def tool_accept(package: str) -> Response:
    """Accept exactly the text of the terms that the page showed."""
    facts = deployment().catalogue.current_version(package)
    participant = _own_participant()
    mistakes = FormMistakes()
    name = required(mistakes, "name", msgid("Write the name of the person who accepts."))
    capacity = None
    if not _is_person(participant):
        capacity = required(mistakes, "capacity", msgid("Write in which capacity this person accepts."))
    if sent("agree") != "yes":
        mistakes.add("agree", translate("Tick the box if you accept the terms."))
    if mistakes:
        return _tool_page(facts, mistakes, status=422)
    try:
        deployment().participants.acceptances.accept(
            participant.id,
            terms=facts.terms,
            version=sent("version"),
            language=sent("language"),
            digest=sent("digest"),
            signatory=Signatory(name, capacity),
            via=actor(),
            member=require_session().member,
        )
    except (TermsNotCurrent, DigestMismatch):
        mistakes.add("", translate("The terms have changed while you read them. Please read them again below."))
        return _tool_page(facts, mistakes, status=409)
    return see_other(url_for("pages.tool", package=package, _anchor="get"))


@pages.post("/tools/<package>/link")
def tool_link(package: str) -> Response:
    """Issue a link to the current version and lead to the page that has it."""
    participant = _own_participant()
    link = deployment().links.issue(participant.id, package, path=sent("path") or None, issued_by=actor())
    return see_other(url_for("pages.tool_ready", package=package, link=link.id))


@pages.get("/tools/<package>/link/<link>")
def tool_ready(package: str, link: str) -> Response:
    """Show a link of one's own, ready to download."""
    session = require_session()
    found = deployment().links.get(link)
    if found.state.participant != session.participant or found.published.id != package:
        raise NotFound("There is no such link of yours.")
    return private("tool_ready.html", link=found, package=found.published)


def _own_participant() -> ParticipantView:
    session = require_session()
    if not session.participant:
        raise NotFound("You are signed in without having joined; join with your address first.")
    return deployment().participants.listing.get(session.participant)


def _is_person(participant: ParticipantView) -> bool:
    return deployment().campaign.eligibility.kind(participant.kind).person


def _tool_page(facts: PublishedPackage, mistakes: FormMistakes, status: int = 200) -> Response:
    session = current_session()
    terms = _terms(facts)
    context: dict[str, Any] = {
        "package": facts,
        "terms": terms,
        "versions": deployment().catalogue.versions(facts.id),
        "mistakes": mistakes,
        "participant": None,
        "person": False,
        "state": "signed-out",
    }
    if session is None and not request.cookies:
        response = public("tool.html", **context)
        response.vary.add("Cookie")
        return response
    if session is not None:
        context["state"], context["participant"] = _state(session.participant, terms)
        context["person"] = context["participant"] is not None and _is_person(context["participant"])
    return private("tool.html", status, **context)


def _terms(facts: PublishedPackage) -> TermsVersion:
    found = deployment()
    return found.campaign.terms.current(facts.terms, found.clock())


def _state(participant: str | None, terms: TermsVersion) -> tuple[str, ParticipantView | None]:
    """Return what stands between a signed-in visitor and the download, and who they are."""
    if not participant:
        return "not-joined", None
    found = deployment().participants.listing.get(participant)
    if found.status != "approved":
        return "not-approved", found
    accepted = deployment().participants.acceptances.of(participant)
    if any(one.terms == terms.id and one.version == terms.version for one in accepted):
        return "ready", found
    return "terms", found
