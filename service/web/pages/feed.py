"""The feed of new packages, for readers and for sites that follow the campaign (Atom, RFC 4287)."""

from __future__ import annotations

from xml.etree import ElementTree

from flask import Response, make_response, request, url_for

from ...clock import timestamp
from ..context import deployment
from ..i18n import language
from .blueprint import pages

_ATOM = "http://www.w3.org/2005/Atom"
_NEWEST = 30  # versions


@pages.get("/feed.atom")
def feed() -> Response:
    """List the newest versions of packages that are handed out, in the reader's language."""
    found, lang = deployment(), language()
    base, info = found.settings.base_url, found.campaign.info
    shown = [
        one.package
        for package in found.catalogue.current()
        for one in found.catalogue.versions(package.id)
        if one.withdrawn_at is None
    ]
    newest = sorted(shown, key=lambda one: (one.published_at, one.id), reverse=True)[:_NEWEST]
    ElementTree.register_namespace("", _ATOM)
    root = ElementTree.Element(f"{{{_ATOM}}}feed", {"{http://www.w3.org/XML/1998/namespace}lang": lang})

    def add(parent: ElementTree.Element, tag: str, text: str = "", **attributes: str) -> ElementTree.Element:
        element = ElementTree.SubElement(parent, f"{{{_ATOM}}}{tag}", attributes)
        element.text = text or None
        return element

    add(root, "id", base + url_for("pages.feed"))
    add(root, "title", info.name.get(lang))
    add(root, "subtitle", info.summary.get(lang))
    add(root, "updated", timestamp(newest[0].published_at if newest else found.clock()))
    add(root, "link", rel="self", type="application/atom+xml", href=base + url_for("pages.feed"))
    add(root, "link", rel="alternate", type="text/html", href=base + url_for("pages.tools"))
    add(add(root, "author"), "name", info.name.get(lang))
    for package in newest:
        entry = add(root, "entry")
        page = base + url_for("pages.tool", package=package.id)
        add(entry, "id", f"{page}#{package.version}")
        add(entry, "title", f"{package.title.get(lang)} {package.version}")
        add(entry, "published", timestamp(package.published_at))
        add(entry, "updated", timestamp(package.published_at))
        add(entry, "link", rel="alternate", type="text/html", href=page)
        add(entry, "summary", package.description.get(lang))
    response = make_response(ElementTree.tostring(root, encoding="utf-8", xml_declaration=True))
    response.headers["Content-Type"] = "application/atom+xml; charset=utf-8"
    response.headers["Cache-Control"] = "public, max-age=300"
    response.add_etag()
    response.make_conditional(request)
    return response
