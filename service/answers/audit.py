"""The answer of a report; ``service.audit`` writes it byte for byte, so that any earlier report can be had again."""

from __future__ import annotations

from pydantic import Field

from .base import Answer

Row = dict[str, str | int | None]


class CheckpointAnswer(Answer):
    """The published checkpoint below whose size all entries count."""

    origin: str
    size: int
    root: str


class PreviousAnswer(Answer):
    """The same for as long a time before."""

    from_: str | None = Field(alias="from")
    to: str | None
    rows: list[Row]
    totals: dict[str, int]


class ReportAnswer(PreviousAnswer):
    """A report: rows by the dimensions asked for, and totals, of one checkpoint."""

    by: list[str]
    checkpoint: CheckpointAnswer
    where: dict[str, str] | None = Field(None, description="What the report is narrowed to")
    note: str | None = Field(None, description="There where the range goes beyond what is sealed")
    previous: PreviousAnswer | None = None
