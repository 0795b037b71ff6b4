"""Who calls the API: Bearer keys, their roles, and whose things they may touch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from flask import current_app, g, request

from ..participants import ApiKeyView
from ..problems import Forbidden, NotFound, Unauthorized
from . import limits
from .context import client, deployment

P = ParamSpec("P")
R = TypeVar("R")


def identify() -> None:
    """Read the key of the request into ``g.key`` and count the request against its rate limit.

    Raises Unauthorized for an invalid key instead of falling back to anonymous.
    """
    g.key = None
    given = request.headers.get("Authorization", "")
    scheme, _, secret = given.partition(" ")
    found = deployment().participants.api_keys.authenticate(secret.strip()) if scheme.lower() == "bearer" else None
    if found is None:
        limits.hit("api", client().network)
        if given:
            raise Unauthorized("This key is unknown or was revoked. Send a valid one as Authorization: Bearer emb_….")
        return
    limits.hit("key", found.id)
    g.key = found


def need(*roles: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Mark a view that only keys of these roles may use; ``check_role`` refuses others before input is looked at."""

    def decorate(view: Callable[P, R]) -> Callable[P, R]:
        view.roles = roles  # type: ignore[attr-defined]
        return view

    return decorate


def check_role() -> None:
    """Raise Unauthorized without a key, Forbidden with one of another role than the view needs."""
    view = current_app.view_functions.get(request.endpoint or "")
    if roles := getattr(view, "roles", ()):
        require(*roles)


def require(*roles: str) -> ApiKeyView:
    """Return the request's key, if it has one of these roles; else Unauthorized or Forbidden."""
    found: ApiKeyView | None = g.get("key")
    if found is None:
        raise Unauthorized
    if found.role not in roles:
        raise Forbidden(f"This needs a key of the role {' or '.join(roles)}; yours is {found.role}.")
    return found


def may_see(participant: str) -> None:
    """NotFound where the request's key has nothing to do with this participant: as if it were not there."""
    found: ApiKeyView | None = g.get("key")
    if found is None or not deployment().participants.access.may_see(found, participant):
        raise NotFound("There is no participant of this id that you may act for.")


def portal() -> str | None:
    """Return the id of the portal key that asks, to narrow a list to the participants it may act for; else None."""
    found: ApiKeyView | None = g.get("key")
    return found.id if found and found.role == "portal" else None


def own(participant: str | None) -> str | None:
    """Return the participant to narrow a list to: a partner's own, whatever it asked for, else what was asked."""
    found: Any = g.get("key")
    if found and found.role == "partner":
        if participant not in (None, found.participant):
            raise NotFound("There is no participant of this id that you may act for.")
        return str(found.participant)
    return participant
