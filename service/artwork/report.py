"""Answers of a check, as typed models whose JSON is the answer of the API, the command line and the page."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from ..campaign.brand import ArtworkRule

Verdict = Literal["compliant", "not_compliant", "logo_not_found", "needs_review"]


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True)


class Finding(_Answer):
    """One rule that is broken, or may be: what was measured, what is required, and what to do, in words.

    ``found`` and ``fix`` are the two sentences that ``detail`` joins.
    """

    rule: ArtworkRule
    severity: Literal["must", "should"]
    measured: float | str
    required: float | str
    detail: str
    title: str
    found: str
    fix: str


class Right(_Answer):
    """The variant that would be right in this place; no ``url`` where nothing serves variants."""

    colourway: str
    width: int
    url: str | None = None


class LogoReport(_Answer):
    """One use of a logo. Boxes are left, top, width and height in pixels of the picture shown upright.

    ``violations`` are sure; ``questions`` are for a person to look at. ``clear_space`` is the box that has to be free.
    """

    logo: str
    colourway: str
    box: tuple[float, float, float, float]
    clear_space: tuple[float, float, float, float]
    outline: tuple[tuple[float, float], ...]  # corners of the ink's own box, as it stands in the picture
    pose: Literal["flat", "perspective"]
    mirrored: bool
    rotation_degrees: float
    aspect_error: float
    delta_e: float
    confidence: float
    ink: str
    ground: str
    violations: tuple[Finding, ...]
    questions: tuple[Finding, ...]
    right: Right | None
    page: int | None = None


class ArtworkReport(_Answer):
    """The answer for one file. ``width`` and ``height`` are those of the picture, of a PDF's first page at 96 an inch.

    ``annotated_url`` is set by whoever keeps the annotated picture; ``id`` by whoever keeps the check.
    """

    verdict: Verdict
    logos: tuple[LogoReport, ...]
    width: int
    height: int
    seconds: float
    sha256: str
    media_type: str
    pages: int
    notes: tuple[str, ...]
    id: str | None = None
    annotated_url: str | None = None


class Checked(_Answer):
    """A report with the picture that shows it: one PNG, or one for each page with a logo on it (page, PNG)."""

    report: ArtworkReport
    annotated: tuple[tuple[int, bytes], ...]


__all__ = ["ArtworkReport", "ArtworkRule", "Checked", "Finding", "LogoReport", "Right", "Verdict"]
