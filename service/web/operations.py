"""For operators and crawlers: health, readiness, security contact, robots, sitemap."""

from __future__ import annotations

from datetime import timedelta

from flask import Blueprint, Response, jsonify, make_response

from ..campaign import LANGUAGES
from ..clock import timestamp
from ..paths import docs
from ..problems import Problem, Unavailable
from . import sharing
from .context import deployment
from .documentation import documentation

blueprint = Blueprint("operations", __name__)

_MOST_READ = 64 * 1024 * 1024  # bytes of stored packages that one look at readiness reads; the rest at the next


@blueprint.get("/healthz")
def healthz() -> Response:
    """200 while the process answers."""
    response = jsonify(status="ok")
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.get("/readyz")
def readyz() -> Response:
    """200 while database and storage answer and no stored package is damaged; else 503, saying which."""
    emblem = deployment()
    failed = []
    for name, check in (("database", emblem.database.check), ("storage", emblem.storage.check)):
        try:
            check()
        except Unavailable:
            failed.append(name)
    if failed:
        raise _not_ready(f"{' and '.join(failed)} not answering", failed=failed)
    damaged = emblem.stored_packages.examine(emblem.stored_files(), most=_MOST_READ)
    if damaged:
        names = [f"{found.package} {found.version}" for found in damaged]
        raise _not_ready(f"the stored file is damaged of {', '.join(names)}", failed=["packages"], packages=names)
    response = jsonify(status="ok", database="ok", storage="ok", packages="ok")
    response.headers["Cache-Control"] = "no-store"
    return response


def _not_ready(reason: str, **extra: list[str]) -> Problem:
    detail = f"Not ready: {reason}. `emblem doctor` tells more."
    return Unavailable(detail, extra=extra, headers={"Retry-After": "5"})


@blueprint.get("/.well-known/security.txt")
def security_txt() -> Response:
    """Whom to tell of a weakness (RFC 9116)."""
    emblem = deployment()
    base, contact = emblem.settings.base_url, emblem.campaign.info.contact_email
    expires = timestamp(emblem.clock().replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=180))
    return _text(
        f"Contact: mailto:{contact}\nExpires: {expires}\nPreferred-Languages: en, fr\n"
        f"Canonical: {base}/.well-known/security.txt\n"
    )


@blueprint.get("/robots.txt")
def robots_txt() -> Response:
    """Search engines read the pages; nothing else is for them."""
    return _text(
        "User-agent: *\nDisallow: /api/\nDisallow: /d/\nDisallow: /staff\n"
        + "".join(f"Disallow: /{lang}/account\nDisallow: /{lang}/sign-in\n" for lang in LANGUAGES)
        + f"Sitemap: {deployment().settings.base_url}/sitemap.xml\n"
    )


@blueprint.get("/sitemap.xml")
def sitemap() -> Response:
    """List the public pages in all languages, and those of the documentation."""
    emblem = deployment()
    paths = list(sharing.PAGES)
    paths += [sharing.action_path(kind.id, action.id) for kind, action in sharing.actions(emblem.campaign)]
    paths += [f"tools/{published.id}" for published in emblem.catalogue.current()]
    paths += [f"terms/{terms}" for terms in emblem.campaign.terms.ids()]
    base = emblem.settings.base_url
    lines = []
    for path in paths:
        others = "".join(
            f'<xhtml:link rel="alternate" hreflang="{lang}" href="{base}/{lang}/{path}"/>' for lang in LANGUAGES
        )
        others += f'<xhtml:link rel="alternate" hreflang="x-default" href="{base}/en/{path}"/>'
        lines += [f"<url><loc>{base}/{lang}/{path}</loc>{others}</url>" for lang in LANGUAGES]
    lines += [f"<url><loc>{base}{docs(address)}</loc></url>" for address in documentation().addresses]
    response = make_response(
        '<?xml version="1.0" encoding="UTF-8"?>\n<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" '
        f'xmlns:xhtml="http://www.w3.org/1999/xhtml">{"".join(lines)}</urlset>\n'
    )
    response.headers["Content-Type"] = "application/xml; charset=utf-8"
    response.headers["Cache-Control"] = "public, max-age=3600"
    return response


def _text(text: str) -> Response:
    response = make_response(text)
    response.headers["Content-Type"] = "text/plain; charset=utf-8"
    response.headers["Cache-Control"] = "public, max-age=3600"
    return response
