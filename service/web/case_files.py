"""Files that people sent with a case, given back: as downloads, in which nothing runs as a page of ours."""

from __future__ import annotations

from flask import Response, make_response

from ..desk import StoredFile
from .security import FILE_POLICY


def file_response(found: StoredFile) -> Response:
    """Return a file to download."""
    response = make_response(found.data)
    response.headers["Content-Type"] = found.view.media_type
    response.headers.set("Content-Disposition", "attachment", filename=found.view.name)
    response.headers["Content-Security-Policy"] = FILE_POLICY
    response.headers["Cache-Control"] = "private, no-store"
    return response
