"""Context of a request: the parts of the deployment, the caller's language, address and key."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from flask import Response, current_app, g, request

from ..clients import Client

if TYPE_CHECKING:
    from ..deployment import Deployment
    from ..participants import ApiKeyView
    from .streams import Streams


def streams() -> Streams:
    """The places of this process for bodies on their way."""
    return cast("Streams", current_app.extensions["emblem.streams"])


def deployment() -> Deployment:
    """Return the parts of this deployment, put together in ``service.deployment``."""
    return cast("Deployment", current_app.extensions["emblem"])


def client() -> Client:
    """Return the sender of this request, as far as the counting rule knows one."""
    agent = request.headers.get("User-Agent", "")
    return Client(request.remote_addr or "", agent, deployment().classifier.kind(agent))


def conditional(response: Response) -> Response:
    """Return the response, or 304 where the caller's ``If-None-Match`` says that it has it."""
    return cast("Response", response.make_conditional(request))


def key() -> ApiKeyView | None:
    """Return the API key of this request, or None."""
    return cast("ApiKeyView | None", g.get("key"))


def actor() -> str:
    """Return who acts, for the record: staff as ``staff:stf_…``, other keys as ``role:key_…``, others by role."""
    found = key() or g.get("session")
    return str(found.by) if found else "page"
