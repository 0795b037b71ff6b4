"""Addresses that no page of ours sends: with a NUL, which databases disagree about, no UTF-8, or too long a number."""

from __future__ import annotations

from flask import Flask, request
from werkzeug.routing import IntegerConverter

from .. import paths
from ..problems import FieldError, InvalidRequest, NotFound


class Number(IntegerConverter):
    """A whole number in a path, of digits that every database takes; a longer one is another address, with nothing."""

    regex = r"\d{1,9}"


def install(app: Flask) -> None:
    """Answer 404 for a path with a NUL, and 422 for such a query of a page and for any query that is no UTF-8.

    Addresses of downloads and of logos are judged by what reads them, which says what is wrong; the queries of the API
    have models.
    """
    app.url_map.converters["int"] = Number

    @app.before_request
    def refuse() -> None:
        if request.path.startswith(paths.VARIANTS):
            return
        if "\0" in request.path and request.endpoint != "delivery.download":
            raise NotFound
        try:
            given = list(request.args.lists())
        except UnicodeDecodeError:
            raise InvalidRequest("Write what is not ASCII in a query as UTF-8, percent-encoded.") from None
        if request.path.startswith(f"{paths.API}/"):
            return
        odd = [name for name, values in given if "\0" in name or any("\0" in value for value in values)]
        if odd:
            raise InvalidRequest(errors=[FieldError(f"?{name}", "Remove the NUL character.") for name in odd])
