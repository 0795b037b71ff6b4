"""Pieces made by hand, of what is easily taken for a logo, and of logos that are hard to see."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from service.campaign import Campaign

from . import clutter, grounds
from .conftest import Inspect
from .drawing import BLACK, BLUE, WHITE, drawn, encoded, heart, lockup, paint, pixels, rgb
from .inks import Array, Placed
from .snapshots import layout


def blank(width: int = 640, height: int = 420, colour: str = WHITE) -> Array:
    return grounds.flat(rgb(colour), width, height)


def test_a_heart_among_playing_cards(campaign: Campaign, look: Inspect) -> None:
    canvas = blank(760, 420, "1e6b3a")
    for number in range(4):
        left = 30 + number * 180
        canvas[60:300, left : left + 160] = 255
        random = np.random.default_rng(number)
        for x, y in ((0.28, 0.3), (0.72, 0.3), (0.28, 0.7), (0.72, 0.7)):
            box = (left + 160 * x - 24, 60 + 240 * y - 24, left + 160 * x + 24, 60 + 240 * y + 24)
            clutter.plain_heart(canvas, box, rgb("c62828"), random)
    assert look(pixels(canvas)) == ()
    canvas[60:300, 210:370] = 255
    paint(canvas, campaign, heart(70, 290, 180), BLUE)
    (logo,) = look(pixels(canvas))
    assert (logo.logo, logo.violations) == ("heart", ())


def test_a_line_of_a_heart_monitor_is_no_logo(look: Inspect) -> None:
    canvas = blank(colour="06210f")
    image = Image.new("L", (640, 420))
    beat = [(0, 210), (180, 210), (210, 120), (240, 320), (270, 180), (290, 210), (640, 210)]
    ImageDraw.Draw(image).line(beat, fill=255, width=5)
    clutter.over(canvas, np.asarray(image, np.float32) / 255, rgb("36e36c"))
    clutter.plain_heart(canvas, (420, 40, 560, 180), rgb("36e36c"), np.random.default_rng(2))
    assert look(pixels(canvas)) == ()


def test_a_blue_heart_of_another_brand_is_no_logo(look: Inspect) -> None:
    for seed in range(6):
        canvas = blank()
        clutter.plain_heart(canvas, (200, 90, 440, 330), rgb(BLUE), np.random.default_rng(seed))
        assert look(pixels(canvas)) == ()


def test_a_heart_broken_by_a_zigzag_is_no_logo(campaign: Campaign, look: Inspect) -> None:
    piece = layout(campaign, 80003)  # among other signs; its sharp edges fit ours where both are softened
    (logo,) = look(np.asarray(Image.open(io.BytesIO(piece.data)).convert("RGB")))
    assert (logo.logo, logo.violations) == ("heart", ())


def test_a_pattern_of_logos_is_crowded(campaign: Campaign, look: Inspect) -> None:
    canvas = blank(520, 420)
    for row in range(3):
        for column in range(4):
            paint(canvas, campaign, heart(90, 80 + column * 100, 80 + row * 95), BLUE)
    found = look(pixels(canvas))
    assert len(found) == 12
    assert all("clear_space" in {finding.rule for finding in logo.violations} for logo in found)


def test_the_heart_beside_other_words_is_a_heart_without_room(campaign: Campaign, look: Inspect) -> None:
    canvas = blank()
    paint(canvas, campaign, heart(120, 140, 210), BLUE)
    image = Image.new("L", (640, 420))
    font = ImageFont.truetype(next(name for name in clutter.fonts() if "HankenGrotesk[" in name), 44)
    draw = ImageDraw.Draw(image)
    for line, text in enumerate(("SAFE", "HARBOUR", "PROJECT")):
        draw.text((212, 152 + 40 * line), text, 255, font)
    clutter.over(canvas, np.asarray(image, np.float32) / 255, rgb(BLUE))
    (logo,) = look(pixels(canvas))
    assert logo.logo == "heart"
    assert {finding.rule for finding in logo.violations} == {"clear_space"}


def test_two_logos_that_overlap_are_both_found(campaign: Campaign, look: Inspect) -> None:
    canvas = drawn(campaign, heart(160, 240, 200))
    paint(canvas, campaign, heart(160, 345, 240), BLACK)
    found = look(pixels(canvas))
    assert len(found) == 2
    assert all(logo.violations for logo in found)


def framed(canvas: Array, radius: float, behind: str) -> Array:
    """A picture seen through a round frame."""
    rows, columns = np.mgrid[0 : canvas.shape[0], 0 : canvas.shape[1]] + 0.5
    outside = np.hypot(columns - canvas.shape[1] / 2, rows - canvas.shape[0] / 2) - radius
    clutter.over(canvas, np.clip(outside + 0.5, 0, 1).astype(np.float32), rgb(behind))
    return canvas


def test_another_heart_in_a_round_frame_is_no_logo(look: Inspect) -> None:
    for seed in range(3):
        canvas = blank(colour="dbe9f7")
        clutter.plain_heart(canvas, (220, 110, 420, 310), rgb(BLUE), np.random.default_rng(seed))
        assert look(pixels(framed(canvas, 88, WHITE))) == ()


def test_a_logo_covered_and_turned_is_found_and_cropped(campaign: Campaign, look: Inspect) -> None:
    canvas = drawn(campaign, heart(220, degrees=14))
    canvas[250:, :] = rgb("ffd166")
    (logo,) = look(pixels(canvas))
    assert {"cropped", "rotated"} <= {finding.rule for finding in logo.violations}


def test_white_on_a_photograph(campaign: Campaign, look: Inspect) -> None:
    photo = grounds.picture(900, 600, np.random.default_rng(11))
    canvas = np.asarray(30 + 0.16 * photo, np.float32)
    paint(canvas, campaign, lockup(360, 450, 300), WHITE)
    (logo,) = look(pixels(canvas))
    assert (logo.logo, logo.colourway, logo.violations) == ("lockup", "white", ())


def test_exports_that_are_a_pixel_off_are_right(campaign: Campaign, look: Inspect) -> None:
    for width, height in ((64, 59), (100, 90), (131, 118)):
        (logo,) = look(pixels(drawn(campaign, Placed("heart", 320.5, 210.5, width, height))))
        assert logo.violations == ()


def test_a_small_logo_in_strong_compression(campaign: Campaign, look: Inspect) -> None:
    import io

    canvas = drawn(campaign, heart(40), ground="f4f6f8")
    file = io.BytesIO(encoded(canvas, "JPEG", quality=60))
    (logo,) = look(np.asarray(Image.open(file).convert("RGB")))
    assert (logo.logo, logo.violations) == ("heart", ())
