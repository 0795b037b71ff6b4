"""Logos seen by a camera: from the side, blurred, and cut off."""

from __future__ import annotations

import io

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from service.artwork.alignment import Pyramid, pose_of, refine, support
from service.artwork.finding import find
from service.artwork.proving import FINE, longest, proved
from service.artwork.templates import template
from service.campaign import Campaign

from . import clutter
from .conftest import Inspect
from .drawing import BLUE, WHITE, Pixels, drawn, heart, lockup, pixels, rgb
from .inks import Array
from .snapshots import snapshot

_LEFT, _RIGHT = (-1.0, 1.0)


def seen(print_: Array, side: float, depth: float, blur: float = 1.2) -> Pixels:
    """A print that a camera sees from one side, whose other edge is ``depth`` as high as it is near."""
    height, width = print_.shape[:2]
    near, far = (0.0, width) if side == _LEFT else (width, 0.0)
    cut, across = (1 - depth) / 2 * height, near + (far - near) * (0.4 + 0.6 * depth)
    here = np.array([[near, 0], [near, height], [far, 0], [far, height]], np.float32)
    there = np.array([[near, 0], [near, height], [across, cut], [across, height - cut]], np.float32)
    canvas = cv2.warpPerspective(
        print_,
        cv2.getPerspectiveTransform(here, there),
        (width, height),
        flags=cv2.INTER_AREA,
        borderValue=(70, 74, 80),
    )
    noise = np.random.default_rng(3).normal(0, 1.5, canvas.shape)
    return pixels(np.asarray(cv2.GaussianBlur(canvas, (0, 0), blur) + noise, np.float32))


@pytest.mark.parametrize(("side", "ground"), [(_LEFT, WHITE), (_RIGHT, "f3e6c8")])
def test_words_are_read_however_far_they_lean(campaign: Campaign, look: Inspect, side: float, ground: str) -> None:
    print_ = drawn(campaign, lockup(680, 450, 300), ground=ground, size=(900, 600))
    (logo,) = look(seen(print_, side, 0.68))
    assert (logo.logo, logo.pose, logo.violations) == ("lockup", "perspective", ())


def test_other_words_that_lean_make_no_logo_with_words(campaign: Campaign, look: Inspect) -> None:
    print_ = drawn(campaign, heart(240, 190, 300), size=(900, 600))
    image = Image.new("L", (900, 600))
    font = ImageFont.truetype(next(name for name in clutter.fonts() if "HankenGrotesk[" in name), 84)
    for line, text in enumerate(("SAFE", "HARBOUR", "PROJECT")):
        ImageDraw.Draw(image).text((340, 190 + 74 * line), text, 255, font)
    clutter.over(print_, np.asarray(image, np.float32) / 255, rgb(BLUE))
    (logo,) = look(seen(print_, _LEFT, 0.8))
    assert logo.logo == "heart"


def test_a_small_heart_whose_gap_is_another_is_no_logo(campaign: Campaign, look: Inspect) -> None:
    piece = snapshot(campaign, 117009)  # it fits as one of ours with something on its gap, which has the ink's colour
    (logo,) = look(np.asarray(Image.open(io.BytesIO(piece.data)).convert("RGB")))
    assert [finding.rule for finding in logo.violations] == ["flipped"]


@pytest.mark.parametrize("kind", ["heart", "lockup"])
def test_a_logo_cut_straight_is_found_and_cropped(campaign: Campaign, look: Inspect, kind: str) -> None:
    print_ = drawn(campaign, heart(300, 450, 300) if kind == "heart" else lockup(620, 450, 300), size=(900, 600))
    top = 300 - (300 / 1.1 if kind == "heart" else 620 / 2.6) / 2
    print_[: int(top + 58)] = 255
    (logo,) = look(seen(print_, _RIGHT, 0.85))
    assert (logo.logo, [finding.rule for finding in logo.violations]) == (kind, ["cropped"])


def test_a_blurred_heart_behind_an_edge_is_found_and_cropped(campaign: Campaign, look: Inspect) -> None:
    print_ = drawn(campaign, heart(260, 450, 300), ground="f3f3e4", size=(900, 600))
    print_[:, :370] = rgb("15161b")
    (logo,) = look(seen(print_, _LEFT, 0.8, blur=2.2))
    assert (logo.logo, [finding.rule for finding in logo.violations]) == ("heart", ["cropped"])


@pytest.mark.parametrize(("edge", "cover", "depth"), [(540, "123c48", 0.9), (510, WHITE, 0.8), (480, WHITE, 0.8)])
def test_words_under_an_edge_are_missing(
    campaign: Campaign, look: Inspect, edge: int, cover: str, depth: float
) -> None:
    print_ = drawn(campaign, lockup(300, 450, 300), size=(900, 600))
    print_[:, edge:] = rgb(cover)
    (logo,) = look(seen(print_, _RIGHT, depth))
    assert (logo.logo, [finding.rule for finding in logo.violations]) == ("lockup", ["cropped"])


def test_a_plain_pose_of_a_sharp_heart_seen_from_the_side_is_bent_and_not_softened(campaign: Campaign) -> None:
    print_ = drawn(campaign, heart(150, 450, 300, degrees=5), ground="f4f6ee", size=(900, 600))
    pyramid = Pyramid(seen(print_, _LEFT, 0.8, blur=0.5))
    mark = template(campaign.logos["heart"])
    (found,) = find(pyramid, (mark,), [rgb(BLUE).astype(np.float64)])
    work = pyramid.around(found.box, longest(mark, FINE))
    plain = refine(work, mark, pose_of(found.parts, mark.aspect), "rigid")
    before = support(work, mark, plain)
    assert before is not None
    after = proved(work, mark, plain, before, False, "line")
    assert after is not None
    assert (after.perspective, after.softness < 1) == (True, True)


def test_an_enlarged_drawing_is_no_photograph(campaign: Campaign, look: Inspect) -> None:
    small = pixels(drawn(campaign, lockup(240), ground="31a037"))
    (logo,) = look(np.asarray(cv2.resize(small, None, fx=2, fy=2, interpolation=cv2.INTER_LINEAR), np.uint8))
    assert [finding.rule for finding in logo.violations] == ["low_contrast"]
