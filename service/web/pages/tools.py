"""The campaign tools: what there is, and what is in it."""

from __future__ import annotations

import hashlib
from typing import Any

from flask import Response, make_response, request

from ...packages import previews
from ...packages.published import PublishedPackage
from ...problems import NotFound
from ..context import deployment
from .blueprint import pages, root
from .downloads import standing_of
from .forms import FormMistakes
from .render import private, public


@root.get("/brand/packages/<package>/<version>.png")
def preview(package: str, version: str) -> Response:
    """Show the picture of a package version as it was published."""
    catalogue = deployment().catalogue
    return _picture(catalogue.preview(catalogue.shown_version(package, version)), "png")


@root.get("/brand/packages/<package>/<version>/<int:width>.<form>")
def preview_variant(package: str, version: str, width: int, form: str) -> Response:
    """Show the picture of a package version in a width and format that pages ask for."""
    if width not in previews.WIDTHS or form not in previews.FORMS:
        raise NotFound
    catalogue = deployment().catalogue
    png = catalogue.preview(catalogue.shown_version(package, version))
    return _picture(previews.encoded(png, form, width), form)


def _picture(content: bytes, form: str) -> Response:
    """Return a picture that never changes at its address."""
    response = make_response(content)
    response.headers["Content-Type"] = f"image/{form}"
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    response.set_etag(hashlib.sha256(content).hexdigest())
    response.make_conditional(request)
    return response


@pages.get("/tools")
def tools() -> Response:
    """Show every package with its picture, size, formats and licence."""
    catalogue = deployment().catalogue
    return public("tools.html", logos=catalogue.current("logo"), tools=catalogue.current("tool"))


@pages.get("/tools/<package>")
def tool(package: str) -> Response:
    """Show one package, and what this visitor needs to do to download it."""
    return _tool_page(deployment().catalogue.current_version(package))


def _tool_page(facts: PublishedPackage) -> Response:
    context: dict[str, Any] = {
        "package": facts,
        "versions": deployment().catalogue.versions(facts.id),
        "standing": standing_of((facts,)),
        "mistakes": FormMistakes(),
    }
    if not request.cookies:
        response = public("tool.html", **context)
        response.vary.add("Cookie")
        return response
    return private("tool.html", **context)
