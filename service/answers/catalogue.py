"""Answers about the catalogue, terms, eligibility and logos: public ones, alike for everybody."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Literal, Self

from pydantic import Field

from .. import paths
from ..campaign import BrandRules, Eligibility, Logo, Terms, TermsVersion
from ..campaign.brand import ArtworkRule
from ..campaign.kinds import Field as Question
from ..campaign.kinds import FieldType
from ..packages import ListedVersion, PublishedPackage
from .base import Answer, Instant, Kind, Purpose, TermsRef


class Viewpoint:
    """Setting of an answer: the deployment's base URL, the reader's language, the present, the terms."""

    def __init__(self, base_url: str, language: str, now: datetime, terms: Terms) -> None:
        self.base_url = base_url
        self.language = language
        self._now = now
        self._terms = terms

    def terms(self, terms_id: str) -> TermsRef:
        """Return the version of terms that is in force; null where none is, or policies name them no more."""
        found = self._terms.find_current(terms_id, self._now)
        version = found.version if found else None
        return TermsRef(id=terms_id, version=version, url=self.base_url + paths.terms(self.language, terms_id, version))


class FileAnswer(Answer):
    """One file in a package."""

    path: str
    bytes: int
    sha256: str
    media_type: str
    print: Literal["cmyk", "spot", "eps"] | None = None
    standard: Literal["PDF/X-4"] | None = None
    condition: str | None = None


class PackageAnswer(Answer):
    """A package in its current version."""

    id: str
    kind: Literal["logo", "tool"]
    title: str
    description: str
    version: str
    bytes: int
    sha256: str
    media_type: str
    filename: str
    languages: list[str]
    terms: TermsRef
    files: list[FileAnswer]
    preview_url: str

    @classmethod
    def of(cls, seen: PublishedPackage, viewpoint: Viewpoint, **more: Any) -> Self:
        """Return the package in the reader's language; ``more`` are members of a model that adds some."""
        return cls(
            id=seen.id,
            kind=seen.kind,
            title=seen.title.get(viewpoint.language),
            description=seen.description.get(viewpoint.language),
            version=seen.version,
            bytes=seen.bytes,
            sha256=seen.sha256,
            media_type=seen.media_type,
            filename=seen.filename,
            languages=list(seen.languages),
            terms=viewpoint.terms(seen.terms),
            files=[FileAnswer(**file) for file in seen.files],
            preview_url=viewpoint.base_url + paths.preview(seen.id, seen.version),
            **more,
        )


class PackagesAnswer(Answer):
    """The packages that are handed out, each in its current version."""

    packages: list[PackageAnswer]


class WithdrawalAnswer(Answer):
    """Withdrawal of a version: when, and why."""

    at: Instant
    reason: str


class VersionAnswer(PackageAnswer):
    """One published version of a package."""

    published_at: Instant
    withdrawn: WithdrawalAnswer | None

    @classmethod
    def of_listed(cls, seen: ListedVersion, viewpoint: Viewpoint) -> Self:
        """Return the version in the reader's language."""
        withdrawn = None
        if seen.withdrawn_at is not None:
            withdrawn = WithdrawalAnswer(at=seen.withdrawn_at, reason=seen.withdrawn_reason or "")
        return cls.of(seen.package, viewpoint, published_at=seen.package.published_at, withdrawn=withdrawn)


class VersionsAnswer(Answer):
    """The versions of a package, newest first."""

    versions: list[VersionAnswer]
    next_cursor: None = None


class TermsVersionAnswer(Answer):
    """One version of the terms; ``digest`` is of its English text."""

    id: str
    version: str
    effective: Instant
    languages: list[str]
    digest: str

    @classmethod
    def of(cls, seen: TermsVersion, digest_of: str = "en", **more: Any) -> Self:
        """Return the version, with the digest of its text in a language; ``more`` are what a model adds."""
        return cls(
            id=seen.id,
            version=seen.version,
            effective=seen.effective,
            languages=list(seen.languages),
            digest=seen.digest(digest_of),
            **more,
        )


class TermsListAnswer(Answer):
    """Every version of all terms, newest first."""

    terms: list[TermsVersionAnswer]


class TermsAnswer(TermsVersionAnswer):
    """A version of the terms in one language; ``digest`` is the SHA-256 of exactly the UTF-8 bytes of ``text``."""

    language: str
    title: str
    text: str = Field(description="Markdown")
    html: str

    @classmethod
    def in_language(cls, seen: TermsVersion, wished: str) -> Self:
        """Return the version in the language that is wished, or in English where it is not written in that."""
        language = seen.language(wished)
        return cls.of(
            seen,
            language,
            language=language,
            title=seen.title(language),
            text=seen.text(language),
            html=seen.html(language),
        )


class OptionAnswer(Answer):
    """One possible answer to a choice."""

    value: str
    label: str


class EligibilityField(Answer):
    """One question that a kind is asked, with every constraint; ``min`` and ``max`` are characters."""

    name: str
    type: FieldType
    required: bool
    label: str
    help: str | None = None
    options: list[OptionAnswer] | None = None
    min: int | None = None
    max: int | None = None

    @classmethod
    def of(cls, seen: Question, lang: str) -> Self:
        """Return the question in a language."""
        more: dict[str, Any] = {}
        if seen.help:
            more["help"] = seen.help.get(lang)
        if seen.options:
            more["options"] = [OptionAnswer(value=one.value, label=one.label.get(lang)) for one in seen.options]
        limits = {"min": seen.min, "max": seen.max}
        more |= {name: limit for name, limit in limits.items() if limit is not None}
        return cls(name=seen.name, type=seen.type, required=seen.required, label=seen.label.get(lang), **more)


class EligibilityKind(Answer):
    """A kind of participant, what it is asked, and in words how it is decided."""

    kind: Kind
    label: str
    help: str
    country_required: bool
    fields: list[EligibilityField]
    decided: str


class PurposeAnswer(Answer):
    """A purpose of use that an applicant may name."""

    purpose: Purpose
    label: str
    help: str


class EligibilityAnswer(Answer):
    """All kinds and purposes."""

    kinds: list[EligibilityKind]
    purposes: list[PurposeAnswer]

    @classmethod
    def of(cls, seen: Eligibility, lang: str) -> Self:
        """Return what the campaign asks and how it decides, in a language."""
        return cls(
            kinds=[
                EligibilityKind(
                    kind=kind.id,
                    label=kind.label.get(lang),
                    help=kind.help.get(lang),
                    country_required=kind.country_required,
                    fields=[EligibilityField.of(field, lang) for field in kind.fields],
                    decided=kind.decided.get(lang),
                )
                for kind in seen.kinds
            ],
            purposes=[
                PurposeAnswer(purpose=name, label=purpose.label.get(lang), help=purpose.help.get(lang))
                for name, purpose in seen.purposes.items()
            ],
        )


class MinimumWidth(Answer):
    """The smallest width at which a logo may be shown, on screen and in print."""

    px: int
    mm: float


class ClearSpaceAnswer(Answer):
    """The space kept free on every side: a fraction of the logo's width or height."""

    fraction: float
    of: Literal["width", "height"]
    about: str


class BackgroundsAnswer(Answer):
    """On which backgrounds a colourway may stand: WCAG contrast, CIE L* and chroma."""

    contrast: float
    least_lightness: float
    most_lightness: float
    most_chroma: float | None
    about: str


class ColourwayAnswer(Answer):
    """One colour in which a logo exists."""

    id: str
    label: str
    hex: str
    use: str
    backgrounds: BackgroundsAnswer


class ForbiddenAnswer(Answer):
    """One thing that must not be done to a logo."""

    rule: ArtworkRule
    title: str
    why: str
    instead: str


class RulesAnswer(Answer):
    """The rules of one logo."""

    minimum_width: MinimumWidth
    clear_space: ClearSpaceAnswer
    use: str
    colourways: list[ColourwayAnswer]
    forbidden: list[ForbiddenAnswer]

    @classmethod
    def of(cls, brand: BrandRules, logo: str, lang: str) -> Self:
        """Return the rules in a language."""
        rules = brand.logo(logo)
        space = rules.clear_space
        return cls(
            minimum_width=MinimumWidth(px=rules.minimum.px, mm=rules.minimum.mm),
            clear_space=ClearSpaceAnswer(fraction=space.fraction, of=space.of, about=space.about.get(lang)),
            use=rules.use.get(lang),
            colourways=[_colourway(brand, name, lang) for name in rules.colourways],
            forbidden=[
                ForbiddenAnswer(
                    rule=change.id,
                    title=change.title.get(lang),
                    why=change.why.get(lang),
                    instead=change.instead.get(lang),
                )
                for change in brand.forbidden
            ],
        )


def _colourway(brand: BrandRules, name: str, lang: str) -> ColourwayAnswer:
    found = brand.colourways[name]
    grounds = found.backgrounds
    return ColourwayAnswer(
        id=name,
        label=found.label.get(lang),
        hex=found.hex,
        use=found.use.get(lang),
        backgrounds=BackgroundsAnswer(
            contrast=grounds.contrast,
            least_lightness=grounds.least_lightness,
            most_lightness=grounds.most_lightness,
            most_chroma=grounds.most_chroma,
            about=grounds.about.get(lang),
        ),
    )


class WidthsAnswer(Answer):
    """The ladder: every width from ``min`` to 512, and multiples of ``step`` to ``max``, in pixels."""

    min: int
    max: int
    step: int


class LogoAnswer(Answer):
    """A logo with its rules and the sizes it comes in."""

    id: str
    title: str
    aspect_ratio: float
    colourways: list[str]
    rules: RulesAnswer
    terms: TermsRef
    widths: WidthsAnswer
    formats: list[str]

    @classmethod
    def of(
        cls, seen: Logo, brand: BrandRules, viewpoint: Viewpoint, *, widths: dict[str, int], formats: Iterable[str]
    ) -> Self:
        """Return the logo in the reader's language."""
        return cls(
            id=seen.id,
            title=seen.title.get(viewpoint.language),
            aspect_ratio=round(seen.aspect_ratio, 6),
            colourways=list(seen.colourways),
            rules=RulesAnswer.of(brand, seen.id, viewpoint.language),
            terms=viewpoint.terms(seen.terms),
            widths=WidthsAnswer(**widths),
            formats=list(formats),
        )


class LogosAnswer(Answer):
    """The logos."""

    logos: list[LogoAnswer]
