"""The bodies, forms and queries of cases: they validate, and they are the OpenAPI document."""

from __future__ import annotations

from typing import Annotated, Any

from flask_openapi3.models.file import FileStorage
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, WithJsonSchema

from ...campaign import LANGUAGES, typed_text
from ...campaign.desk import CASE_KINDS
from ...campaign.typed_text import LONGEST_TEXT, LONGEST_URL
from ...desk import KINDS, MISUSE_OUTCOMES, OUTCOMES, STATUSES
from .models import NO_NUL, Body, Id, Kind, PageQuery, Purpose, Reason, Words
from .schema import OneOf

#: Told by the room of the desk, in words and in one place, what is wrong with it; here it is only described.
Answers = Annotated[Any, WithJsonSchema({"type": "object", "additionalProperties": True})]
Purposes = Annotated[
    Any,
    WithJsonSchema({"type": "array", "minItems": 1, "items": {"type": "string", "format": "campaign-purposes"}}),
]
Files = Annotated[list[Id], Field(max_length=10)]


class CasesQuery(PageQuery):
    """Query of a list of cases; ``q`` searches names, addresses, sites, ids and messages."""

    kind: Annotated[str, OneOf(CASE_KINDS)] | None = None
    status: Annotated[str, OneOf(STATUSES)] | None = None
    participant: Id | None = None
    participant_kind: Kind | None = None
    country: Annotated[str, StringConstraints(pattern="^([A-Z]{2})?$")] | None = None
    purpose: Purpose | None = None
    assignee: Id | None = None
    team: Annotated[str, StringConstraints(max_length=40, pattern=NO_NUL)] | None = Field(
        None, description="A team of the desk, or `all`; staff see the cases of their own teams where none is named"
    )
    q: Words | None = None


class CaseFilePath(BaseModel):
    """A case and one of its files in the path."""

    id: Id
    file: Id


class MessageBody(Body):
    """A message: of staff with ``visible`` and ``return``, of the applicant with ``answers`` and ``purposes``."""

    text: Reason
    visible: bool = True
    back: bool = Field(False, alias="return")
    answers: Answers = None
    purposes: Purposes = None
    files: Files = Field(default_factory=list)


class CaseFileForm(BaseModel):
    """A file for a case."""

    model_config = ConfigDict(extra="forbid")

    file: FileStorage


class AssignmentBody(Body):
    """Holder of a case: ``stf_…``, or null for nobody."""

    assignee: Id | None


class CaseDecisionBody(Body):
    """A decision on a case; ``purposes`` are those that are approved, where not all that were asked for."""

    outcome: Annotated[str, OneOf((*OUTCOMES, *MISUSE_OUTCOMES))]
    reason: Reason
    purposes: Purposes = None


class RequestBody(Body):
    """Request of a participant: ``answers`` and ``purposes`` replace what is on file once they are approved."""

    kind: Annotated[str, OneOf(KINDS)]
    purposes: Purposes = None
    answers: Answers = None
    message: Reason = None


class MisuseBody(BaseModel):
    """A report of misuse: where it is seen, and what is wrong; ``email`` is told what became of it."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "properties": {
                "url": {"type": "string", "format": "uri", "maxLength": LONGEST_URL},
                "description": {
                    "type": "string",
                    "minLength": 1,
                    "maxLength": LONGEST_TEXT,
                    "pattern": typed_text.PATTERN,
                },
                "email": {"anyOf": [{"type": "string", "format": "email", "maxLength": 320}, {"type": "null"}]},
                "language": {"type": "string", "enum": list(LANGUAGES), "default": "en"},
            },
            "required": ["url", "description"],
        },
    )

    url: Any = None
    description: Any = None
    email: Any = None
    language: Any = "en"
