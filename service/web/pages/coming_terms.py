"""Accepting terms before they are in force, so that links and embeds go on when they are."""

from __future__ import annotations

from flask import Response, url_for

from ...campaign.terms import TermsVersion
from ..context import deployment
from .blueprint import pages
from .downloads import Standing, accept_shown, own_participant
from .forms import FormMistakes, kept
from .render import private, see_other


@pages.get("/account/terms/<terms_id>/<version>")
def coming_terms(terms_id: str, version: str) -> Response:
    """Show a version that is to come, to be accepted; the account says where one that is in force is accepted."""
    found = deployment().campaign.terms.get(terms_id, version)
    return _to_account() if found.effective <= deployment().clock() else _page(found, FormMistakes())


@pages.post("/account/terms/<terms_id>/<version>")
def coming_terms_accept(terms_id: str, version: str) -> Response:
    """Accept the text that the page showed, also where it came into force while it was read."""
    found = deployment().campaign.terms.get(terms_id, version)
    now = deployment().clock()
    if found.effective <= now and found != deployment().campaign.terms.current(terms_id, now):
        return _to_account()
    if kept():
        return _page(found, FormMistakes())
    standing = _standing(found)
    mistakes = accept_shown(standing.participant, standing) if standing.participant else FormMistakes()
    if mistakes:
        return _page(found, mistakes, 409 if mistakes.of("") is not None else 422)
    return _to_account()


def _to_account() -> Response:
    return see_other(url_for("pages.account", _anchor="terms"))


def _standing(version: TermsVersion) -> Standing:
    participant = own_participant()
    person = deployment().campaign.eligibility.kind(participant.kind).person
    accepted = {(one.terms, one.version) for one in deployment().participants.acceptances.of(participant.id)}
    if participant.status != "approved" or (version.id, version.version) in accepted:
        return Standing("ready", None, person)
    return Standing("terms", participant, person, (version,))


def _page(version: TermsVersion, mistakes: FormMistakes, status: int = 200) -> Response:
    standing = _standing(version)
    if standing.participant is None:
        return _to_account()
    return private("account_terms.html", status, version=version, standing=standing, mistakes=mistakes)
