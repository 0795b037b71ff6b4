"""Answers about checks of artwork."""

from __future__ import annotations

from typing import Any, Self

from pydantic import Field

from ..artwork import LogoReport, Verdict
from ..verdicts import KeptCheck, Overruled
from .base import Answer, Instant, ListAnswer


class AnnotatedAnswer(Answer):
    """The annotated picture of one page."""

    page: int
    url: str


class OverruledAnswer(Answer):
    """The newest word of staff; auditors see no reason, which somebody typed."""

    verdict: Verdict
    by: str
    at: Instant
    reason: str | None = None

    @classmethod
    def of(cls, seen: Overruled, *, with_reason: bool) -> Self:
        """Return what was said, with or without the reason."""
        more: dict[str, Any] = {"reason": seen.reason} if with_reason else {}
        return cls(verdict=seen.verdict, by=seen.by, at=seen.at, **more)


class ArtworkCheckAnswer(Answer):
    """A check. Boxes are left, top, width and height in pixels of the picture shown upright, of a PDF at 96 an inch."""

    id: str
    verdict: Verdict = Field(description="What was measured; `overruled` tells where staff say otherwise")
    logos: list[LogoReport]
    annotated_url: str | None = Field(description="The picture with what was found; null once it is not kept any more")
    annotated: list[AnnotatedAnswer] = Field(description="The same for each page with a logo on it")
    width: int
    height: int
    seconds: float = Field(description="How long the check took")
    sha256: str
    media_type: str
    pages: int
    notes: list[str] = Field(
        description="What else the reader should know, such as that only the first pages were seen"
    )
    participant: str | None
    created_at: Instant
    kept_until: Instant | None = Field(description="Until when the file itself is kept; null where it is not")
    overruled: OverruledAnswer | None

    @classmethod
    def of(cls, seen: KeptCheck, *, with_reason: bool = True) -> Self:
        """The check, with or without the reason that staff typed."""
        report, said = seen.report, seen.overruled
        return cls(
            id=seen.id,
            verdict=report.verdict,
            logos=list(report.logos),
            annotated_url=next(iter(seen.pictures.values()), None),
            annotated=[AnnotatedAnswer(page=page, url=url) for page, url in seen.pictures.items()],
            width=report.width,
            height=report.height,
            seconds=report.seconds,
            sha256=report.sha256,
            media_type=report.media_type,
            pages=report.pages,
            notes=list(report.notes),
            participant=seen.participant,
            created_at=seen.at,
            kept_until=seen.files_until if seen.upload_kept else None,
            overruled=OverruledAnswer.of(said, with_reason=with_reason) if said else None,
        )


class ArtworkChecksAnswer(ListAnswer):
    """A page of checks, newest first."""

    artwork_checks: list[ArtworkCheckAnswer]
