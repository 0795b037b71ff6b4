"""The pages behind the ``type`` of a problem: what it means and what to do about it."""

from __future__ import annotations

from flask import Response

from ...problems import REGISTRY, NotFound
from .blueprint import root
from .render import public


@root.get("/problems/<slug>")
def problem(slug: str) -> Response:
    """Explain one kind of problem, in the language of the browser."""
    found = REGISTRY.get(slug)
    if found is None:
        raise NotFound("There is no problem of this name.")
    response = public("problem_kind.html", kind=found)
    response.vary.add("Accept-Language")
    return response
