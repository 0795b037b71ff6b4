"""One picture inspected: its logos found, measured and judged. Pure computation on pixels, in one thread."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from ..campaign import Campaign
from ..campaign.artwork import ArtworkFile
from ..campaign.brand import BrandRules
from . import colours
from .alignment import Pyramid
from .finding import find
from .judging import Judge, VariantUrl
from .measuring import Measured, measure
from .proving import FoundLogo
from .report import LogoReport
from .templates import Template, apply, templates

_MOST_MISSING = 0.45  # share of the ink: of less of it nobody can say that it is the logo
_MOST_FILLED = 0.08  # share of the gaps in it: a mark with other gaps is another one


@dataclass(frozen=True)
class Kit:
    """Kit that pictures are held against: templates and rules, which can be sent to another process."""

    templates: tuple[Template, ...]
    brand: BrandRules
    policy: ArtworkFile

    @classmethod
    def of(cls, campaign: Campaign) -> Kit:
        """The kit of a campaign."""
        return cls(templates(campaign), campaign.brand, campaign.artwork)


def inspect(
    kit: Kit,
    pixels: npt.NDArray[np.uint8],
    *,
    logo: str | None = None,
    lang: str = "en",
    per_inch: float | None = None,
    zoom: float = 1.0,
    page: int | None = None,
    variant_url: VariantUrl | None = None,
) -> tuple[LogoReport, ...]:
    """The logos in a picture (h, w, 3) in sRGB.

    ``zoom`` is how many of the picture's pixels make one of the answer's. ``per_inch`` is given for prints, in pixels
    of the answer.
    """
    cv2.setNumThreads(1)
    wanted = tuple(template for template in kit.templates if logo in (None, template.logo))
    inks = [colours.rgb(colourway.hex) for colourway in kit.brand.colourways.values()]
    pyramid = Pyramid(pixels)
    judge = Judge(kit.brand, kit.policy, lang)
    made = []
    logos = find(pyramid, wanted, inks)
    for found in logos:
        measured = measure(pyramid, found, kit.brand, [other for other in logos if other is not found])
        if measured.missing > _MOST_MISSING or measured.filled > _MOST_FILLED:
            continue
        made.append(_report(kit, judge, found, measured, per_inch, zoom, page, variant_url))
    return tuple(made)


def _report(
    kit: Kit,
    judge: Judge,
    found: FoundLogo,
    measured: Measured,
    per_inch: float | None,
    zoom: float,
    page: int | None,
    variant_url: VariantUrl | None,
) -> LogoReport:
    name = found.template.logo
    # Seen straight on, a photograph's tilt is a stretch or a turn like any other.
    seen_by_camera = found.perspective or measured.photographed
    shown = measured.at(1 / zoom)
    if seen_by_camera or (shown.softness > kit.policy.photograph.softness and not shown.drawn):
        shown = shown.under_light()
    judged = judge.judge(
        name,
        shown,
        perspective=seen_by_camera,
        confidence=found.confidence,
        mirror_differs=found.template.mirror_differs,
        per_inch=per_inch,
    )
    left, top, right, bottom = (edge / zoom for edge in found.box)
    space = kit.brand.logo(name).clear_space.around(shown.width, found.parts.down / zoom)
    a, b, c, d = found.template.ink
    corners = apply(found.pose, np.array([[a, b], [c, b], [c, d], [a, d]])) / zoom
    return LogoReport(
        logo=name,
        colourway=shown.colourway,
        box=_rounded(left, top, right - left, bottom - top),
        clear_space=_rounded(left - space, top - space, right - left + 2 * space, bottom - top + 2 * space),
        outline=tuple((round(float(x), 2), round(float(y), 2)) for x, y in corners),
        pose="perspective" if seen_by_camera else "flat",
        mirrored=measured.mirrored,
        rotation_degrees=round(measured.degrees, 2),
        aspect_error=round(measured.stretch, 4),
        delta_e=round(shown.delta_e, 2),
        confidence=round(found.confidence, 3),
        ink=colours.written(measured.ink),
        ground=colours.written(measured.ground),
        violations=judged.violations,
        questions=judged.questions,
        right=judge.right(name, shown, variant_url),
        page=page,
    )


def _rounded(*values: float) -> tuple[float, float, float, float]:
    left, top, width, height = (round(float(value), 2) for value in values)
    return left, top, width, height
