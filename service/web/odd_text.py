"""Addresses with a NUL in them: nothing of ours has one, and databases disagree about what to do with it."""

from __future__ import annotations

from flask import Flask, request

from .. import paths
from ..problems import FieldError, InvalidRequest, NotFound


def install(app: Flask) -> None:
    """Answer 404 for such a path, on every route but downloads, and 422 for such a query of a page.

    The address of a download is no path of ours to anybody but its token's check, which says what is wrong with it;
    the queries of the API have models.
    """

    @app.before_request
    def refuse() -> None:
        if "\0" in request.path and request.endpoint != "delivery.download":
            raise NotFound
        if request.path.startswith(f"{paths.API}/"):
            return
        odd = [name for name, values in request.args.lists() if "\0" in name or any("\0" in value for value in values)]
        if odd:
            raise InvalidRequest(errors=[FieldError(f"?{name}", "Remove the NUL character.") for name in odd])
