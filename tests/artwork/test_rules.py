"""Every rule below, within the band of, and above its limit; nothing else is said beside it."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from service.artwork.report import LogoReport
from service.campaign import Campaign

from .conftest import Inspect
from .drawing import BLACK, BLUE, WHITE, drawn, heart, lockup, pixels, rgb
from .effects import draw
from .inks import Array, Placed, coverage, wide

Make = Callable[[Campaign], Array]


def one(found: tuple[LogoReport, ...]) -> LogoReport:
    (logo,) = found
    return logo


def said(logo: LogoReport) -> tuple[set[str], set[str]]:
    """The rules that are broken, and those that a person is asked about."""
    return {finding.rule for finding in logo.violations}, {finding.rule for finding in logo.questions}


def beside(gap: float) -> Make:
    """A heart with a bar at this share of the clear space from its right side."""

    def make(campaign: Campaign) -> Array:
        canvas = drawn(campaign, heart(200))
        height = 200 / 1.1
        edge = 320 + 100 + gap * 0.25 * height
        canvas[190:240, round(edge) : round(edge) + 60] = rgb("333333")
        return canvas

    return make


def covered(share: float) -> Make:
    """A heart whose left part is covered up to this share of its ink."""

    def make(campaign: Campaign) -> Array:
        placed = heart(220)
        canvas = drawn(campaign, placed)
        alpha = coverage(wide(campaign, "heart"), placed.matrix(), canvas.shape[1], canvas.shape[0])
        columns = np.cumsum(alpha.sum(axis=0)) / alpha.sum()
        edge = int(np.searchsorted(columns, share))
        canvas[:, edge - 60 : edge] = rgb("8a6d3b")
        return canvas

    return make


def with_effect(kind: str) -> Make:
    def make(campaign: Campaign) -> Array:
        placed = heart(240)
        canvas = np.tile(rgb(WHITE), (420, 640, 1)).astype(np.float32)
        if kind == "see_through":
            canvas[:, np.arange(640) % 40 < 20] = rgb("c8c8c8")
        alpha = coverage(wide(campaign, "heart"), placed.matrix(), 640, 420)
        draw(canvas, alpha, rgb(BLUE), placed, kind, np.random.default_rng(5))
        return canvas

    return make


def striped(contrast: float) -> Make:
    """A black logo on stripes that differ by so many steps of lightness."""

    def make(campaign: Campaign) -> Array:
        canvas = np.tile(rgb("d0d0d0"), (420, 640, 1)).astype(np.float32)
        canvas[:, np.arange(640) % 24 < 12] -= contrast
        alpha = coverage(wide(campaign, "heart"), heart(200).matrix(), 640, 420)
        canvas += alpha[..., None] * (rgb(BLACK) - canvas)
        return canvas

    return make


INNOCENT: dict[str, Make] = {
    "plain heart": lambda c: drawn(c, heart()),
    "plain lockup": lambda c: drawn(c, lockup()),
    "white on blue": lambda c: drawn(c, heart(), ink=WHITE, ground=BLUE),
    "black on a light colour": lambda c: drawn(c, lockup(), ink=BLACK, ground="ffd480"),
    "smallest heart": lambda c: drawn(c, heart(24.5)),
    "smallest lockup": lambda c: drawn(c, lockup(97)),
    "one pixel off": lambda c: drawn(c, Placed("heart", 320, 210, 150, 137)),
    "shape off by 1 %": lambda c: drawn(c, heart(stretch=1.01)),
    "turned by 1 degree": lambda c: drawn(c, heart(degrees=1)),
    "blue off by little": lambda c: drawn(c, heart(), ink="1460ae"),
    "text at the clear space": beside(1.04),
    "contrast of 3.6": lambda c: drawn(c, heart(), ink=WHITE, ground="7f8c8d"),
    "faint pattern": striped(8),
    "at the edge of the picture": lambda c: drawn(c, heart(200, x=104)),
}
BROKEN: dict[str, tuple[str, Make]] = {
    "wider by 6 %": ("stretched", lambda c: drawn(c, heart(stretch=1.06))),
    "narrower by 6 %": ("stretched", lambda c: drawn(c, heart(stretch=0.94))),
    "turned by 4 degrees": ("rotated", lambda c: drawn(c, heart(degrees=4))),
    "upside down": ("rotated", lambda c: drawn(c, heart(degrees=180))),
    "mirrored heart": ("flipped", lambda c: drawn(c, Placed("heart", 320, 210, 200, 200 / 1.1, 0, True))),
    "mirrored lockup": ("flipped", lambda c: drawn(c, Placed("lockup", 320, 210, 300, 300 / 2.6, 0, True))),
    "green": ("recoloured", lambda c: drawn(c, heart(), ink="2e7d32")),
    "half transparent": ("recoloured", lambda c: drawn(c, heart(), ink=BLACK, opacity=0.55)),
    "text at 60 % of the space": ("clear_space", beside(0.6)),
    "text at 15 % of the space": ("clear_space", beside(0.15)),
    "heart of 19 pixels": ("too_small", lambda c: drawn(c, heart(19.2))),
    "lockup of 76 pixels": ("too_small", lambda c: drawn(c, lockup(76))),
    "white on light grey": ("low_contrast", lambda c: drawn(c, heart(), ink=WHITE, ground="b5b5b5")),
    "covered by 8 %": ("cropped", covered(0.085)),
    "cut off by the edge": ("cropped", lambda c: drawn(c, heart(240, x=60))),
    "blue on yellow": ("background", lambda c: drawn(c, heart(), ground="ffe97f")),
    "loud stripes": ("background", striped(70)),
    **{f"with {kind}": ("effect", with_effect(kind)) for kind in ("shadow", "glow", "outline", "gradient", "relief")},
    "something shows through": ("effect", with_effect("see_through")),
}
ASKED: dict[str, tuple[str, Make]] = {
    "wider by 2.7 %": ("stretched", lambda c: drawn(c, heart(stretch=1.027))),
    "turned by 2 degrees": ("rotated", lambda c: drawn(c, heart(degrees=2))),
    "text at 90 % of the space": ("clear_space", beside(0.9)),
    "covered by 2.5 %": ("cropped", covered(0.025)),
    "contrast of 2.8": ("low_contrast", lambda c: drawn(c, heart(), ink=WHITE, ground="999999")),
}


@pytest.mark.parametrize("name", INNOCENT)
def test_what_follows_the_rules_is_not_accused(campaign: Campaign, look: Inspect, name: str) -> None:
    assert said(one(look(pixels(INNOCENT[name](campaign))))) == (set(), set())


@pytest.mark.parametrize("name", BROKEN)
def test_what_clearly_breaks_a_rule_is_told(campaign: Campaign, look: Inspect, name: str) -> None:
    rule, make = BROKEN[name]
    logo = one(look(pixels(make(campaign))))
    assert said(logo)[0] == {rule}
    (finding,) = logo.violations
    assert finding.severity == "must"
    assert finding.detail


@pytest.mark.parametrize("name", ASKED)
def test_what_is_near_a_limit_is_a_question_and_no_accusation(campaign: Campaign, look: Inspect, name: str) -> None:
    rule, make = ASKED[name]
    assert said(one(look(pixels(make(campaign))))) == (set(), {rule})


def test_figures_are_exact(campaign: Campaign, look: Inspect) -> None:
    placed = Placed("heart", 321.4, 207.7, 198, 180 / 1.1, 9)
    logo = one(look(pixels(drawn(campaign, placed))))
    assert logo.aspect_error == pytest.approx(0.1, abs=0.004)
    assert logo.rotation_degrees == pytest.approx(9, abs=0.1)
    assert logo.delta_e < 0.5
    upright = one(look(pixels(drawn(campaign, heart(200, 321.4, 207.7)))))
    assert upright.box == pytest.approx((221.4, 207.7 - 100 / 1.1, 200, 200 / 1.1), abs=0.6)


def test_a_photograph_in_perspective_is_not_judged_for_its_shape(campaign: Campaign, look: Inspect) -> None:
    canvas = drawn(campaign, lockup(420), size=(800, 500), ground="f2f2f2")
    corners = np.array([[0, 0], [800, 0], [800, 500], [0, 500]], np.float32)
    seen = np.array([[60, 70], [700, 20], [740, 480], [40, 390]], np.float32)
    matrix = cv2.getPerspectiveTransform(corners, seen)
    bent = cv2.warpPerspective(canvas, matrix, (800, 500), flags=cv2.INTER_AREA, borderValue=(90, 90, 80))
    logo = one(look(pixels(np.asarray(cv2.GaussianBlur(bent, (0, 0), 0.8), np.float32))))
    assert logo.pose == "perspective"
    assert said(logo) == (set(), set())
