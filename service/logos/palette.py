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

from .render import Picture

Colour = tuple[int, ...]  # red, green, blue, alpha

_MOST_COLOURS = 256
_MOST_INKS = 9  # with transparency; a drawing of more is not flat
_INK_SHARE = 1 / 500  # of the picture that a colour has to cover to be an ink
_ALIKE = 0xFCFCFCFC  # colours that differ by less than four in each channel are snapped as one
_FAR = 20.0  # distance from every blend at which a pixel counts as wrong
_MOST_WRONG = 1 / 400  # share of the picture: corners where three inks meet
_MOST_ERROR = 6.0  # mean squared distance over the whole picture


@dataclass(frozen=True)
class Indexed:
    """A picture with a palette: one byte a pixel; colours are not multiplied by their alpha."""

    width: int
    height: int
    indexes: bytes
    palette: tuple[Colour, ...]


def index(picture: Picture, steps: int) -> Indexed | None:
    """The picture in blends of its inks, ``steps`` opacities or mixtures each; None where it is not flat enough."""
    if picture.ink is not None:
        return _one_ink(picture, picture.ink, steps)
    colours = Counter(memoryview(picture.pixels).cast("I"))
    for fewer in (steps, steps * 3 // 4, steps // 2, steps * 3 // 8):
        found = _snap(colours, fewer)
        if found is None:
            return None
        table, palette = found
        if len(palette) <= _MOST_COLOURS:
            indexes = bytes(map(table.__getitem__, memoryview(picture.pixels).cast("I")))
            return Indexed(picture.width, picture.height, indexes, tuple(map(_divided, palette)))
    return None


def _one_ink(picture: Picture, ink: Colour, steps: int) -> Indexed:
    last = steps - 1
    table = bytes((alpha * last + 127) // 255 for alpha in range(256))
    palette = tuple((*ink, (step * 255 + last // 2) // last) for step in range(steps))
    return Indexed(picture.width, picture.height, picture.pixels.translate(table), palette)


def _snap(colours: Counter[int], steps: int) -> tuple[dict[int, int], list[Colour]] | None:
    """For each colour its place in a palette, and the palette; None where too much is far from every blend."""
    total = colours.total()
    inks = [colour for colour, count in colours.most_common(_MOST_INKS + 1) if count >= max(4, total * _INK_SHARE)]
    if not inks or len(inks) > _MOST_INKS:
        return None
    lines = [_Line(_channels(a), _channels(b)) for a, b in combinations(inks, 2)]
    places: dict[Colour, int] = {}
    table: dict[int, int] = {}
    alike: dict[int, tuple[Colour, float]] = {}
    error, wrong = 0.0, 0
    for colour, count in colours.items():
        if colour in inks:
            snapped, distance = _channels(colour), 0.0
        else:
            key = colour & _ALIKE
            known = alike.get(key)
            if known is None:
                known = alike[key] = _nearest(lines, _channels(colour), steps)
            snapped, distance = known
        error += distance * count
        wrong += count if distance > _FAR * _FAR else 0
        table[colour] = places.setdefault(snapped, len(places))
    if error > _MOST_ERROR * total or wrong > _MOST_WRONG * total:
        return None
    return table, list(places)


class _Line:
    """The blends of two inks, in colours multiplied by their alpha, where blending is linear."""

    def __init__(self, start: Colour, end: Colour) -> None:
        self.start = start
        self.along = tuple(b - a for a, b in zip(start, end, strict=True))
        self.length = sum(step * step for step in self.along) or 1

    def position(self, colour: Colour) -> float:
        """How far along the line a colour lies, from 0 to 1."""
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
