"""The bodies, queries and answers of the API as pydantic models: they validate, and they are the OpenAPI document."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, WithJsonSchema

from ...campaign import LANGUAGES
from ...campaign.typed_text import LONGEST_LINE, LONGEST_TEXT, LONGEST_URL
from ...clients import ClientKind
from ...participants import OUTCOMES, STATUSES
from .schema import OneOf

Language = Annotated[str, OneOf(LANGUAGES)]
Id = Annotated[str, StringConstraints(min_length=1, max_length=100)]
Status = Annotated[str, OneOf(STATUSES)]
#: What the campaign's policies name: the OpenAPI document lists those that are in force.
Kind = Annotated[str, WithJsonSchema({"type": "string", "format": "campaign-kinds"})]
Purpose = Annotated[str, WithJsonSchema({"type": "string", "format": "campaign-purposes"})]
#: Text that people type: the rooms clean and bound it, in words and in one place, so that it is only described here.
Line = Annotated[Any, WithJsonSchema({"type": "string", "minLength": 1, "maxLength": LONGEST_LINE})]
Reason = Annotated[Any, WithJsonSchema({"type": "string", "minLength": 1, "maxLength": LONGEST_TEXT})]


class Body(BaseModel):
    """A JSON body: types are not converted, and unknown fields are mistakes."""

    model_config = ConfigDict(strict=True, extra="forbid")


class Query(BaseModel):
    """A query string: what is not known is ignored."""

    model_config = ConfigDict(extra="ignore")


class PageQuery(Query):
    """Where a list goes on, and how many items a page has."""

    cursor: Annotated[str, StringConstraints(max_length=300)] | None = None
    limit: int = Field(50, ge=1, le=200)


class ProblemAnswer(BaseModel):
    """RFC 9457 problem details."""

    type: str
    title: str
    status: int
    detail: str
    instance: str | None = None
    errors: list[dict[str, str]] | None = None


class IdPath(BaseModel):
    """An id in the path."""

    id: Id


# ---- participants


_JOIN = {
    "kind": {"type": "string", "format": "campaign-kinds"},
    "name": {"type": "string", "minLength": 1, "maxLength": LONGEST_LINE},
    "email": {"type": "string", "format": "email", "maxLength": 320},
    "country": {"anyOf": [{"type": "string", "description": "ISO 3166-1 alpha-2, or EU"}, {"type": "null"}]},
    "language": {"type": "string", "enum": list(LANGUAGES), "default": "en"},
    "website": {"anyOf": [{"type": "string", "maxLength": LONGEST_URL}, {"type": "null"}]},
    "answers": {"type": "object", "additionalProperties": True},
    "purposes": {"type": "array", "minItems": 1, "items": {"type": "string", "format": "campaign-purposes"}},
}


class JoinBody(BaseModel):
    """Who joins. ``answers`` are those of the kind's fields in ``/api/v1/eligibility``."""

    # Described here, and read by the room of participants, which knows what the campaign asks.
    model_config = ConfigDict(
        extra="allow",
        json_schema_extra={
            "properties": _JOIN,  # type: ignore[dict-item]
            "required": ["kind", "name", "email", "answers", "purposes"],
            "additionalProperties": False,
        },
    )


class ParticipantsQuery(PageQuery):
    """Which participants to list."""

    status: Status | None = None
    kind: Kind | None = None


class DecisionBody(Body):
    """A decision of staff."""

    outcome: Annotated[str, OneOf(OUTCOMES)]
    reason: Reason


class ErasureBody(Body):
    """Why a participant is erased."""

    reason: Reason


class SignatoryBody(Body):
    """Who accepts, and in what capacity; individuals need give none."""

    name: Line
    capacity: Line = None


class AcceptanceBody(Body):
    """The acceptance of exactly the bytes of one version of the terms in one language."""

    terms: Id
    version: Annotated[str, StringConstraints(min_length=1, max_length=20)]
    language: Language
    digest: Annotated[str, StringConstraints(min_length=1, max_length=128)]
    signatory: SignatoryBody


class DecisionAnswer(BaseModel):
    """The decision in force."""

    outcome: Literal["approved", "review", "declined"]
    rule: str
    reasons: list[str]


class ParticipantAnswer(BaseModel):
    """A participant; auditors see no name and no address."""

    id: str
    kind: Kind
    name: str | None = None
    country: str | None = None
    status: Status
    decision: DecisionAnswer
    created_at: str


class ParticipantsAnswer(BaseModel):
    """A page of participants."""

    participants: list[ParticipantAnswer]
    next_cursor: str | None


class AcceptanceAnswer(BaseModel):
    """A recorded acceptance."""

    id: str
    terms: str
    version: str
    language: str
    digest: str
    accepted_at: str
    receipt_url: str


class AcceptancesAnswer(BaseModel):
    """The acceptances of a participant, newest first."""

    acceptances: list[AcceptanceAnswer]
    next_cursor: str | None


# ---- links and downloads


class LinkBody(Body):
    """A wish for a link. ``path`` is one of the package's files, for that file alone; ``expires_in`` is in seconds."""

    participant: Id
    package: Id
    version: Annotated[str, StringConstraints(min_length=1, max_length=20)] | None = None
    path: Annotated[str, StringConstraints(min_length=1, max_length=150)] | None = None
    expires_in: int | None = None
    max_downloads: int | None = None


class LinksQuery(PageQuery):
    """Whose links to list."""

    participant: Id | None = None


class LinkedPackage(BaseModel):
    """The package version that a link leads to; digest, size and name are those of what is sent."""

    id: str
    version: str
    sha256: str
    bytes: int
    filename: str


class LinkAnswer(BaseModel):
    """A link; auditors see no URL."""

    id: str
    url: str | None = None
    participant: str
    package: LinkedPackage
    path: str | None
    created_at: str
    expires_at: str
    max_downloads: int | None
    downloads: int
    status: Literal["active", "expired", "revoked", "exhausted", "suspended", "terms_required", "withdrawn"]


class LinksAnswer(BaseModel):
    """A page of links."""

    links: list[LinkAnswer]
    next_cursor: str | None


class DownloadsQuery(PageQuery):
    """Which downloads to list; ``from`` and ``to`` are dates, both included, or instants, the second excluded."""

    participant: Id | None = None
    package: Id | None = None
    link: Id | None = None
    since: Annotated[str, StringConstraints(max_length=40)] | None = Field(None, alias="from")
    until: Annotated[str, StringConstraints(max_length=40)] | None = Field(None, alias="to")


class ClientAnswer(BaseModel):
    """What is kept of a client for people to read."""

    kind: ClientKind
    prefix: str | None


class DownloadAnswer(BaseModel):
    """A recorded download."""

    id: str
    at: str
    link: str
    participant: str
    package: str
    version: str
    path: str | None
    counted: bool
    range: str | None
    status: int
    client: ClientAnswer
    bytes: int
    bytes_sent: int | None


class DownloadsAnswer(BaseModel):
    """A page of downloads."""

    downloads: list[DownloadAnswer]
    next_cursor: str | None


# ---- catalogue and terms


class PackagesQuery(Query):
    """Which packages to list, and in which language."""

    lang: Language = "en"
    kind: Literal["logo", "tool"] | None = None


class LanguageQuery(Query):
    """The language of the texts."""

    lang: Language = "en"


class TermsQuery(LanguageQuery):
    """Which version of the terms; the current one where none is named."""

    version: Annotated[str, StringConstraints(max_length=20)] | None = None


class FileAnswer(BaseModel):
    """One file in a package."""

    path: str
    bytes: int
    sha256: str
    media_type: str


class TermsRef(BaseModel):
    """The terms that go with something."""

    id: str
    version: str
    url: str


class PackageAnswer(BaseModel):
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


class PackagesAnswer(BaseModel):
    """The packages that are handed out."""

    packages: list[PackageAnswer]


class Withdrawn(BaseModel):
    """When and why a version was withdrawn."""

    at: str
    reason: str


class VersionAnswer(BaseModel):
    """One published version of a package."""

    version: str
    bytes: int
    sha256: str
    filename: str
    published_at: str
    withdrawn: Withdrawn | None


class VersionsAnswer(BaseModel):
    """The versions of a package, newest first."""

    versions: list[VersionAnswer]


class TermsVersionAnswer(BaseModel):
    """One version of the terms; digests are per language in the version's own answer."""

    id: str
    version: str
    effective: str
    languages: list[str]
    digest: str


class TermsListAnswer(BaseModel):
    """Every version of all terms, newest first."""

    terms: list[TermsVersionAnswer]


class TermsAnswer(TermsVersionAnswer):
    """A version of the terms in one language."""

    language: str
    title: str
    text: str
    html: str


class EligibilityField(BaseModel):
    """One question that a kind is asked."""

    name: str
    type: Literal["text", "long_text", "boolean", "choice", "country", "url", "date"]
    required: bool
    label: str
    help: str | None = None
    options: list[Any] | None = None
    min: int | str | None = None
    max: int | str | None = None


class EligibilityKind(BaseModel):
    """A kind of participant, what it is asked, and how it is decided."""

    kind: Kind
    label: str
    fields: list[EligibilityField]
    decided: str


class EligibilityAnswer(BaseModel):
    """All kinds."""

    kinds: list[EligibilityKind]


class Widths(BaseModel):
    """The ladder: every width from ``min`` to 512, and multiples of ``step`` to ``max``, in pixels."""

    min: int
    max: int
    step: int


class LogoAnswer(BaseModel):
    """A logo with its rules."""

    id: str
    title: str
    aspect_ratio: float
    colourways: list[str]
    rules: dict[str, Any]
    terms: TermsRef
    widths: Widths
    formats: list[str]


class LogosAnswer(BaseModel):
    """The logos."""

    logos: list[LogoAnswer]


class MeAnswer(BaseModel):
    """What a key is."""

    id: str
    role: Literal["portal", "partner", "staff", "auditor"]
    name: str
    participant: str | None
    limits: dict[str, Any]
