"""The account: the decision and its reasons, what was accepted, links, downloads, and who may act for one."""

from __future__ import annotations

from typing import Any

from flask import Response, make_response, redirect, url_for

from ...campaign import Applicant, Text
from ...desk.requests import Requests
from ...participants import ParticipantView, Session
from ...problems import NotFound
from ..context import actor, deployment
from ..exports import exported
from ..i18n import language
from ..security import current_session, require_session, session_secret
from .blueprint import pages, query
from .check import VERDICT_WORDS
from .join import answered
from .render import private, see_other


@pages.get("/account")
def account() -> Response:
    """Show everything of one's own; leads to sign-in where nobody is signed in."""
    session = current_session()
    if session is None:
        response = make_response(redirect(url_for("pages.sign_in"), 302))
        response.headers["Cache-Control"] = "private, no-store"
        return response
    sign_in = deployment().participants.sign_in
    sessions: dict[str, Any] = {
        "sessions": sign_in.sessions(session.email),
        "this_session": sign_in.session_id(session_secret()),
    }
    if not session.participant:
        return private("account_staff.html", session=session, **sessions)
    found, participant = deployment(), deployment().participants.listing.get(session.participant)
    known = found.campaign.eligibility.purposes
    return private(
        "account.html",
        session=session,
        **sessions,
        participant=participant,
        reasons=reasons(participant),
        wrote=answered(found.campaign.eligibility.kind(participant.kind), participant.answers or {}),
        purposes=[known[name] for name in participant.purposes if name in known],
        terms=_terms(participant),
        acceptances=found.participants.acceptances.of(participant.id),
        links=found.links.list(participant=participant.id, cursor=query("links") or None, limit=20),
        downloads=found.links.downloads(participant=participant.id, cursor=query("downloads") or None, limit=20),
        embeds=found.embeds.list(participant=participant.id).items,
        usage=found.embeds.usage(participant.id),
        checks=found.verdicts.list(participant=participant.id, cursor=query("checks") or None, limit=20),
        verdict_words=VERDICT_WORDS,
        cases=found.desk.reading.of_participant(participant.id, staff=False),
        can_ask=Requests.allowed(participant.status),
        portals=found.participants.access.portals(participant.id),
        certificates=found.certificates.of(participant.id),
        may_issue=found.certificates.on,
    )


@pages.get("/account/receipts/<acceptance>")
def receipt(acceptance: str) -> Response:
    """Show the proof of one's own acceptance in the public log, as a text file."""
    participant = own(require_session())
    receipts = deployment().receipts
    if receipts.owner(acceptance) != participant:
        raise NotFound("There is no acceptance of this id that is yours.")
    response = make_response(receipts.make(acceptance))
    response.headers["Content-Type"] = "text/plain; charset=utf-8"
    response.headers["Content-Disposition"] = f'attachment; filename="{acceptance}.tlog-proof"'
    response.headers["Cache-Control"] = "private, no-store"
    return response


@pages.post("/account/certificates")
def certificate_issue() -> Response:
    """Issue a certificate for oneself, in the language of the page."""
    made = deployment().certificates.issue(own(require_session()), language=language(), by=actor())
    return see_other(url_for("pages.account", _anchor=made.id))


@pages.get("/account/export")
def account_export() -> Response:
    """All that is kept about oneself, as a file."""
    return exported(own(require_session()), staff=False)


@pages.post("/account/links/<link>/revocation")
def link_revoke(link: str) -> Response:
    """End one of one's own links, at once."""
    participant = own(require_session())
    if deployment().links.get(link).state.participant != participant:
        raise NotFound("There is no link of this id that is yours.")
    deployment().links.revoke(link, by=actor())
    return see_other(url_for("pages.account", _anchor="links"))


@pages.post("/account/portals/<key>/end")
def portal_end(key: str) -> Response:
    """Let a portal act no more."""
    deployment().participants.access.end_portal(own(require_session()), key)
    return see_other(url_for("pages.account", _anchor="portals"))


def own(session: Session) -> str:
    """Return the id of the participant who is signed in; NotFound for one who has not joined."""
    if not session.participant:
        raise NotFound("You are signed in without having joined; join with your address first.")
    return session.participant


def reasons(participant: ParticipantView) -> list[Text | str]:
    """Return why it was decided so: in the reader's language where the rules in force say the same."""
    campaign = deployment().campaign
    if participant.policy == campaign.digest and participant.answers is not None and participant.rule != "staff":
        applicant = Applicant(participant.kind, participant.country, participant.answers, participant.purposes)
        verdict = campaign.eligibility.decide(applicant)
        if verdict.rule == participant.rule:
            return list(verdict.reasons)
    return list(participant.reasons)


def _terms(participant: ParticipantView) -> list[dict[str, Any]]:
    """Return the terms in force and those to come, whether they are accepted, and a package by which they can be."""
    found = deployment()
    accepted = {(one.terms, one.version) for one in found.participants.acceptances.of(participant.id)}
    packages = found.catalogue.current()
    rows = []
    for terms_id in found.campaign.terms.ids():
        version = found.campaign.terms.find_current(terms_id, found.clock())
        if version is None:
            continue
        package = next((one.id for one in packages if one.terms == terms_id), None)
        given = (terms_id, version.version) in accepted
        if package or given:  # others are of nothing that is handed out now
            rows.append({"id": terms_id, "version": version, "accepted": given, "package": package, "coming": False})
            for later in reversed(found.campaign.terms.versions(terms_id)):
                if later.effective > found.clock():
                    given = (terms_id, later.version) in accepted
                    rows.append({"id": terms_id, "version": later, "accepted": given, "package": None, "coming": True})
    return rows
