"""The bodies and queries of the API as pydantic models: they validate, and they are the OpenAPI document."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, WithJsonSchema

from ... import period
from ...campaign import LANGUAGES, typed_text
from ...campaign.typed_text import LONGEST_LINE, LONGEST_TEXT, LONGEST_URL
from ...links.links import MOST_DOWNLOADS, MOST_PACKAGES
from ...participants import OUTCOMES, STATUSES
from ...store.paging import CURSOR
from .schema import OneOf

Language = Annotated[str, OneOf(LANGUAGES)]
#: Any id: what is none of ours is not found. NUL is in no text that a database compares.
NO_NUL = r"^[^\x00]*$"
Id = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=NO_NUL)]
Version = Annotated[str, StringConstraints(min_length=1, max_length=20, pattern=NO_NUL)]
#: Words that are looked for.
Words = Annotated[str, StringConstraints(max_length=200, pattern=NO_NUL)]
Status = Annotated[str, OneOf(STATUSES)]
#: What the campaign's policies name: the OpenAPI document lists those that are in force.
Kind = Annotated[str, WithJsonSchema({"type": "string", "format": "campaign-kinds"})]
Purpose = Annotated[str, WithJsonSchema({"type": "string", "format": "campaign-purposes"})]
#: Text that people type: the rooms clean and bound it, in words and in one place, so that it is only described here.
Line = Annotated[
    Any, WithJsonSchema({"type": "string", "minLength": 1, "maxLength": LONGEST_LINE, "pattern": typed_text.PATTERN})
]
Reason = Annotated[
    Any, WithJsonSchema({"type": "string", "minLength": 1, "maxLength": LONGEST_TEXT, "pattern": typed_text.PATTERN})
]
#: A date or an instant, and where a list goes on: read, and refused in words, by what knows them.
Moment = Annotated[
    str,
    StringConstraints(max_length=40),
    WithJsonSchema({"type": "string", "maxLength": 40, "pattern": period.PATTERN}),
]
Cursor = Annotated[
    str,
    StringConstraints(max_length=300),
    WithJsonSchema({"type": "string", "minLength": 1, "maxLength": 300, "pattern": CURSOR}),
]


class Body(BaseModel):
    """A JSON body: types are not converted, and unknown fields are mistakes."""

    model_config = ConfigDict(strict=True, extra="forbid")


class Query(BaseModel):
    """A query string: what is not known is ignored."""

    model_config = ConfigDict(extra="ignore")


class PageQuery(Query):
    """Query of a page of a list: where it goes on, and how many items it has."""

    cursor: Cursor | None = None
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
    "name": {"type": "string", "minLength": 1, "maxLength": LONGEST_LINE, "pattern": typed_text.PATTERN},
    "email": {"type": "string", "format": "email", "maxLength": 320},
    "country": {
        "anyOf": [
            {"type": "string", "pattern": "^([A-Z]{2})?$", "description": "ISO 3166-1 alpha-2, or EU"},
            {"type": "null"},
        ]
    },
    "language": {"type": "string", "enum": list(LANGUAGES), "default": "en"},
    "website": {"anyOf": [{"type": "string", "maxLength": LONGEST_URL}, {"type": "null"}]},
    "answers": {"type": "object", "additionalProperties": True},
    "purposes": {"type": "array", "minItems": 1, "items": {"type": "string", "format": "campaign-purposes"}},
}


class JoinBody(BaseModel):
    """Application of who joins. ``answers`` are those of the kind's fields in ``/api/v1/eligibility``."""

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
    """Query of a list of participants."""

    status: Status | None = None
    kind: Kind | None = None
    q: Words | None = Field(None, description="parts of name, e-mail address, site or id; for staff")


class DecisionBody(Body):
    """A decision of staff."""

    outcome: Annotated[str, OneOf(OUTCOMES)]
    reason: Reason


class ErasureBody(Body):
    """Why a participant is erased."""

    reason: Reason


class SignatoryBody(Body):
    """Signatory of terms, and the capacity; individuals need give none."""

    name: Line
    capacity: Line = None


class MemberBody(Body):
    """A person who is invited to act for a participant."""

    name: Line
    email: Annotated[Any, WithJsonSchema({"type": "string", "format": "email", "maxLength": 320})]
    capacity: Line = None


class MemberPath(IdPath):
    """A participant's id, and that of one of its members."""

    member: Id


class AcceptanceBody(Body):
    """The acceptance of exactly the bytes of one version of the terms in one language."""

    terms: Id
    version: Version
    language: Language
    digest: Annotated[str, StringConstraints(min_length=1, max_length=128, pattern=NO_NUL)]
    signatory: SignatoryBody


# ---- links and downloads


class LinkBody(Body):
    """A wish for a link: to one ``package``, or to several ``packages`` in one file, each in its current version.

    ``path`` is one of the package's files, for that file alone; ``expires_in`` is in seconds.
    """

    participant: Id
    package: Id | None = None
    packages: Annotated[list[Id], Field(min_length=1, max_length=MOST_PACKAGES)] | None = None
    version: Version | None = None
    path: Annotated[str, StringConstraints(min_length=1, max_length=150, pattern=NO_NUL)] | None = None
    expires_in: int | None = Field(None, json_schema_extra={"minimum": 1})
    max_downloads: int | None = Field(None, json_schema_extra={"minimum": 1, "maximum": MOST_DOWNLOADS})


class RevocationQuery(Query):
    """Why something is ended; it is kept, and shown to whoever may see it."""

    reason: Annotated[
        Any, WithJsonSchema({"type": "string", "maxLength": LONGEST_TEXT, "pattern": typed_text.PATTERN})
    ] = None


class LinksQuery(PageQuery):
    """Whose links to list."""

    participant: Id | None = None


class DownloadsQuery(PageQuery):
    """Query of a list of downloads; ``from`` and ``to`` are dates, both included, or instants, the second excluded."""

    participant: Id | None = None
    package: Id | None = None
    link: Id | None = None
    since: Moment | None = Field(None, alias="from")
    until: Moment | None = Field(None, alias="to")


# ---- catalogue and terms


class PackagesQuery(Query):
    """Query of a list of packages, and the language of its texts."""

    lang: Language = "en"
    kind: Literal["logo", "tool"] | None = None


class LanguageQuery(Query):
    """The language of the texts."""

    lang: Language = "en"


class TermsQuery(LanguageQuery):
    """Query of one version of terms; the current one where none is named."""

    version: Annotated[str, StringConstraints(max_length=20, pattern=NO_NUL)] | None = None
