"""The bodies, queries and answers of the API's part about embeds."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field, StringConstraints, WithJsonSchema

from ...clients import site
from .models import Body, Id, PageQuery

#: As partners may write it; what is wrong with one is said in words where it is read.
Origin = Annotated[
    str,
    StringConstraints(min_length=1, max_length=1000),
    WithJsonSchema({"type": "string", "minLength": 1, "maxLength": 1000, "pattern": site.PATTERN}),
]
Unlisted = Literal["report", "refuse"]


class EmbedBody(Body):
    """A wish for an embed. ``origins`` are ``https://host[:port]``, at most 50."""

    participant: Id
    logo: Id
    origins: list[Origin] = Field(default_factory=list, max_length=1000)
    unlisted: Unlisted = "report"


class EmbedChangeBody(Body):
    """Changes of an embed; what is left out stays as it is."""

    origins: list[Origin] = Field(default_factory=list, max_length=1000)
    unlisted: Unlisted = "report"


class EmbedPath(BaseModel):
    """The key of an embed in the path."""

    key: Id


class EmbedsQuery(PageQuery):
    """Whose embeds to list."""

    participant: Id | None = None
