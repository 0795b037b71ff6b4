"""Caller of the API: Bearer keys, their roles, and whose things they may touch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal, ParamSpec, TypeVar

from flask import current_app, g, request

from ..participants import ApiKeyView, Scope
from ..problems import Forbidden, NotFound, Problem, Unauthorized
from . import limits
from .context import client, deployment

P = ParamSpec("P")
R = TypeVar("R")
Thing = Literal["package", "origin"]  # what a key may be for alone


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
            raise Unauthorized(
                "This key is unknown, was revoked or has ended. Send a valid one as Authorization: Bearer emb_…."
            )
        return
    limits.hit("key", found.id)
    g.key = found


def need(*roles: str, narrow: tuple[Thing, ...] = ()) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Mark a view that only keys of these roles may use; ``check_role`` refuses others before input is looked at.

    ``narrow`` names the scopes with which a key may use it that is for one package or one site alone; such a view
    looks at the thing itself (``only_package``, ``only_origins``) where there is one. No other view is open to them.
    """

    def decorate(view: Callable[P, R]) -> Callable[P, R]:
        view.roles = roles  # type: ignore[attr-defined]
        view.narrow = narrow  # type: ignore[attr-defined]
        return view

    return decorate


def check_role() -> None:
    """Raise Unauthorized without a key, Forbidden with one of another role or a narrower scope than the view needs."""
    view = current_app.view_functions.get(request.endpoint or "")
    if roles := getattr(view, "roles", ()):
        require(*roles)


def require(*roles: str) -> ApiKeyView:
    """Return the request's key, if it has one of these roles and its scope allows this; else Unauthorized or Forbidden.

    A key that only reads may GET; one for a package or a site is for views that say so.
    """
    found: ApiKeyView | None = g.get("key")
    if found is None:
        raise Unauthorized
    if found.role not in roles:
        raise Forbidden(f"This needs a key of the role {' or '.join(roles)}; yours is {found.role}.")
    if found.scope.read_only and request.method not in ("GET", "HEAD"):
        raise Forbidden("This key only reads. Ask the campaign's staff for one that may change things.")
    view = current_app.view_functions.get(request.endpoint or "")
    if found.scope.narrow and not any(getattr(found.scope, thing) for thing in getattr(view, "narrow", ())):
        raise Forbidden(f"This key is for {_said(found.scope)} alone. Ask the campaign's staff for another one.")
    return found


def only_package(packages: Sequence[str], problem: type[Problem] = NotFound) -> None:
    """Raise the problem where the request's key is for one package and these are another, or more than that one."""
    package = _scope().package
    if package is not None and list(packages) != [package]:
        raise problem(f"This key is for the package {package} alone.")


def only_origins(origins: Sequence[str], problem: type[Problem] = NotFound) -> None:
    """Raise the problem where the request's key is for one site and these are others, more than that one, or none."""
    origin = _scope().origin
    if origin is not None and list(origins) != [origin]:
        raise problem(f"This key is for embeds on {origin} alone.")


def scoped_package() -> str | None:
    """Return the package that the request's key is for, to narrow a list to it; None for a key of all."""
    return _scope().package


def scoped_origin() -> str | None:
    """Return the site that the request's key is for, to narrow a list to it; None for a key of all."""
    return _scope().origin


def _scope() -> Scope:
    found: ApiKeyView | None = g.get("key")
    return found.scope if found else Scope()


def _said(scope: Scope) -> str:
    said = [f"the package {scope.package}"] if scope.package else []
    return " and ".join(said + ([f"embeds on {scope.origin}"] if scope.origin else []))


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
