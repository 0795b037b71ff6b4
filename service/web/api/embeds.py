"""Embeds: make, look at, list, change, end."""

from __future__ import annotations

from flask import Response

from ... import paths
from ...problems import NotFound, UnknownEmbed
from ..auth import may_see, need, own, portal
from ..context import actor, deployment
from . import answer, blueprint
from .embed_models import EmbedAnswer, EmbedBody, EmbedChangeBody, EmbedPath, EmbedsAnswer, EmbedsQuery

api = blueprint("embeds", "A partner's permission to show one logo on their sites")


@api.post("/embeds", responses={201: EmbedAnswer})
@need("portal", "partner", "staff")
def create(body: EmbedBody) -> Response:
    """Makes an embed; it works at once."""
    may_see(body.participant)
    made = deployment().embeds.create(body.participant, body.logo, body.origins, body.unlisted, by=actor())
    return answer(made.as_json(), 201, Location=paths.embed(made.key))


@api.get("/embeds", responses={200: EmbedsAnswer})
@need("portal", "partner", "staff", "auditor")
def embeds(query: EmbedsQuery) -> Response:
    """Lists embeds, newest first."""
    participant = own(query.participant)
    if participant:
        may_see(participant)
    page = deployment().embeds.list(participant=participant, portal=portal(), cursor=query.cursor, limit=query.limit)
    return answer({"embeds": [embed.as_json() for embed in page.items], "next_cursor": page.next_cursor})


@api.get("/embeds/<key>", responses={200: EmbedAnswer})
@need("portal", "partner", "staff", "auditor")
def embed(path: EmbedPath) -> Response:
    """One embed with its status and what to paste."""
    found = deployment().embeds.get(path.key)
    _mine(found.participant)
    return answer(found.as_json())


@api.patch("/embeds/<key>", responses={200: EmbedAnswer})
@need("portal", "partner", "staff")
def change(path: EmbedPath, body: EmbedChangeBody) -> Response:
    """Changes the origins, or what happens on others; in force on every worker within 5 seconds."""
    _mine(deployment().embeds.get(path.key).participant)
    given = {name: getattr(body, name) for name in body.model_fields_set}
    return answer(deployment().embeds.change(path.key, **given, by=actor()).as_json())


@api.delete("/embeds/<key>", responses={204: None})
@need("portal", "partner", "staff")
def revoke(path: EmbedPath) -> Response:
    """Ends an embed for good; in force on every worker within 5 seconds."""
    _mine(deployment().embeds.get(path.key).participant)
    deployment().embeds.revoke(path.key, by=actor())
    return Response(status=204)


def _mine(participant: str) -> None:
    try:
        may_see(participant)
    except NotFound as error:
        raise UnknownEmbed from error
