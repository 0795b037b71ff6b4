"""Catalogue, terms, eligibility and logos: public and cacheable."""

from __future__ import annotations

from typing import Any

from flask import Response, make_response
from pydantic import BaseModel

from ... import paths
from ...campaign.terms import TermsVersion
from ...clock import timestamp
from ...logos import FORMATS
from ...problems import UnknownTerms, UnknownVersion
from ..context import conditional, deployment
from . import blueprint, cacheable
from .models import (
    EligibilityAnswer,
    Id,
    IdPath,
    LanguageQuery,
    LogosAnswer,
    PackageAnswer,
    PackagesAnswer,
    PackagesQuery,
    TermsAnswer,
    TermsListAnswer,
    TermsQuery,
    VersionsAnswer,
)

api = blueprint("catalogue", "Packages, terms, eligibility and logos", public=True)


class VersionPath(BaseModel):
    """A package and a version of it."""

    id: Id
    version: Id


@api.get("/packages", responses={200: PackagesAnswer})
def packages(query: PackagesQuery) -> Response:
    """What is handed out, each in its current version."""
    found = [_with_urls(package, query.lang) for package in deployment().catalogue.listed(query.lang, query.kind)]
    return cacheable({"packages": found})


@api.get("/packages/<id>", responses={200: PackageAnswer})
def package(path: IdPath, query: LanguageQuery) -> Response:
    """One package in its current version."""
    return cacheable(_with_urls(deployment().catalogue.get(path.id, query.lang), query.lang))


@api.get("/packages/<id>/versions", responses={200: VersionsAnswer})
def versions(path: IdPath, query: LanguageQuery) -> Response:
    """Every published version of a package, newest first."""
    found = [_with_urls(package, query.lang) for package in deployment().catalogue.versions(path.id, query.lang)]
    return cacheable({"versions": found, "next_cursor": None})


@api.get("/packages/<id>/versions/<version>/preview.png", doc_ui=False)
def preview(path: VersionPath) -> Response:
    """The preview picture of a version."""
    catalogue = deployment().catalogue
    facts = catalogue.version(path.id, path.version)
    response = make_response(catalogue.preview(facts))
    response.headers["Content-Type"] = "image/png"
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    response.set_etag(facts.preview_sha256)
    return conditional(response)


@api.get("/terms", responses={200: TermsListAnswer})
def all_terms() -> Response:
    """Every version of all terms, newest first."""
    terms = deployment().campaign.terms
    found = [version for name in terms.ids() for version in terms.versions(name)]
    found.sort(key=lambda version: (version.effective, version.id), reverse=True)
    return cacheable({"terms": [_terms_json(version, "en") for version in found]})


@api.get("/terms/<id>", responses={200: TermsAnswer})
def terms(path: IdPath, query: TermsQuery) -> Response:
    """One version of the terms with its text, in the language asked for or else in English."""
    version = find_terms(path.id, query.version)
    language = version.language(query.lang)
    return cacheable(
        {
            **_terms_json(version, language),
            "language": language,
            "title": version.title(language),
            "text": version.text(language),
            "html": version.html(language),
        }
    )


@api.get("/eligibility", responses={200: EligibilityAnswer})
def eligibility(query: LanguageQuery) -> Response:
    """What each kind of participant is asked, and how it is decided."""
    return cacheable(deployment().campaign.eligibility.as_json(query.lang))


@api.get("/logos", responses={200: LogosAnswer})
def logos(query: LanguageQuery) -> Response:
    """The logos, their rules and the sizes they come in."""
    emblem = deployment()
    now = emblem.clock()
    found = []
    for logo in emblem.campaign.logos.values():
        current = emblem.campaign.terms.current(logo.terms, now)
        found.append(
            {
                "id": logo.id,
                "title": logo.title.get(query.lang),
                "aspect_ratio": round(logo.aspect_ratio, 6),
                "colourways": list(logo.colourways),
                "rules": emblem.campaign.brand.as_json(logo.id, query.lang),
                "terms": terms_ref(current.id, current.version, query.lang),
                "widths": emblem.variants.widths(logo.id),
                "formats": list(FORMATS),
            }
        )
    return cacheable({"logos": found})


def find_terms(terms: str, version: str | None) -> TermsVersion:
    """A version of the terms, or the current one; UnknownTerms or UnknownVersion."""
    known = deployment().campaign.terms
    if terms not in known.ids():
        raise UnknownTerms
    try:
        return known.get(terms, version) if version else known.current(terms, deployment().clock())
    except KeyError as error:
        raise UnknownVersion(f"See {paths.all_terms()} for the versions of {terms}.") from error


def terms_ref(terms: str, version: str, lang: str) -> dict[str, str]:
    """Terms as other answers name them."""
    return {"id": terms, "version": version, "url": deployment().settings.base_url + paths.terms(lang, terms, version)}


def _terms_json(version: TermsVersion, language: str) -> dict[str, Any]:
    return {
        "id": version.id,
        "version": version.version,
        "effective": timestamp(version.effective),
        "languages": list(version.languages),
        "digest": version.digest(language),
    }


def _with_urls(package: dict[str, Any], lang: str) -> dict[str, Any]:
    base = deployment().settings.base_url
    return {
        **package,
        "terms": terms_ref(package["terms"]["id"], package["terms"]["version"], lang),
        "preview_url": base + paths.preview(package["id"], package["version"]),
    }
