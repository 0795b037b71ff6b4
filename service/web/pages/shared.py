"""Provide what every template knows: the campaign, its logo, the navigation, the stylesheet and scripts."""

from __future__ import annotations

import hashlib
import re
from functools import cache
from typing import Any

from flask import current_app, request, url_for
from flask.sansio.app import App
from markupsafe import Markup

from ... import paths
from ...campaign import direction
from ...campaign.text import msgid
from ...packages import previews
from ...packages.published import PublishedPackage
from ...sharing import SIZE as PICTURE_SIZE
from .. import sharing
from ..context import deployment
from ..i18n import language, translate
from ..structured_data import structured_data

#: The main navigation: endpoint and words.
NAVIGATION = (
    ("pages.actions", msgid("What you can do")),
    ("pages.protocol", msgid("The Protocol")),
    ("pages.rules", msgid("Logo rules")),
    ("pages.tools", msgid("Campaign tools")),
    ("pages.join", msgid("Join")),
    ("pages.account", msgid("Your account")),
)
#: Problems that a new link solves.
TOOLS_HELP = frozenset(
    {"invalid-link", "link-revoked", "link-expired", "link-exhausted", "package-withdrawn", "terms-not-accepted"}
)


def install(app: App) -> None:
    """Give the templates of this app what they share."""
    app.jinja_env.globals.update(
        navigation=NAVIGATION,
        asset=asset,
        docs_url=paths.docs,
        logo_url=logo_url,
        logo_width=logo_width,
        preview_url=preview_url,
        shared_page=shared_page,
        structured_data=structured_data,
        picture_size=PICTURE_SIZE,
        preview_sources=preview_sources,
        terms_title=terms_title,
        contact_link=contact_link,
        status_word=status_word,
        case_status=case_status,
        effort_word=effort_word,
        client_word=client_word,
        tools_help=TOOLS_HELP,
    )
    app.jinja_env.filters["below"] = below
    app.context_processor(_context)


def _context() -> dict[str, Any]:
    found = deployment()
    return {
        "campaign": found.campaign,
        "base_url": found.settings.base_url,
        "outbox": found.settings.outbox is not None,
    }


def below(html: str, levels: int) -> str:
    """Sanitised HTML with its headings so many levels lower, to stand inside a section of a page."""
    return re.sub(r"(</?h)([1-6])>", lambda found: f"{found[1]}{min(6, int(found[2]) + levels)}>", html)


def asset(name: str) -> str:
    """Return the address of a static file, with its content's digest: a changed file is another address."""
    return url_for("static", filename=name, v=_digest(str(current_app.static_folder), name))


@cache
def _digest(folder: str, name: str) -> str:
    with open(f"{folder}/{name}", "rb") as file:  # noqa: PTH123  # the folder is Flask's text
        return hashlib.sha256(file.read()).hexdigest()[:12]


def symbol() -> str:
    """Return the id of the logo that stands for the campaign."""
    return deployment().campaign.symbol.id


def logo_url(colourway: str = "", logo: str = "") -> str:
    """Return the address of a logo's master, for our own pages; another colourway of it where that one is missing."""
    found = deployment().campaign.logos[logo or symbol()]
    name = colourway if colourway in found.colourways else found.colourways[0]
    return url_for("root.master", logo=found.id, colourway=name)


def logo_width(height: int, logo: str = "") -> int:
    """Return the width in pixels of a logo that is so high."""
    return round(height * deployment().campaign.logos[logo or symbol()].aspect_ratio)


def preview_url(package: PublishedPackage) -> str:
    """Return the address of a package version's picture as it was published."""
    return url_for("root.preview", package=package.id, version=package.version)


def preview_sources(package: PublishedPackage) -> list[tuple[str, str]]:
    """Return media type and ``srcset`` of a package version's picture, the smallest format first."""

    def address(form: str, width: int) -> str:
        return url_for("root.preview_variant", package=package.id, version=package.version, width=width, form=form)

    return [
        (f"image/{form}", ", ".join(f"{address(form, width)} {width}w" for width in previews.WIDTHS))
        for form in previews.FORMS
    ]


def shared_page() -> sharing.SharedPage:
    """Return what stands for this page where its address is shared; the home page for one that has no picture."""
    lang, path = language(), request.path.lstrip("/")
    found = sharing.find(lang, path.removeprefix(f"{lang}/"))
    return found or sharing.find(lang, "") or sharing.SharedPage(lang, "", "")


def contact_link() -> Markup:
    """Return the campaign's address, as a link."""
    return Markup('<a href="mailto:{0}">{0}</a>').format(deployment().campaign.info.contact_email)


def terms_title(terms_id: str) -> Markup:
    """Return the title of terms in force, marked where not in the visitor's language. Raises UnknownTerms."""
    found = deployment()
    version = found.campaign.terms.current(terms_id, found.clock())
    lang = version.language(language())
    if lang == language():
        return Markup("{}").format(version.title(lang))
    return Markup('<span lang="{}" dir="{}">{}</span>').format(lang, direction(lang), version.title(lang))


def status_word(status: str) -> Markup:
    """Return a status or outcome in words."""
    words = {
        "approved": msgid("Approved"),
        "under_review": msgid("Under review"),
        "review": msgid("Review"),
        "returned": msgid("Waits for your answer"),
        "open": msgid("Open"),
        "decided": msgid("Decided"),
        "closed": msgid("Closed"),
        "upheld": msgid("Upheld"),
        "dismissed": msgid("Dismissed"),
        "joining": msgid("Application"),
        "change": msgid("Change request"),
        "renewal": msgid("Renewal"),
        "misuse": msgid("Report of misuse"),
        "declined": msgid("Declined"),
        "suspended": msgid("Suspended"),
        "erased": msgid("Erased"),
        "active": msgid("Active"),
        "invited": msgid("Invited"),
        "expired": msgid("Expired"),
        "revoked": msgid("Revoked"),
        "exhausted": msgid("Used up"),
        "terms_required": msgid("Needs the new terms"),
        "grace": msgid("New terms to accept"),
        "withdrawn": msgid("Withdrawn"),
        "current": msgid("In force"),
        "coming": msgid("Coming"),
        "earlier": msgid("Earlier version"),
        "valid": msgid("Valid"),
        "superseded": msgid("Superseded"),
        "lapsed": msgid("Lapsed"),
        "right": msgid("Right"),
        "wrong": msgid("Wrong"),
    }
    return translate(words.get(status, status))


def effort_word(effort: str) -> Markup:
    """Return the effort of a suggested action in words."""
    words = {"minutes": msgid("A few minutes"), "hours": msgid("A few hours"), "days": msgid("A few days")}
    return translate(words[effort])


def case_status(status: str) -> Markup:
    """Return where a case stands in words, for staff."""
    words = {
        "open": msgid("Open"),
        "returned": msgid("With the applicant"),
        "decided": msgid("Decided"),
        "closed": msgid("Closed"),
    }
    return translate(words[status])


def client_word(kind: str) -> Markup:
    """Return a kind of client in words."""
    words = {
        "browser": msgid("A browser"),
        "program": msgid("A program"),
        "agent": msgid("An assistant"),
        "robot": msgid("A robot"),
    }
    return translate(words.get(kind, kind))
