"""The documentation as pages: English, in the layout and language of the visitor; its pictures and files beside it."""

from __future__ import annotations

import mimetypes
from pathlib import Path

from flask import Response, make_response, redirect, request

from ... import paths
from ...problems import NotFound
from ..documentation import documentation
from ..security import FILE_POLICY
from .blueprint import root
from .render import public

# Drawings have style sheets of their own inside.
_PICTURE_POLICY = f"{FILE_POLICY}; style-src 'unsafe-inline'"


@root.get("/docs/")
@root.get("/docs/<path:name>")
def docs(name: str = "") -> Response:
    """Show a page of the documentation, or one of its pictures and files."""
    known = documentation()
    if (file := known.file(name)) is not None:
        return _file(file)
    if (page := known.page(name)) is None:
        if (meant := known.known_as(name)) is not None:
            return make_response(redirect(paths.docs(meant), 301))
        raise NotFound("The documentation has no page of this name. Its first page lists them all.")
    response = public("docs.html", page=page, pages=known.listed)
    response.vary.add("Accept-Language")
    return response


def _file(file: Path) -> Response:
    kind = mimetypes.guess_type(file.name)[0] or ""
    response = make_response(file.read_bytes())
    picture = kind.startswith("image/")
    response.headers["Content-Type"] = kind if picture else "text/plain; charset=utf-8"
    response.headers["Content-Security-Policy"] = _PICTURE_POLICY if picture else FILE_POLICY
    response.headers["Cache-Control"] = "public, max-age=3600"
    response.add_etag()
    response.make_conditional(request)
    return response
