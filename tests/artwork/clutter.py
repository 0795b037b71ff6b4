"""What stands beside logos: text, icons, other hearts, blue things, photographs on plates."""

from __future__ import annotations

import sysconfig
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from .grounds import Array, Random, colour_of, picture

Box = tuple[float, float, float, float]  # left, top, right, bottom
_WORDS = (  # noqa: SIM905 - words are easier to read as a sentence
    "together hope annual report 2026 join us conference against trafficking opening hours register now "
    "free entry Saturday museum school partners donate volunteer awareness day city council programme BLUE HEART "
    "read more welcome summer festival 30 July spring fair contact press news protect people music and dance"
).split()


@cache
def fonts() -> tuple[str, ...]:
    """The fonts of this machine and of installed font packages, in the order of their names."""
    places = (Path(sysconfig.get_paths()["purelib"]), Path("/usr/share/fonts"))
    found = [path for place in places for path in place.glob("fontpkg_*/files/*.ttf")]
    found += sorted(places[1].rglob("DejaVu*.ttf"))
    return tuple(str(path) for path in sorted(found, key=lambda path: path.name) if "Math" not in path.name)


@cache
def _pips() -> tuple[str, ...]:
    return tuple(name for name in fonts() if "DejaVuSans" in name and "Mono" not in name)


def over(canvas: Array, mask: npt.NDArray[np.floating[Any]], colour: npt.NDArray[np.floating[Any]]) -> None:
    """Paints a colour where the mask is."""
    canvas += mask[..., None] * (colour - canvas)


def _drawn(canvas: Array, box: Box) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    image = Image.new("L", (canvas.shape[1], canvas.shape[0]))
    return image, ImageDraw.Draw(image)


def _paste(canvas: Array, image: Image.Image, colour: Array) -> None:
    over(canvas, np.asarray(image, np.float32) / 255, colour)


def text(canvas: Array, box: Box, colour: Array, random: Random, words: str | None = None) -> None:
    """Lines of text that fill a box, and do not leave it."""
    left, top, right, bottom = box
    if right - left < 8 or bottom - top < 6:
        return
    size = int(np.clip(random.uniform(0.15, 0.9) * (bottom - top), 6, max(7, (right - left) / 3)))
    font = ImageFont.truetype(fonts()[int(random.integers(len(fonts())))], size)
    image, draw = Image.new("L", (int(right - left), int(bottom - top))), None
    draw = ImageDraw.Draw(image)
    line = 0.0
    while line + size < bottom - top:
        said, want = "", random.uniform(0.5, 1) * (right - left)
        while draw.textlength(said, font) < want:
            said += (" " if said else "") + (words or _WORDS[int(random.integers(len(_WORDS)))])
        if random.random() < 0.2:
            said = said.upper()
        draw.text((0, line), said, 255, font)
        line += size * random.uniform(1.2, 1.6)
    mask = np.asarray(image, np.float32) / 255
    part = canvas[int(top) : int(top) + mask.shape[0], int(left) : int(left) + mask.shape[1]]
    over(part, mask[: part.shape[0], : part.shape[1]], colour)


def plain_heart(canvas: Array, box: Box, colour: Array, random: Random) -> None:
    """A heart that is not ours: by formula, of two circles and a square, an outline, broken, or a font's."""
    left, top, right, bottom = box
    size = min(right - left, bottom - top)
    if size < 6:
        return
    x, y = (left + right) / 2, (top + bottom) / 2
    kind = random.integers(6)
    big = Image.new("L", (int(size * 4), int(size * 4)))
    draw = ImageDraw.Draw(big)
    side = big.size[0]
    t = np.linspace(0, 2 * np.pi, 200)
    wide, high = 16 * np.sin(t) ** 3, 13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t)
    stretch = random.uniform(0.75, 1.0)
    points = [(side / 2 + a * side / 36 * stretch, side / 2 - b * side / 36) for a, b in zip(wide, high, strict=True)]
    if kind in (0, 4):
        draw.polygon(points, fill=255)
        if kind == 4:  # broken in two
            zig = [(side * (0.5 + 0.05 * (-1) ** step), side * step / 8) for step in range(9)]
            draw.line(zig, fill=0, width=max(1, side // 25))
    elif kind == 1:
        r = side * 0.23
        for centre in (side * 0.5 - r * 0.92, side * 0.5 + r * 0.92):
            draw.ellipse((centre - r, side * 0.15, centre + r, side * 0.15 + 2 * r), fill=255)
        draw.polygon(
            [(side * 0.5 - 1.78 * r, side * 0.48), (side * 0.5 + 1.78 * r, side * 0.48), (side / 2, side * 0.9)],
            fill=255,
        )
    elif kind == 2:
        draw.line([*points, points[0], points[1]], fill=255, width=max(2, side // 14), joint="curve")
    elif kind == 3:
        font = ImageFont.truetype(_pips()[int(random.integers(len(_pips())))], int(side * 0.9))
        draw.text((side / 2, side / 2), "♥", 255, font, anchor="mm")
    else:  # one line through it, as on a monitor
        draw.polygon(points, fill=255)
        beat = [(0.1, 0.5), (0.35, 0.5), (0.42, 0.32), (0.5, 0.68), (0.57, 0.42), (0.62, 0.5), (0.9, 0.5)]
        draw.line([(a * side, b * side) for a, b in beat], fill=0, width=max(2, side // 22))
    if random.random() < 0.3:
        big = big.rotate(random.uniform(-30, 30))
    small = big.resize((int(size), int(size)), Image.Resampling.BOX)
    mask = np.asarray(small, np.float32) / 255
    row, column = int(y - size / 2), int(x - size / 2)
    row, column = max(0, row), max(0, column)
    part = canvas[row : row + mask.shape[0], column : column + mask.shape[1]]
    over(part, mask[: part.shape[0], : part.shape[1]], colour)


def icon(canvas: Array, box: Box, colour: Array, random: Random) -> None:
    """A simple sign: disc, ring, star, square, leaf, arrow, drop, or a curve of a monitor."""
    left, top, right, bottom = box
    size = min(right - left, bottom - top)
    if size < 5:
        return
    x, y, r = (left + right) / 2, (top + bottom) / 2, size / 2 * 0.95
    image, draw = _drawn(canvas, box)
    kind = random.integers(8)
    if kind == 0:
        draw.ellipse((x - r, y - r, x + r, y + r), fill=255)
    elif kind == 1:
        draw.ellipse((x - r, y - r, x + r, y + r), outline=255, width=max(1, int(size / 8)))
    elif kind == 2:
        draw.regular_polygon((x, y, r), 5, rotation=random.uniform(0, 90), fill=255)
    elif kind == 3:
        draw.rounded_rectangle((x - r, y - r, x + r, y + r), radius=r * random.uniform(0, 0.6), fill=255)
    elif kind == 4:
        draw.chord((x - r, y - r, x + r, y + r), random.uniform(0, 180), random.uniform(200, 350), fill=255)
    elif kind == 5:
        shape = [(-1, -0.3), (0.2, -0.3), (0.2, -0.8), (1, 0), (0.2, 0.8), (0.2, 0.3), (-1, 0.3)]
        draw.polygon([(x + a * r, y + b * r) for a, b in shape], fill=255)
    elif kind == 6:
        draw.ellipse((x - r * 0.6, y - r * 0.2, x + r * 0.6, y + r), fill=255)
        draw.polygon([(x, y - r), (x - r * 0.58, y + r * 0.3), (x + r * 0.58, y + r * 0.3)], fill=255)
    else:
        beat = [(-1, 0), (-0.4, 0), (-0.2, -0.7), (0.05, 0.8), (0.25, -0.2), (0.4, 0), (1, 0)]
        draw.line([(x + a * r, y + b * r) for a, b in beat], fill=255, width=max(1, int(size / 14)))
    _paste(canvas, image, colour)


def photograph(canvas: Array, box: Box, random: Random) -> None:
    """A picture in a rectangle."""
    left, top, right, bottom = (round(edge) for edge in box)
    if right - left > 8 and bottom - top > 8:
        canvas[top:bottom, left:right] = picture(right - left, bottom - top, random)


def beside(canvas: Array, taken: list[Box], random: Random, ground: npt.NDArray[np.float32], hearts: float) -> None:
    """Fills the free places of a canvas, leaving every box in ``taken`` alone."""
    height, width = canvas.shape[:2]
    light = float(ground.mean()) > 128
    for _ in range(int(random.integers(2, 14))):
        across, high = random.uniform(0.05, 0.5) * width, random.uniform(0.03, 0.3) * height
        left, top = random.uniform(0, width - across), random.uniform(0, height - high)
        box = (left, top, left + across, top + high)
        if any(box[0] < t[2] and t[0] < box[2] and box[1] < t[3] and t[1] < box[3] for t in taken):
            continue
        taken.append(box)
        colour = colour_of(random, lightness=(0, 0.4) if light else (0.6, 1))
        if random.random() < 0.25:
            colour = np.array([11, 92, 173], np.float32)
        chosen = random.random()
        if chosen < hearts:
            plain_heart(canvas, box, colour, random)
        elif chosen < 0.6:
            text(canvas, box, colour, random)
        elif chosen < 0.85:
            icon(canvas, box, colour, random)
        else:
            photograph(canvas, box, random)
