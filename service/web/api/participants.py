"""Participants: joining, decisions, acceptances, erasure."""

from __future__ import annotations

from flask import Response

from ... import paths
from ...answers.participants import (
    AcceptanceAnswer,
    AcceptancesAnswer,
    ErasureAnswer,
    ExportAnswer,
    MemberAnswer,
    MembersAnswer,
    ParticipantAnswer,
    ParticipantsAnswer,
)
from ...participants import Signatory
from ...problems import (
    AlreadyJoined,
    ChangedMeanwhile,
    Conflict,
    DigestMismatch,
    Forbidden,
    Individual,
    LastMember,
    ParticipantNotApproved,
    TermsNotCurrent,
    UnknownTerms,
    UnknownVersion,
)
from .. import limits
from ..auth import may_see, need, portal, require
from ..context import actor, deployment
from ..exports import exported
from . import answer, blueprint, problems
from .models import (
    AcceptanceBody,
    DecisionBody,
    ErasureBody,
    IdPath,
    JoinBody,
    MemberBody,
    MemberPath,
    ParticipantsQuery,
)

api = blueprint("participants", "Joining, decisions and acceptances")


@api.post("/participants", responses={201: ParticipantAnswer})
@need("portal", "staff", narrow=("package", "origin"))
@problems(AlreadyJoined)
def join(body: JoinBody) -> Response:
    """Join someone; the key's holder vouches for the e-mail address. Declined is a decision, so also 201."""
    joined = deployment().participants.joining.join(body.model_dump(exclude_unset=True), via=actor())
    role, seen = require("portal", "staff").role, deployment().participants.listing.get(joined.id)
    return answer(ParticipantAnswer.of(seen, role), 201, Location=paths.participant(joined.id))


@api.get("/participants", responses={200: ParticipantsAnswer})
@need("portal", "staff", "auditor")
def participants(query: ParticipantsQuery) -> Response:
    """List participants, newest first; a portal sees those it may act for."""
    caller = require("portal", "staff", "auditor")
    if query.q is not None and caller.role != "staff":
        raise Forbidden("Only staff search participants by name and address; leave `q` out.")
    page = deployment().participants.listing.list(
        status=query.status, kind=query.kind, q=query.q, portal=portal(), cursor=query.cursor, limit=query.limit
    )
    return answer(ParticipantsAnswer.of(page.items, caller.role, page.next_cursor))


@api.get("/participants/<id>", responses={200: ParticipantAnswer})
@need("portal", "partner", "staff", "auditor", narrow=("package", "origin"))
def participant(path: IdPath) -> Response:
    """Show one participant."""
    may_see(path.id)
    caller = require("portal", "partner", "staff", "auditor")
    return answer(ParticipantAnswer.of(deployment().participants.listing.get(path.id), caller.role))


@api.get("/participants/<id>/export", responses={200: ExportAnswer})
@need("portal", "partner", "staff")
def export(path: IdPath) -> Response:
    """Export all that is kept about a participant."""
    may_see(path.id)
    return exported(path.id, staff=require("portal", "partner", "staff").role == "staff")


@api.post("/participants/<id>/decisions", responses={200: ParticipantAnswer})
@need("staff")
@problems(Conflict, ChangedMeanwhile)
def decide(path: IdPath, body: DecisionBody) -> Response:
    """Approve, decline or suspend; ``approved`` also lifts a suspension. The open case is decided by it."""
    deployment().desk.deciding.decide_participant(path.id, body.outcome, reason=body.reason, by=actor())
    return answer(ParticipantAnswer.of(deployment().participants.listing.get(path.id), "staff"))


@api.post("/participants/<id>/erasure", responses={200: ErasureAnswer})
@need("staff")
def erase(path: IdPath, body: ErasureBody) -> Response:
    """Erase what is known of a person; figures stay."""
    removed = deployment().erasure.erase(path.id, reason=body.reason, by=actor())
    return answer(ErasureAnswer.of(deployment().participants.listing.get(path.id), "staff", removed=removed))


@api.post("/participants/<id>/acceptances", responses={201: AcceptanceAnswer, 200: AcceptanceAnswer})
@need("portal", "partner", "staff", narrow=("package", "origin"))
@problems(Conflict, ParticipantNotApproved, UnknownTerms, UnknownVersion, TermsNotCurrent, DigestMismatch)
def accept(path: IdPath, body: AcceptanceBody) -> Response:
    """Accept the current terms; the same version again gives the first acceptance."""
    may_see(path.id)
    acceptance, created = deployment().participants.acceptances.accept(
        path.id,
        terms=body.terms,
        version=body.version,
        language=body.language,
        digest=body.digest,
        signatory=Signatory(body.signatory.name, body.signatory.capacity),
        via=actor(),
    )
    return answer(AcceptanceAnswer.of(acceptance), 201 if created else 200)


@api.get("/participants/<id>/acceptances", responses={200: AcceptancesAnswer})
@need("portal", "partner", "staff", "auditor", narrow=("package", "origin"))
def acceptances(path: IdPath) -> Response:
    """List what a participant has accepted, newest first."""
    may_see(path.id)
    found = [AcceptanceAnswer.of(acceptance) for acceptance in deployment().participants.acceptances.of(path.id)]
    return answer(AcceptancesAnswer(acceptances=found, next_cursor=None))


@api.post("/participants/<id>/members", responses={201: MemberAnswer})
@need("portal", "partner", "staff")
@problems(AlreadyJoined, Individual, Conflict, ParticipantNotApproved)
def invite(path: IdPath, body: MemberBody) -> Response:
    """Invite a person, who signs in by the own mailbox and acts for the participant then."""
    may_see(path.id)
    made = deployment().participants.members.invite(
        path.id,
        limits.permit_invitation(path.id),
        name=body.name,
        email=body.email,
        capacity=body.capacity,
        by=actor(),
    )
    return answer(MemberAnswer.of(made), 201)


@api.get("/participants/<id>/members", responses={200: MembersAnswer})
@need("portal", "partner", "staff", "auditor")
def members(path: IdPath) -> Response:
    """List the people of a participant, newest first."""
    may_see(path.id)
    deployment().participants.listing.get(path.id)
    personal = require("portal", "partner", "staff", "auditor").role != "auditor"
    found = [MemberAnswer.of(member, personal=personal) for member in deployment().participants.members.of(path.id)]
    return answer(MembersAnswer(members=found, next_cursor=None))


@api.delete("/participants/<id>/members/<member>", responses={204: None})
@need("portal", "partner", "staff")
@problems(LastMember)
def remove_member(path: MemberPath) -> Response:
    """Take a person out; sessions end at once."""
    may_see(path.id)
    deployment().participants.members.remove(path.id, path.member, by=actor())
    return Response(status=204)
