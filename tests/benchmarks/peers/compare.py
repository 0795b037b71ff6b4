"""From measurements to ratios: against which peer a variant of ours is held, and how they are averaged."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from .measure import COLD_WIDTHS, WIDTHS, Made, Sent
from .servers import KINDS

GOOD = 90.0  # SSIMULACRA2 at which a difference is hard to see
CAPPED = 95.0  # beyond this nobody sees a difference, so none is asked for
OURS = "Emblem"


@dataclass(frozen=True)
class Bar:
    """One bar: what was measured, what it has to reach, and whether it does."""

    what: str
    measured: str
    asked: str
    holds: bool


def best_peer(made: Iterable[Made]) -> Made:
    """The smallest of quality 90 and more; where there is none, the smallest within a point of the best."""
    peers = [one for one in made if one.program != OURS]
    good = [one for one in peers if one.quality >= GOOD]
    if not good:
        top = max(one.quality for one in peers)
        good = [one for one in peers if one.quality >= top - 1]
    return min(good, key=lambda one: one.bytes)


def pairs(found: Sequence[Made], width: int, kind: str) -> list[tuple[Made, Made]]:
    """For each master our variant and the best peer's."""
    chosen: dict[str, list[Made]] = {}
    for one in found:
        if (one.width, one.kind) == (width, kind):
            chosen.setdefault(one.master, []).append(one)
    return [(next(one for one in made if one.program == OURS), best_peer(made)) for made in chosen.values()]


def byte_bars(found: Sequence[Made]) -> list[Bar]:
    """Bytes against the best peer, as the geometric mean over the masters, with the condition on quality."""
    bars = []
    for kind, limit in {"png": 0.45, "webp": 0.60, "avif": 0.95}.items():
        for width in WIDTHS:
            beside = pairs(found, width, kind)
            mean = statistics.geometric_mean(ours.bytes / peer.bytes for ours, peer in beside)
            enough = all(ours.quality >= max(GOOD, min(CAPPED, peer.quality)) for ours, peer in beside)
            least = min(ours.quality for ours, _ in beside)
            measured = f"{mean:.2f}, quality {least:.1f} or more"
            bars.append(Bar(f"{kind.upper()} bytes, {width} px", measured, f"≤ {limit:.2f}", mean <= limit and enough))
    return bars


def cold_medians(found: Sequence[Made]) -> dict[tuple[str, str], float]:
    """The median seconds of a cold variant by program and format, over COLD_WIDTHS and all masters."""
    medians = {}
    for program in dict.fromkeys(one.program for one in found):
        for kind in KINDS:
            taken = [
                one.seconds for one in found if one.program == program and one.kind == kind and one.width in COLD_WIDTHS
            ]
            if taken:
                medians[program, kind] = statistics.median(taken)
    return medians


def processor_means(found: Sequence[Made]) -> dict[tuple[str, str], float]:
    """The mean processor seconds of a cold variant by program and format, over COLD_WIDTHS and all masters."""
    taken: dict[tuple[str, str], list[float]] = {}
    for one in found:
        if one.width in COLD_WIDTHS:
            taken.setdefault((one.program, one.kind), []).append(one.processor)
    return {key: statistics.mean(seconds) for key, seconds in taken.items()}


def cold_bars(medians: dict[tuple[str, str], float]) -> list[Bar]:
    """The cold median against that of the fastest peer."""
    bars = []
    for kind, limit in {"png": 3.0, "webp": 0.8, "avif": 0.7}.items():
        fastest = min(seconds for (program, made), seconds in medians.items() if made == kind and program != OURS)
        ratio = medians[OURS, kind] / fastest
        bars.append(Bar(f"{kind.upper()} cold median", f"{ratio:.2f}", f"≤ {limit:.1f}", ratio <= limit))
    return bars


#: Bytes of AVIF by master and width when ``auto`` always was AVIF, on 28 November 2026: AVIF itself got smaller since.
AVIF_BEFORE = {
    "lockup-blue": {120: 1459, 256: 2270, 512: 3546, 1024: 5807},
    "lockup-white": {120: 1452, 256: 2263, 512: 3539, 1024: 5793},
    "heart-blue": {120: 1255, 256: 1762, 512: 2765, 1024: 5341},
}


def auto_bars(found: Sequence[Sent]) -> list[Bar]:
    """The bytes of ``auto`` for Chrome, of JPEG XL and of AVIF, as shares of AVIF_BEFORE: the worst of each."""

    def share(one: Sent, size: int) -> float:
        return size / AVIF_BEFORE[one.master][one.width]

    heart = max(share(one, one.auto) for one in found if one.master.startswith("heart"))
    lockups = [one for one in found if one.master.startswith("lockup")]
    small = max(share(one, one.auto) for one in lockups if one.width < 256)
    large = max(share(one, one.auto) for one in lockups if one.width >= 256)
    ahead = max(share(one, one.jxl) for one in found if one.width >= 256)
    avif = max(share(one, one.avif) for one in found)
    bars = (
        ("auto for Chrome against AVIF before, heart", heart, 0.25),
        ("auto for Chrome against AVIF before, lockup at 120 px", small, 0.90),
        ("auto for Chrome against AVIF before, lockup from 256 px up", large, 0.60),
        ("JPEG XL made ahead against AVIF before", ahead, 0.70),
        ("AVIF against AVIF before", avif, 1.00),
    )
    return [Bar(what, f"{ratio:.2f}", f"≤ {limit:.2f}", ratio <= limit) for what, ratio, limit in bars]


def at_least(what: str, ratio: float, limit: float) -> Bar:
    """A bar that a ratio has to reach."""
    return Bar(what, f"{ratio:.2f}", f"≥ {limit:g}", ratio >= limit)


def by_width(found: Sequence[Made], kind: str, value: Callable[[Made], float]) -> list[tuple[int, float]]:
    """Our own cold variants of a format: width, and the mean of ``value`` over the masters."""
    ours = [one for one in found if one.program == OURS and one.kind == kind]
    return [
        (width, statistics.mean(value(one) for one in ours if one.width == width))
        for width in sorted({one.width for one in ours})
    ]
