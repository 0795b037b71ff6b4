"""Colleagues: who may act for the participant that is signed in, inviting them and taking them out."""

from __future__ import annotations

from flask import Response, request, url_for

from ...campaign.text import msgid
from ...participants import ParticipantView
from ...problems import AlreadyJoined, InvalidRequest, LastMember, NotFound, ParticipantNotApproved
from .. import limits
from ..context import actor, deployment
from ..i18n import translate, translate_error
from ..security import require_session
from .account import own
from .blueprint import pages
from .forms import FormMistakes, required, sent
from .render import private, see_other

_FIELDS = ("name", "email", "capacity")


@pages.get("/account/members")
def members() -> Response:
    """Show who acts for the participant, and the form of an invitation."""
    return _page(_organization(), FormMistakes())


@pages.post("/account/members")
def member_invite() -> Response:
    """Invite a colleague, whose mailbox gets a page with a button."""
    participant, mistakes = _organization(), FormMistakes()
    name = required(mistakes, "name", msgid("Write the name."))
    if not sent("email"):
        mistakes.add("email", translate(msgid("Write an e-mail address.")))
    if not mistakes:
        try:
            deployment().participants.members.invite(
                participant.id,
                limits.permit_invitation(participant.id),
                name=name,
                email=sent("email", 400),
                capacity=sent("capacity"),
                by=actor(),
            )
        except InvalidRequest as problem:
            for error in problem.errors:
                field = error.pointer.strip("/")
                wrong = translate(msgid("Give an e-mail address such as name@example.org."))
                mistakes.add(field, wrong if field == "email" else translate_error(error))
        except AlreadyJoined:
            mistakes.add("email", translate(msgid("This address belongs to somebody who takes part already.")))
        except ParticipantNotApproved:
            mistakes.add("", translate(msgid("Colleagues can be invited unless the application is declined.")))
    if mistakes:
        return _page(participant, mistakes, 422)
    return see_other(url_for("pages.members"))


@pages.get("/account/members/<member>/removal")
def member_removal(member: str) -> Response:
    """Ask whether a colleague, or oneself, is to be taken out, and say what follows."""
    participant, session = _organization(), require_session()
    chosen = next((one for one in deployment().participants.members.of(participant.id) if one.id == member), None)
    if chosen is None:
        raise NotFound("There is no member of this id that belongs to this participant.")
    return private("member_removal.html", participant=participant, member=chosen, mine=member == session.member)


@pages.post("/account/members/<member>/removal")
def member_remove(member: str) -> Response:
    """Take a colleague out, or oneself, which signs out."""
    participant, mistakes = _organization(), FormMistakes()
    try:
        deployment().participants.members.remove(participant.id, member, by=actor())
    except LastMember:
        mistakes.add("", translate(msgid("Somebody has to remain. Invite a colleague, who signs in first.")))
        return _page(participant, mistakes, 409)
    if member == require_session().member:
        return private("member_left.html", participant=participant)
    return see_other(url_for("pages.members"))


def _organization() -> ParticipantView:
    found = deployment().participants.listing.get(own(require_session()))
    if deployment().campaign.eligibility.kind(found.kind).person:
        raise NotFound("Only organizations have several members.")
    return found


def _page(participant: ParticipantView, mistakes: FormMistakes, status: int = 200) -> Response:
    return private(
        "members.html",
        status,
        participant=participant,
        members=deployment().participants.members.of(participant.id),
        me=require_session().member,
        mistakes=mistakes,
        summary=mistakes.ordered(_FIELDS),
        values=request.form,
    )
