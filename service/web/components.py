"""Web components that partners' pages load from here, each under an address whose bytes never change.

Pages name the digest of what they load (``integrity``), so a change would take the logo off every one of them: another
version gets another number, and the old one stays.
"""

from __future__ import annotations

from flask import Blueprint, Response, current_app, send_from_directory

from ..problems import NotFound

blueprint = Blueprint("components", __name__)

_FILES = ("emblem-logo-1.js",)


@blueprint.get("/components/<name>")
def component(name: str) -> Response:
    """One component, for pages of any origin."""
    if name not in _FILES:
        raise NotFound("There is no such component; the documentation for partners names them.")
    response = send_from_directory(f"{current_app.static_folder}/components", name, mimetype="text/javascript")
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response
