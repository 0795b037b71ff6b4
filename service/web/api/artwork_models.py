"""The form, the query and the body of the artwork checks: they validate, and they are the OpenAPI document."""

from __future__ import annotations

from typing import Annotated

from flask_openapi3.models.file import FileStorage
from pydantic import BaseModel, ConfigDict, StringConstraints

from ...verdicts import VERDICTS
from .models import NO_NUL, Body, Id, PageQuery, Reason
from .schema import OneOf

VerdictName = Annotated[str, OneOf(VERDICTS)]


class ArtworkCheckForm(BaseModel):
    """A file to check. ``logo`` looks for that one alone; with ``keep`` the file is not deleted after the check."""

    model_config = ConfigDict(extra="forbid")

    file: FileStorage
    logo: Id | None = None
    purpose: Annotated[str, StringConstraints(max_length=200, pattern=NO_NUL)] | None = None
    keep: bool = False
    participant: Id | None = None


class ArtworkChecksQuery(PageQuery):
    """Query of a list of checks; ``verdict`` is the check's own, whatever staff said."""

    participant: Id | None = None
    verdict: VerdictName | None = None


class OverrulingBody(Body):
    """Word of staff about a check."""

    verdict: VerdictName
    reason: Reason
