"""The way to a file: what a visitor wants, kept through signing in and the terms, until the link is there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Response, request, url_for

from ...campaign.terms import TermsVersion
from ...campaign.text import msgid
from ...packages.published import PublishedPackage
from ...participants import ParticipantView, Signatory
from ...problems import DigestMismatch, NotFound, TermsNotCurrent
from ..context import actor, deployment
from ..i18n import language, translate
from ..security import current_session, require_session
from .blueprint import pages
from .forms import FormMistakes, required, sent
from .render import private, see_other

_MOST = 50  # packages that an address may name


@dataclass(frozen=True)
class Standing:
    """What stands between a visitor and a download.

    ``state`` is ``signed-out``, ``not-joined``, ``not-approved``, ``terms`` (``missing`` are to be accepted) or
    ``ready``.
    """

    state: str
    participant: ParticipantView | None = None
    person: bool = False
    missing: tuple[TermsVersion, ...] = ()


@pages.get("/download")
def download() -> Response:
    """Show what was chosen, and what this visitor needs to do to download it."""
    return _page(_chosen(request.args.getlist("package")), FormMistakes())


@pages.post("/download")
def download_submit() -> Response:
    """Accept the terms that the page showed, where there are any, make the link, and lead to it."""
    chosen = _chosen(request.form.getlist("package"))
    participant = own_participant()
    standing = standing_of(chosen)
    mistakes = accept_shown(participant, standing)
    if mistakes or not chosen:
        changed = mistakes.of("") is not None
        return _page(chosen, mistakes, (409 if changed else 422) if mistakes else 200)
    ids = [package.id for package in chosen]
    path = sent("path") or None
    issued = deployment().links.issue(
        participant.id, ids[0] if len(ids) == 1 else ids, path=path if len(ids) == 1 else None, issued_by=actor()
    )
    return see_other(url_for("pages.download_ready", link=issued.id))


@pages.get("/download/<link>")
def download_ready(link: str) -> Response:
    """Show a link of one's own, ready to download."""
    session = require_session()
    found = deployment().links.get(link)
    if found.state.participant != session.participant:
        raise NotFound("There is no such link of yours.")
    return private("download_ready.html", link=found)


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


def _page(chosen: tuple[PublishedPackage, ...], mistakes: FormMistakes, status: int = 200) -> Response:
    context: dict[str, Any] = {"chosen": chosen, "standing": standing_of(chosen), "mistakes": mistakes}
    return private("download.html", status, lang=language(), **context)
