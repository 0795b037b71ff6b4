"""The pictures that stand for pages where their addresses are shared."""

from __future__ import annotations

from flask import Response, make_response, request

from ...campaign import LANGUAGES
from ...problems import NotFound
from .. import sharing
from ..context import conditional, deployment
from .blueprint import root

_YEAR = "public, max-age=31536000, immutable"
_SOON = "public, max-age=300"  # without the digest of what it shows an address may show something else tomorrow


@root.get("/share/<lang>/<path:name>.png")
def share_picture(lang: str, name: str) -> Response:
    """Show the picture of a page in a language."""
    page = sharing.page_of_picture(lang, name) if lang in LANGUAGES else None
    if page is None:
        raise NotFound("There is no page of this name, so there is no picture of it.")
    card = page.card()
    response = make_response(deployment().share_pictures.png(card))
    response.headers["Content-Type"] = "image/png"
    response.headers["Cache-Control"] = _YEAR if request.args.get("v") == card.digest[:12] else _SOON
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    response.set_etag(card.digest)
    return conditional(response)
