"""Embeds: make, look at, list, change, end."""

from __future__ import annotations

from flask import Response

from ... import paths
from ...answers.links import EmbedAnswer, EmbedsAnswer
from ...embeds.origins import check_origins
from ...embeds.presentation import EmbedDetails
from ...problems import (
    EmbedRevoked,
    Forbidden,
    NotFound,
    ParticipantNotApproved,
    PermissionLapsed,
    TermsNotAccepted,
    UnknownEmbed,
    UnknownLogo,
)
from ..auth import may_see, need, only_origins, own, portal, scoped_origin
from ..context import actor, deployment, key
from . import answer, blueprint, problems
from .embed_models import EmbedBody, EmbedChangeBody, EmbedPath, EmbedsQuery
from .models import RevocationQuery

api = blueprint("embeds", "A partner's permission to show one logo on their sites")


@api.post("/embeds", responses={201: EmbedAnswer})
@need("portal", "partner", "staff", narrow=("origin",))
@problems(NotFound, UnknownLogo, ParticipantNotApproved, PermissionLapsed, TermsNotAccepted)
def create(body: EmbedBody) -> Response:
    """Make an embed; it works at once."""
    may_see(body.participant)
    if scoped_origin() is not None:
        only_origins(check_origins(body.origins), Forbidden)
    made = deployment().embeds.create(body.participant, body.logo, body.origins, body.unlisted, by=actor())
    return answer(EmbedAnswer.of(made), 201, Location=paths.embed(made.key))


@api.get("/embeds", responses={200: EmbedsAnswer})
@need("portal", "partner", "staff", "auditor", narrow=("origin",))
@problems(NotFound)
def embeds(query: EmbedsQuery) -> Response:
    """List embeds, newest first."""
    participant = own(query.participant)
    if participant:
        may_see(participant)
    page = deployment().embeds.list(
        participant=participant, portal=portal(), origin=scoped_origin(), cursor=query.cursor, limit=query.limit
    )
    found = [EmbedAnswer.of(embed, with_reason=_with_reason()) for embed in page.items]
    return answer(EmbedsAnswer(embeds=found, next_cursor=page.next_cursor))


@api.get("/embeds/<key>", responses={200: EmbedAnswer})
@need("portal", "partner", "staff", "auditor", narrow=("origin",))
@problems(UnknownEmbed)
def embed(path: EmbedPath) -> Response:
    """Show one embed with its status and what to paste."""
    found = deployment().embeds.get(path.key)
    _mine(found)
    return answer(EmbedAnswer.of(found, with_reason=_with_reason()))


@api.patch("/embeds/<key>", responses={200: EmbedAnswer})
@need("portal", "partner", "staff", narrow=("origin",))
@problems(UnknownEmbed, EmbedRevoked)
def change(path: EmbedPath, body: EmbedChangeBody) -> Response:
    """Change the origins, or what happens on others; in force on every worker within 5 seconds."""
    _mine(deployment().embeds.get(path.key))
    if scoped_origin() is not None and "origins" in body.model_fields_set:
        only_origins(check_origins(body.origins), Forbidden)
    given = {name: getattr(body, name) for name in body.model_fields_set}
    return answer(EmbedAnswer.of(deployment().embeds.change(path.key, **given, by=actor())))


@api.delete("/embeds/<key>", responses={204: None})
@need("portal", "partner", "staff", narrow=("origin",))
@problems(UnknownEmbed)
def revoke(path: EmbedPath, query: RevocationQuery) -> Response:
    """End an embed for good; in force on every worker within 5 seconds."""
    _mine(deployment().embeds.get(path.key))
    deployment().embeds.revoke(path.key, by=actor(), reason=query.reason)
    return Response(status=204)


def _with_reason() -> bool:
    caller = key()
    return caller is not None and caller.role != "auditor"


def _mine(embed: EmbedDetails) -> None:
    try:
        may_see(embed.participant)
        only_origins(embed.origins)
    except NotFound as error:
        raise UnknownEmbed from error
