"""``python -m tests.benchmarks.smallest [--logo L]... [--every N] [--largest W]``: is what ``auto`` sends the smallest?

Makes every format at every width of the ladder, or at each ``N``-th, and holds what is chosen for each set of
formats that a browser names against the smallest of them. Prints the worst of each set, how often a format is
chosen, and how far pictures are from what the probes say of them; exits 1 where anything is more than 5 % too
large. The whole ladder takes an hour on two cores; with ``--kept FILE`` what was checked is kept there, line by
line, and the next call goes on from it, as long as masters, rules and encoders are the same.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from itertools import islice
from pathlib import Path

from service.campaign import load
from service.logos import FORMATS, RASTERS, VariantRequest, Variants, ladder
from service.logos.formats import AUTO
from service.logos.smallest import TOLERANCE
from service.settings import shipped
from service.storage import open_storage

_PATIENCE = 900.0  # seconds that a render may take on a machine with other work
#: What browsers and proxies name with the highest weight: the table of Accept headers in tests/web.
NAMED = {
    "with JPEG XL": ("svg", "png", "webp", "avif", "jxl"),
    "with AVIF": ("svg", "png", "webp", "avif"),
    "with WebP": ("svg", "png", "webp"),
    "no drawing": ("png", "webp", "avif"),
    "no drawing, with JPEG XL": ("png", "webp", "avif", "jxl"),
    "WebP alone": ("png", "webp"),
}


@dataclass(frozen=True)
class Checked:
    """One width of a logo in a colourway: what was chosen for each set of formats, and what the probes say.

    ``chosen`` has by set and coding the format and its bytes as a multiple of the smallest's. ``off`` are the bytes
    of each picture as a multiple of their estimate; ``ahead`` says that it is a common width. ``bytes`` are those of
    each format.
    """

    version: str
    logo: str
    colourway: str
    width: int
    ahead: bool
    off: dict[str, float]
    chosen: dict[str, tuple[str, float]]
    bytes: dict[str, int]


def main() -> None:
    """Check, print, and exit with 1 where the tolerance is not kept."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.smallest", description=__doc__)
    parser.add_argument("--logo", action="append", help="heart and lockup if not given")
    parser.add_argument("--every", type=int, default=1, help="each so many widths of the ladder")
    parser.add_argument("--largest", type=int, default=4096, help="the largest width in pixels")
    parser.add_argument("--colourway", action="append", help="blue if not given")
    parser.add_argument("--kept", type=Path, help="where to keep what was checked, and to go on from")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="begin nothing new after so long")
    asked = parser.parse_args()
    campaign = load(shipped("policies"), shipped("assets"))
    until = time.monotonic() + asked.seconds
    with tempfile.TemporaryDirectory(prefix="emblem-smallest-") as name, ThreadPoolExecutor(2) as pool:
        folder = Path(name)
        variants = Variants(
            dict(campaign.logos), campaign.brand, open_storage((folder / "s").as_uri()), folder, patience=_PATIENCE
        )
        todo = [
            VariantRequest(logo, colourway, width, AUTO)
            for logo in asked.logo or campaign.logos
            for colourway in asked.colourway or ["blue"]
            for width in islice(ladder.widths(variants.minimum(logo), asked.largest), 0, None, asked.every)
        ]
        todo.sort(key=lambda one: one.width)
        known = {(one.logo, one.colourway, one.width): one for one in _kept(asked.kept, variants.version)}
        found = [known[key] for one in todo if (key := (one.logo, one.colourway, one.width)) in known]
        left = [one for one in todo if (one.logo, one.colourway, one.width) not in known]
        checks = pool.map(lambda one: _check(variants, one) if time.monotonic() < until else None, left)
        for number, checked in enumerate(checks, 1):
            if checked is None:
                continue
            found.append(checked)
            if asked.kept:
                with asked.kept.open("a") as kept:
                    kept.write(json.dumps(asdict(checked)) + "\n")
            if number % 100 == 0:
                sys.stderr.write(f"{number} of {len(left)}\n")
        variants.close()
    print(f"{len(found)} of {len(todo)} widths checked")
    sys.exit(0 if _report(found) else 1)


def _kept(file: Path | None, version: str) -> list[Checked]:
    """What was checked before of this catalogue version."""
    if file is None or not file.exists():
        return []
    lines = [Checked(**json.loads(line)) for line in file.read_text().splitlines()]
    return [one for one in lines if one.version == version]


def _check(variants: Variants, one: VariantRequest) -> Checked:
    """Make every format at the width, and see what is chosen."""

    def sizes(width: int, coding: str) -> dict[str, int]:
        each = {
            kind: VariantRequest(one.logo, one.colourway, width, kind, False, coding * (kind == "svg"))
            for kind in FORMATS
        }
        return {kind: len(variants.get(request).bytes) for kind, request in each.items()}

    chosen, size = {}, {}
    for coding in ("", "br"):
        size = sizes(one.width, coding)
        for label, formats in NAMED.items():
            kind = variants.smallest(replace(one, coding=coding), formats).format
            chosen[f"{label}:{coding}"] = (kind, size[kind] / min(size[each] for each in formats))
    ahead = one.width in ladder.common(variants.minimum(one.logo))
    pictures = [replace(one, format=kind) for kind in RASTERS]
    estimates = zip(RASTERS, variants.estimates(pictures), strict=True)
    off = {kind: size[kind] / estimate for kind, estimate in estimates}
    return Checked(variants.version, one.logo, one.colourway, one.width, ahead, off, chosen, size)


def _report(found: Sequence[Checked]) -> bool:
    """Print the worst of each set, the choices, and how far estimates are off; whether all is within the tolerance."""
    worst = 0.0
    for label in NAMED:
        each = [
            (ratio, f"{one.logo}/{one.colourway}/{one.width} {kind}", kind)
            for one in found
            for key, (kind, ratio) in one.chosen.items()
            if key.partition(":")[0] == label
        ]
        ratio, where, _ = max(each)
        counts = ", ".join(f"{kind} {count}" for kind, count in sorted(Counter(kind for _, _, kind in each).items()))
        print(f"{label}: at most {ratio:.3f} of the smallest ({where}); {counts}")
        worst = max(worst, ratio)
    for ahead in (False, True):
        off = [ratio for one in found if one.ahead == ahead for ratio in one.off.values()] or [1.0]
        what = "made ahead" if ahead else "on demand"
        print(f"a picture {what} takes {min(off):.2f} to {max(off):.2f} of its estimate")
    return worst <= TOLERANCE


if __name__ == "__main__":
    main()
