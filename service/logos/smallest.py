"""Settle which format of a variant is the smallest: once, from sizes that never change.

The sizes compared are those of the very bytes that would be sent, so the answer is the same in every process of a
deployment and at any time. So that nobody waits for pictures that cannot win, a few widths of each logo are
*probed*: what a format takes there bounds what it can take at the next larger widths. Probes are made with the common
widths, before anyone asks. Only formats that the bounds leave in the race are made at the width itself.
``tests/benchmarks/smallest.py`` checks every width of the ladder against making all formats.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace

from cachetools import LRUCache

from . import ladder
from .variant_request import VariantRequest

#: Widths in pixels that are probed, where a logo may be that small. None is a common width, so that probes are
#: made quickly; each is cheap, and bounds the widths up to the next.
PROBES = (50, 100, 200, 400, 800)
#: A picture larger than its probe takes at least this share of the probe's bytes. Lines that happen to fall on
#: whole pixels make one smaller; by a sixth was the most seen.
LEAST = 0.6
#: The same for a common width, which is made with more effort: by a third (JPEG XL) at most.
LEAST_AHEAD = 0.4
#: A format that takes so many times another one's bytes in the probe is not the smaller one at the width.
BEHIND = 1.5
#: How much larger than the smallest the chosen one may be.
TOLERANCE = 1.05
_KEPT = 16_384  # decisions in memory; each is a few hundred bytes

Sizes = Callable[[Sequence[VariantRequest]], list[int]]


class SmallestFormat:
    """Decides for each logo, colourway and width which of the welcome formats is sent. Thread-safe."""

    def __init__(self, sizes: Sizes, minimum: Callable[[str], int]) -> None:
        """``sizes`` are the bytes of variants, made if need be; ``minimum`` is a logo's smallest width in pixels."""
        self._sizes = sizes
        self._minimum = minimum
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
            sizes = self._sizes(left)
            found = left[sizes.index(min(sizes))]
            with self._lock:
                self._settled[key] = found
        return found

    def _in_the_race(self, candidates: list[VariantRequest]) -> list[VariantRequest]:
        """Return those of the candidates that may be the smallest, as far as the probes can tell."""
        logo, width = candidates[0].logo, candidates[0].width
        minimum = self._minimum(logo)
        probe = max((probe for probe in PROBES if minimum <= probe < width), default=None)
        if probe is None or width in PROBES:
            return candidates
        drawings = [wanted for wanted in candidates if wanted.format == "svg"]
        rasters = [wanted for wanted in candidates if wanted.format != "svg"]
        probed = self._sizes([replace(wanted, width=probe) for wanted in rasters])
        best = min(probed)
        ahead = not candidates[0].space and width in ladder.common(minimum)
        least = LEAST_AHEAD if ahead else LEAST
        limit = min(self._sizes(drawings), default=None)
        return drawings + [
            wanted
            for wanted, size in zip(rasters, probed, strict=True)
            if (ahead or size < BEHIND * best) and (limit is None or size * least * TOLERANCE < limit)
        ]
