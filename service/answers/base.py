"""Base of all answers: no field that the document does not have, instants written alike, pages of a list."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, WithJsonSchema

from ..clock import timestamp

#: RFC 3339 in UTC, with six decimals and ``Z``.
Instant = Annotated[
    datetime,
    PlainSerializer(timestamp, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time", "example": "2026-11-25T12:00:00.000000Z"}),
]
#: A participant kind of the campaign's policies; the document lists those that are in force.
Kind = Annotated[str, WithJsonSchema({"type": "string", "format": "campaign-kinds"})]
#: A purpose of use of the campaign's policies, likewise.
Purpose = Annotated[str, WithJsonSchema({"type": "string", "format": "campaign-purposes"})]


class Answer(BaseModel):
    """An answer. What was not given to it is left out, which is another thing than null."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    def as_json(self) -> dict[str, Any]:
        """Return the answer as plain values."""
        return self.model_dump(mode="json", by_alias=True, exclude_unset=True)


class ListAnswer(Answer):
    """A page of a list."""

    next_cursor: str | None = Field(description="Where the next page begins; null at the end")


class TermsRef(Answer):
    """The terms that go with something, and the page on which they are read."""

    id: str
    version: str | None = Field(description="The version in force; null where none is yet")
    url: str
