"""Exports as files: for the API, the account page and the console alike."""

from __future__ import annotations

from flask import Response

from .context import deployment


def exported(participant: str, *, staff: bool) -> Response:
    """Return all that is kept about a participant, sent as it is read. Raises NotFound."""
    response = Response(deployment().export.of(participant, staff=staff), mimetype="application/json")
    response.headers["Content-Disposition"] = f'attachment; filename="{participant}.json"'
    response.headers["Cache-Control"] = "private, no-store"
    return response
