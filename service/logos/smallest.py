"""Settle which format of a variant is the smallest: once, from sizes that never change.

A few widths of each logo are *probed*, at publishing, and their bytes kept in a table (``size_table``). Between two
probes a format's bytes grow as a power of the width, nearly: what the two say is its *estimate* at a width. Formats
whose estimate is far above the least are out of the race. Where more than one is left, they are made at the width
itself, and the bytes that would be sent decide. So the answer is the same in every process of a deployment and at any
time, and nobody waits for pictures that cannot win. ``tests/benchmarks/smallest.py`` holds every width of the ladder
against making all formats.
"""

from __future__ import annotations

import math
import threading
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import replace

from cachetools import LRUCache

from . import ladder
from .formats import FORMATS
from .variant_request import VariantRequest

#: Widths in pixels that are probed, where a logo may be that small. None is a common width, so that probes are made
#: quickly. Each is about 1.4 times as wide as the one before.
PROBES = (25, 35, 50, 70, 100, 140, 200, 280, 400, 560, 800)
#: A format whose estimate is so many times the least is not the smallest. Of the sample's logos no picture took more
#: than 12 % more or 10 % less than its estimate, and none was the smallest whose estimate was 1.1 times the least.
BEHIND = 1.15
#: The same at a common width, which is made with more effort: what that saves depends on the picture.
BEHIND_AHEAD = 1.4
#: Beyond the last probe, and where some of the pictures are large and others are not, estimates only say what a
#: picture takes at least, this share of them: large ones get less effort, which makes JPEG XL up to six times as large.
LEAST = 0.7
#: How much larger than the smallest the chosen one may be.
TOLERANCE = 1.05
_KEPT = 16_384  # decisions in memory; each is a few hundred bytes

Sizes = Callable[[Sequence[VariantRequest]], list[int]]


class SmallestFormat:
    """Decides for each logo, colourway and width which of the welcome formats is sent. Thread-safe."""

    def __init__(
        self,
        sizes: Sizes,
        minimum: Callable[[str], int],
        largest: Callable[[str], int],
        size: Callable[[VariantRequest], tuple[int, int]],
    ) -> None:
        """``sizes`` are the bytes of variants, made if need be; the others a logo's least and largest width.

        ``size`` is the width and height of a whole picture, in pixels.
        """
        self._sizes = sizes
        self._minimum = minimum
        self._largest = largest
        self._size = size
        self._settled: LRUCache[tuple[VariantRequest, tuple[str, ...]], VariantRequest] = LRUCache(_KEPT)
        self._lock = threading.Lock()

    def choose(self, wanted: VariantRequest, formats: tuple[str, ...]) -> VariantRequest:
        """The request with the smallest of these formats, at most ``TOLERANCE`` times the smallest possible.

        ``wanted.coding`` is the content coding that a drawing would be sent in. Among equals the first is taken.
        Raises Unavailable where a size is not known yet and cannot be found out now.
        """
        candidates = [replace(wanted, format=name, coding=wanted.coding if name == "svg" else "") for name in formats]
        if len(candidates) == 1:
            return candidates[0]
        key = (wanted, formats)
        with self._lock:
            found = self._settled.get(key)
        if found is None:
            left = self._in_the_race(candidates)
            sizes = self._sizes(left) if len(left) > 1 else [0]
            found = left[sizes.index(min(sizes))]
            with self._lock:
                self._settled[key] = found
        return found

    def estimates(self, candidates: Sequence[VariantRequest]) -> list[float]:
        """Return about how many bytes each of these takes: of drawings as many as they do, of pictures by the probes.

        All have one logo, colourway and width. Raises what ``choose`` raises.
        """
        logo, width = candidates[0].logo, candidates[0].width
        drawings = [one for one in candidates if one.format == "svg"]
        rasters = [one for one in candidates if one.format != "svg"]
        found = dict(zip(drawings, map(float, self._sizes(drawings)), strict=True))
        below, above = _neighbours(probes(self._minimum(logo), self._largest(logo)), width)
        # The clear space takes next to nothing in any format, so that probes without it tell for both.
        sizes = self._sizes([replace(one, width=at, space=False) for at in (below, above) for one in rasters])
        position = math.log(width / below) / math.log(above / below)
        for one, low, high in zip(rasters, sizes[: len(rasters)], sizes[len(rasters) :], strict=True):
            found[one] = (
                low
                * (high / low) ** position
                * (FORMATS[one.format].share_ahead if self._is_ahead(candidates[0]) else 1)
            )
        return [found[one] for one in candidates]

    def _in_the_race(self, candidates: list[VariantRequest]) -> list[VariantRequest]:
        """Return those of the candidates that may be the smallest, as far as the probes can tell."""
        logo = candidates[0].logo
        if len(probes(self._minimum(logo), self._largest(logo))) < 2:
            return candidates
        estimates = self.estimates(candidates)
        if self._is_steady(candidates[0]):
            limit = min(estimates) * (BEHIND_AHEAD if self._is_ahead(candidates[0]) else BEHIND)
        else:
            drawn = [size for one, size in zip(candidates, estimates, strict=True) if one.format == "svg"]
            limit = min(drawn, default=math.inf) / LEAST
        return [one for one, size in zip(candidates, estimates, strict=True) if size <= limit]

    def _is_steady(self, wanted: VariantRequest) -> bool:
        """Tell whether the probes are made as the picture is: with it between them, and with the same effort."""
        known = probes(self._minimum(wanted.logo), self._largest(wanted.logo))
        compared = [wanted, *(replace(wanted, width=at) for at in _neighbours(known, wanted.width))]
        large = {math.prod(self._size(one)) >= ladder.LARGE for one in compared}
        return wanted.width <= known[-1] and len(large) == 1

    def _is_ahead(self, wanted: VariantRequest) -> bool:
        return not wanted.space and wanted.width in ladder.common(self._minimum(wanted.logo))


def probes(minimum: int, largest: int) -> list[int]:
    """Return the widths at which a logo of this smallest and largest width is probed, ascending."""
    return [width for width in PROBES if minimum <= width <= largest]


def _neighbours(probed: list[int], width: int) -> tuple[int, int]:
    """Return the probes around a width, or the two that are nearest where it is beyond them."""
    place = min(max(bisect_right(probed, width), 1), len(probed) - 1)
    return probed[place - 1], probed[place]
