"""Answers of pages: public ones that caches may keep for a minute, and private ones that nobody keeps."""

from __future__ import annotations

from typing import Any

from flask import Response, make_response, redirect, render_template, request

from ..i18n import language

_PUBLIC = "public, max-age=60"
_PRIVATE = "private, no-store"


def public(template: str, **context: Any) -> Response:
    """Return a page that is the same for everyone who reads its language; with an ETag, and 304 where it is known."""
    response = make_response(render_template(template, alternates=True, **context))
    response.headers["Cache-Control"] = _PUBLIC
    response.headers["Content-Language"] = language()
    response.add_etag()
    response.make_conditional(request)
    return response


def private(template: str, status: int = 200, **context: Any) -> Response:
    """Return a page for this visitor alone: it has a form, or shows what is theirs."""
    response = make_response(render_template(template, **context), status)
    response.headers["Cache-Control"] = _PRIVATE
    response.headers["Content-Language"] = language()
    return response


def see_other(location: str) -> Response:
    """After a form was sent: 303, so that reloading the next page sends nothing again."""
    response = make_response(redirect(location, 303))
    response.headers["Cache-Control"] = _PRIVATE
    return response
