"""The way to a file: what a visitor wants, kept through signing in and the terms, until the link is there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Response, make_response, redirect, request, url_for

from ...campaign.content import Use
from ...campaign.terms import TermsVersion
from ...campaign.text import msgid
from ...packages.published import PublishedPackage
from ...participants import ParticipantView, Signatory
from ...problems import DigestMismatch, NotFound, TermsNotCurrent
from ..context import actor, deployment
from ..i18n import translate
from ..security import current_session, require_session
from .blueprint import pages, query
from .forms import FormMistakes, kept, required, sent
from .render import private, see_other

_MOST = 50  # packages that an address may name
_TOOL = "tool."  # what an id begins with that is a package's; no use is called so


@dataclass(frozen=True)
class Standing:
    """Obstacle between a visitor and a download.

    ``state`` is ``signed-out``, ``not-joined``, ``not-approved``, ``terms`` (``missing`` are to be accepted) or
    ``ready``.
    """

    state: str
    participant: ParticipantView | None = None
    person: bool = False
    missing: tuple[TermsVersion, ...] = ()


@pages.get("/download")
def download() -> Response:
    """Show what was chosen, and what this visitor needs to do to download it.

    Who chose what it is for (``?for=``) and is not signed in is led to the form for joining as a person.
    """
    use = use_of(query("for"))
    if use is None:
        return _page(_chosen(request.args.getlist("package")), FormMistakes())
    if current_session() is None:
        person = next((kind.id for kind in deployment().campaign.eligibility.kinds if kind.person), None)
        response = make_response(redirect(url_for("pages.join", kind=person if use.path else None, **then(use)), 302))
        response.headers["Cache-Control"] = "private, no-store"
        return response
    return _page(_chosen([use.package]), FormMistakes(), use=use)


@pages.post("/download")
def download_submit() -> Response:
    """Accept the terms that the page showed, where there are any, make the link, and lead to it."""
    use = use_of(sent("for"))
    if kept():
        return _page(_chosen([use.package] if use else request.form.getlist("package")), FormMistakes(), use=use)
    return get_file(_chosen([use.package] if use else request.form.getlist("package")), use)


def get_file(chosen: tuple[PublishedPackage, ...], use: Use | None = None) -> Response:
    """Accept the terms that a form showed, for whoever is signed in, make the link, and lead to where it begins."""
    participant = own_participant()
    mistakes = accept_shown(participant, standing_of(chosen))
    if mistakes or not chosen:
        changed = mistakes.of("") is not None
        return _page(chosen, mistakes, (409 if changed else 422) if mistakes else 200, use=use)
    ids = [package.id for package in chosen]
    path = (use.path if use else sent("path")) or None
    issued = deployment().links.issue(
        participant.id, ids[0] if len(ids) == 1 else ids, path=path if len(ids) == 1 else None, issued_by=actor()
    )
    return see_other(url_for("pages.download_ready", link=issued.id, begin=1))


def use_of(name: str) -> Use | None:
    """Return what somebody came for: a file that is right for some use, or a whole package (``tool.ID``, no path)."""
    if name.startswith(_TOOL):
        found = next((one for one in deployment().catalogue.current() if f"{_TOOL}{one.id}" == name), None)
        if found is None:
            return None
        return Use.model_construct(id=name, title=found.title, text=found.description, package=found.id, path="")
    use = next((use for use in deployment().campaign.info.home.uses if use.id == name), None)
    return use if use is not None and use in uses_offered() else None


def uses_offered() -> tuple[Use, ...]:
    """Return the uses whose file is in the current version of its package."""
    current = {one.id: {file["path"] for file in one.files} for one in deployment().catalogue.current()}
    return tuple(use for use in deployment().campaign.info.home.uses if use.path in current.get(use.package, ()))


def then(use: Use | None) -> dict[str, Any]:
    """Return the query that keeps in mind what a visitor came for."""
    return {"for": use.id} if use else {}


@pages.get("/download/<link>")
def download_ready(link: str) -> Response:
    """Show a link of one's own, ready to download; with ``?begin=1`` the download begins by itself."""
    session = require_session()
    found = deployment().links.get(link)
    if found.state.participant != session.participant:
        raise NotFound("There is no such link of yours.")
    return private("download_ready.html", link=found, begin=query("begin") == "1" and found.status == "active")


def own_participant() -> ParticipantView:
    """Return the participant that is signed in. Unauthorized or NotFound where there is none."""
    session = require_session()
    if not session.participant:
        raise NotFound("You are signed in without having joined; join with your address first.")
    return deployment().participants.listing.get(session.participant)


def standing_of(packages: tuple[PublishedPackage, ...]) -> Standing:
    """Return what stands between whoever asks and these packages."""
    session, found = current_session(), deployment()
    if session is None:
        return Standing("signed-out")
    if not session.participant:
        return Standing("not-joined")
    participant = found.participants.listing.get(session.participant)
    person = found.campaign.eligibility.kind(participant.kind).person
    if participant.status != "approved":
        return Standing("not-approved", participant, person)
    accepted = {(one.terms, one.version) for one in found.participants.acceptances.of(participant.id)}
    needed = [
        found.campaign.terms.current(terms, found.clock()) for terms in dict.fromkeys(one.terms for one in packages)
    ]
    missing = tuple(terms for terms in needed if (terms.id, terms.version) not in accepted)
    return Standing("terms" if missing else "ready", participant, person, missing)


def accept_shown(participant: ParticipantView, standing: Standing) -> FormMistakes:
    """Accept exactly the texts of the terms that the page of a form showed; return what is wrong in the form."""
    mistakes = FormMistakes()
    if standing.state != "terms":
        return mistakes
    name = required(mistakes, "name", msgid("Write the name of the person who accepts."))
    capacity = None
    if not standing.person:
        capacity = required(mistakes, "capacity", msgid("Write in which capacity this person accepts."))
    shown = [request.form.getlist(field)[:_MOST] for field in ("terms", "version", "language", "digest")]
    texts = {terms: given for terms, *given in zip(*shown, strict=False)}
    if mistakes:
        return mistakes
    if any(texts.get(terms.id, [""])[0] != terms.version for terms in standing.missing):
        mistakes.add("", translate("The terms have changed while you read them. Please read them again below."))
        return mistakes
    try:
        for terms in standing.missing:
            _, lang, digest = texts[terms.id]
            deployment().participants.acceptances.accept(
                participant.id,
                terms=terms.id,
                version=terms.version,
                language=lang,
                digest=digest,
                signatory=Signatory(name, capacity),
                via=actor(),
                member=require_session().member,
            )
    except (TermsNotCurrent, DigestMismatch):
        mistakes.add("", translate("The terms have changed while you read them. Please read them again below."))
    return mistakes


def _chosen(ids: list[str]) -> tuple[PublishedPackage, ...]:
    """Return the current version of each package that is named, once each, in the order of their ids."""
    catalogue = deployment().catalogue
    return tuple(catalogue.current_version(name) for name in sorted(set(ids[:_MOST])))


def _page(
    chosen: tuple[PublishedPackage, ...], mistakes: FormMistakes, status: int = 200, use: Use | None = None
) -> Response:
    context: dict[str, Any] = {"chosen": chosen, "standing": standing_of(chosen), "mistakes": mistakes, "use": use}
    return private("download.html", status, **context)
