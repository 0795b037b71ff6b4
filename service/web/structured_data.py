"""Structured data of the public pages (JSON-LD with the words of schema.org), as search engines read it."""

from __future__ import annotations

from typing import Any

from flask import request

from .. import paths
from ..packages.published import PublishedPackage
from . import sharing
from .context import deployment


def structured_data(page: sharing.SharedPage, description: str) -> dict[str, Any]:
    """Return what a page is: who publishes it, where it stands, and the package or action that it shows."""
    found, lang = deployment(), page.language
    base, info = found.settings.base_url, found.campaign.info
    home = base + paths.home(lang)
    publisher = {
        "@type": "Organization",
        "@id": f"{base}/#campaign",
        "name": info.name.get(lang),
        "url": home,
        "logo": f"{base}/brand/{found.campaign.symbol.id}/{found.campaign.symbol.colourways[0]}.svg",
        "email": info.contact_email,
    }
    site = {"@type": "WebSite", "@id": f"{base}/#site", "name": info.name.get(lang), "url": home, "inLanguage": lang}
    address = base + request.path
    shown: dict[str, Any] = {
        "@type": "WebPage",
        "@id": address,
        "url": address,
        "name": page.title,
        "description": description,
        "inLanguage": lang,
        "isPartOf": {"@id": site["@id"]},
        "publisher": {"@id": publisher["@id"]},
        "primaryImageOfPage": {"@type": "ImageObject", "url": base + page.picture(), "width": 1200, "height": 630},
    }
    graph = [publisher, site, shown]
    if (steps := _steps(page, base)) is not None:
        shown["breadcrumb"] = {"@id": steps["@id"]}
        graph.append(steps)
    if page.package is not None:
        thing = _package(page.package, lang, base, address)
        shown["mainEntity"] = {"@id": thing["@id"]}
        graph.append(thing)
    return {"@context": "https://schema.org", "@graph": graph}


def _steps(page: sharing.SharedPage, base: str) -> dict[str, Any] | None:
    """Return the way from the home page to a page; None for the home page."""
    if not page.path or page.path.startswith(sharing.DOCS):
        return None
    over = sharing.find(page.language, page.path.partition("/")[0])
    way = [sharing.find(page.language, ""), *([over] if over and over.path != page.path else []), page]
    items = [
        {"@type": "ListItem", "position": place, "name": one.title, "item": f"{base}/{one.language}/{one.path}"}
        for place, one in enumerate((one for one in way if one is not None), 1)
    ]
    return {"@type": "BreadcrumbList", "@id": f"{base}{request.path}#way", "itemListElement": items}


def _package(package: PublishedPackage, lang: str, base: str, address: str) -> dict[str, Any]:
    return {
        "@type": "CreativeWork",
        "@id": f"{address}#package",
        "name": package.title.get(lang),
        "description": package.description.get(lang),
        "version": package.version,
        "datePublished": package.published_at.date().isoformat(),
        "inLanguage": list(package.languages),
        "encodingFormat": package.media_type,
        "size": f"{package.bytes} B",
        "isAccessibleForFree": True,
        "license": base + paths.terms(lang, package.terms),
        "image": base + paths.preview(package.id, package.version),
        "publisher": {"@id": f"{base}/#campaign"},
    }
