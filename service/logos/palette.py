"""Palettes: a flat drawing as few colours, so that lossless formats become small.

The pixels of a flat drawing are its inks, and where two of them (or one and nothing) meet, blends of
the two. So every pixel is snapped to one of a few steps on the line between two inks. That keeps inks
exact and puts the whole error into the antialiasing, where 32 steps are more than the eye sees.
"""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import dataclass
from itertools import combinations

import pyvips

from ..svg import Drawing
from .render import Ink, Picture, render

Colour = tuple[int, ...]  # red, green, blue, alpha

_MOST_COLOURS = 256
_MOST_INKS = 8  # a drawing of more is not flat
_CANDIDATES = 64  # of the most frequent colours, that may be inks
_INK_SHARE = 1 / 500  # of the picture that a colour has to cover to be an ink
_ALIKE = 0xFCFCFCFC  # colours that differ by less than four in each channel are snapped as one
_FAR = 20.0  # distance from every blend at which a pixel counts as wrong
_MOST_WRONG = 1 / 400  # share of the picture: corners where three inks meet
_MOST_ERROR = 4.0  # mean squared distance over the whole picture
_TINT_SHARE = 1 / 5000  # of the picture that a colour has to fill to be an area and no edge
_MOST_TINTS = 8  # more of them are a gradient in strips, which steps would make coarser
_STUDIED = 512  # pixels of width in which a drawing's inks are looked for
_CLEAR: Colour = (0, 0, 0, 0)


@dataclass(frozen=True)
class Indexed:
    """A picture with a palette: one byte a pixel; colours are not multiplied by their alpha."""

    width: int
    height: int
    indexes: bytes
    palette: tuple[Colour, ...]


def inks_of(drawing: Drawing) -> tuple[Ink, ...]:
    """The inks of a drawing; none where it is not flat, since steps would be seen there as bands."""
    return () if drawing.has_gradients else find_inks(render(drawing, _STUDIED))


def find_inks(picture: Picture) -> tuple[Ink, ...]:
    """The inks that a large picture (made without inks) is drawn in; none where it is not flat."""
    colours = Counter(memoryview(picture.pixels).cast("I"))
    total = colours.total()
    inks: list[Colour] = [_CLEAR]
    lines: list[_Line] = []
    for number, count in colours.most_common(_CANDIDATES):
        colour = _channels(number)
        if count < total * _INK_SHARE:
            break
        # What lies between two inks is the edge between them, however often it occurs.
        if colour[3] < 255 or (lines and _nearest(lines, colour, 256)[1] <= _FAR):
            continue
        lines += [_Line(colour, other) for other in inks]
        inks.append(colour)
    if not 1 < len(inks) <= _MOST_INKS + 1:
        return ()
    if _tints(picture, set(inks)) > _MOST_TINTS:
        return ()
    error, wrong = 0.0, 0
    for number, count in colours.items():
        distance = _nearest(lines, _channels(number), 32)[1]
        error += distance * count
        wrong += count if distance > _FAR * _FAR else 0
    if error > _MOST_ERROR * total or wrong > _MOST_WRONG * total:
        return ()
    return tuple((red, green, blue) for red, green, blue, _ in inks[1:])


def _tints(picture: Picture, inks: set[Colour]) -> int:
    """Return how many colours beside the inks fill areas: blends drawn in strips, or layers that shine through."""
    image = pyvips.Image.new_from_memory(picture.pixels, picture.width, picture.height, 4, "uchar")
    inside = pyvips.Image.black(picture.width, picture.height).invert()
    for across, down in ((1, 0), (-1, 0), (0, 1), (0, -1)):
        inside &= (image == image.wrap(x=across, y=down)).bandand()
    areas = Counter(memoryview(bytes(inside.ifthenelse(image, 0).write_to_memory())).cast("I"))
    least = picture.width * picture.height * _TINT_SHARE
    return sum(1 for number, count in areas.items() if count >= least and _channels(number) not in inks)


def index(picture: Picture, steps: int) -> Indexed | None:
    """The picture in blends of its inks, ``steps`` opacities or mixtures each; None where it is not flat."""
    if not picture.inks:
        return None
    if len(picture.inks) == 1:
        return _one_ink(picture, picture.inks[0], steps)
    pixels = memoryview(picture.pixels).cast("I")
    while True:
        table, palette = _snap(set(pixels), picture.inks, steps)
        if len(palette) <= _MOST_COLOURS:
            indexes = bytes(map(table.__getitem__, pixels))
            return Indexed(picture.width, picture.height, indexes, tuple(map(_divided, palette)))
        if steps < 8:
            return None
        steps = steps * 3 // 4


def _one_ink(picture: Picture, ink: Ink, steps: int) -> Indexed:
    last = steps - 1
    table = bytes((alpha * last + 127) // 255 for alpha in range(256))
    palette = tuple((*ink, (step * 255 + last // 2) // last) for step in range(steps))
    return Indexed(picture.width, picture.height, picture.pixels.translate(table), palette)


def _snap(colours: set[int], inks: tuple[Ink, ...], steps: int) -> tuple[dict[int, int], list[Colour]]:
    """For each colour its place in a palette, and the palette."""
    ends: list[Colour] = [_CLEAR, *((*ink, 255) for ink in inks)]
    lines = [_Line(a, b) for a, b in combinations(ends, 2)]
    places: dict[Colour, int] = {}
    table: dict[int, int] = {}
    alike: dict[int, Colour] = {}
    # In the order of their numbers, so that every process makes the same palette.
    for number in sorted(colours):
        key = number & _ALIKE
        snapped = alike.get(key)
        if snapped is None:
            snapped = alike[key] = _nearest(lines, _channels(number), steps)[0]
        table[number] = places.setdefault(snapped, len(places))
    return table, list(places)


class _Line:
    """The blends of two inks, in colours multiplied by their alpha, where blending is linear."""

    def __init__(self, start: Colour, end: Colour) -> None:
        self.start = start
        self.along = tuple(b - a for a, b in zip(start, end, strict=True))
        self.length = sum(step * step for step in self.along) or 1

    def position(self, colour: Colour) -> float:
        """Return how far along the line a colour lies, from 0 to 1."""
        dot = sum((c - s) * a for c, s, a in zip(colour, self.start, self.along, strict=True))
        return min(1.0, max(0.0, dot / self.length))

    def at(self, position: float) -> Colour:
        """The blend at a position."""
        return tuple(round(s + position * a) for s, a in zip(self.start, self.along, strict=True))


def _nearest(lines: list[_Line], colour: Colour, steps: int) -> tuple[Colour, float]:
    best, least = colour, float("inf")
    for line in lines:
        snapped = line.at(round(line.position(colour) * (steps - 1)) / (steps - 1))
        distance = float(sum((a - b) ** 2 for a, b in zip(colour, snapped, strict=True)))
        if distance < least:
            best, least = snapped, distance
    return best, least


def _channels(colour: int) -> Colour:
    return tuple(colour.to_bytes(4, sys.byteorder))


def _divided(colour: Colour) -> Colour:
    alpha = colour[3]
    if alpha in (0, 255):
        return colour if alpha else (0, 0, 0, 0)
    return (*(min(255, (channel * 255 + alpha // 2) // alpha) for channel in colour[:3]), alpha)
