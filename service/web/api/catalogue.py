"""Catalogue, terms, eligibility and logos: public and cacheable."""

from __future__ import annotations

from flask import Response, make_response
from pydantic import BaseModel

from ...answers.brand import BrandRulesAnswer
from ...answers.catalogue import (
    EligibilityAnswer,
    LogoAnswer,
    LogosAnswer,
    PackageAnswer,
    PackagesAnswer,
    TermsAnswer,
    TermsListAnswer,
    TermsVersionAnswer,
    VersionAnswer,
    VersionsAnswer,
    Viewpoint,
)
from ...logos import FORMATS
from ...problems import PackageDamaged, PackageWithdrawn, UnknownPackage, UnknownTerms, UnknownVersion
from ..context import conditional, deployment
from . import blueprint, cacheable, problems, public
from .models import Id, IdPath, LanguageQuery, PackagesQuery, TermsQuery

_PICTURE = {"content": {"image/png": {"schema": {"type": "string", "format": "binary"}}}}

api = blueprint("catalogue", "Packages, terms, eligibility and logos", public=True)


class VersionPath(BaseModel):
    """A package and a version of it."""

    id: Id
    version: Id


@api.get("/packages", responses={200: PackagesAnswer})
@public
def packages(query: PackagesQuery) -> Response:
    """List what is handed out, each in its current version."""
    found = deployment().catalogue.current(query.kind)
    return cacheable(PackagesAnswer(packages=[PackageAnswer.of(package, _viewpoint(query.lang)) for package in found]))


@api.get("/packages/<id>", responses={200: PackageAnswer})
@public
@problems(UnknownPackage, PackageWithdrawn)
def package(path: IdPath, query: LanguageQuery) -> Response:
    """Show one package in its current version."""
    return cacheable(PackageAnswer.of(deployment().catalogue.current_version(path.id), _viewpoint(query.lang)))


@api.get("/packages/<id>/versions", responses={200: VersionsAnswer})
@public
@problems(UnknownPackage)
def versions(path: IdPath, query: LanguageQuery) -> Response:
    """List every published version of a package, newest first."""
    viewpoint, found = _viewpoint(query.lang), deployment().catalogue.versions(path.id)
    return cacheable(
        VersionsAnswer(versions=[VersionAnswer.of_listed(one, viewpoint) for one in found], next_cursor=None)
    )


@api.get("/packages/<id>/versions/<version>/preview.png", responses={200: _PICTURE})
@public
@problems(UnknownPackage, UnknownVersion, PackageDamaged)
def preview(path: VersionPath) -> Response:
    """Show the preview picture of a version."""
    catalogue = deployment().catalogue
    facts = catalogue.shown_version(path.id, path.version)
    response = make_response(catalogue.preview(facts))
    response.headers["Content-Type"] = "image/png"
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    response.set_etag(facts.preview_sha256)
    return conditional(response)


@api.get("/terms", responses={200: TermsListAnswer})
@public
def all_terms() -> Response:
    """List every version of all terms, newest first."""
    terms = deployment().campaign.terms
    found = [version for name in terms.ids() for version in terms.versions(name)]
    found.sort(key=lambda version: (version.effective, version.id), reverse=True)
    return cacheable(TermsListAnswer(terms=[TermsVersionAnswer.of(version) for version in found]))


@api.get("/terms/<id>", responses={200: TermsAnswer})
@public
@problems(UnknownTerms, UnknownVersion)
def terms(path: IdPath, query: TermsQuery) -> Response:
    """Show one version of the terms with its text, in the language asked for or else in English."""
    known = deployment().campaign.terms
    version = known.get(path.id, query.version) if query.version else known.current(path.id, deployment().clock())
    return cacheable(TermsAnswer.in_language(version, query.lang))


@api.get("/eligibility", responses={200: EligibilityAnswer})
@public
def eligibility(query: LanguageQuery) -> Response:
    """Show what each kind of participant is asked, and how it is decided."""
    return cacheable(EligibilityAnswer.of(deployment().campaign.eligibility, query.lang))


@api.get("/logos", responses={200: LogosAnswer})
@public
def logos(query: LanguageQuery) -> Response:
    """List the logos, their rules and the sizes they come in."""
    emblem, viewpoint = deployment(), _viewpoint(query.lang)
    found = [
        LogoAnswer.of(logo, emblem.campaign.brand, viewpoint, widths=emblem.variants.widths(logo.id), formats=FORMATS)
        for logo in emblem.campaign.logos.values()
    ]
    return cacheable(LogosAnswer(logos=found))


@api.get("/rules", responses={200: BrandRulesAnswer})
@public
def rules(query: LanguageQuery) -> Response:
    """Show the rules of all logos, with their digest."""
    return cacheable(BrandRulesAnswer.of(deployment().campaign, query.lang))


def _viewpoint(language: str) -> Viewpoint:
    """Gather what answers name beside the thing itself, for a reader of a language."""
    emblem = deployment()
    return Viewpoint(emblem.settings.base_url, language, emblem.clock(), emblem.campaign.terms)
