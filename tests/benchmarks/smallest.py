"""``python -m tests.benchmarks.smallest [--logo L]... [--every N] [--largest W]``: is what ``auto`` sends the smallest?

Makes every format at every width of the ladder, or at each ``N``-th, and holds what is chosen for each set of
formats that a browser names against the smallest of them. Prints the worst of each set, how often a format is
chosen, and by how much a picture is smaller than its probe at most; exits 1 where anything is more than 5 % too
large. The whole ladder takes an hour on two cores.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path

from service.campaign import load
from service.logos import FORMATS, VariantRequest, Variants, ladder
from service.logos.formats import AUTO
from service.logos.smallest import LEAST, LEAST_AHEAD, PROBES, TOLERANCE
from service.settings import shipped
from service.storage import open_storage

#: What browsers and proxies name with the highest weight: the table of Accept headers in tests/web.
NAMED = {
    "with JPEG XL": ("svg", "png", "webp", "avif", "jxl"),
    "with AVIF": ("svg", "png", "webp", "avif"),
    "with WebP": ("svg", "png", "webp"),
    "no drawing": ("png", "webp", "avif"),
    "no drawing, with JPEG XL": ("png", "webp", "avif", "jxl"),
    "WebP alone": ("png", "webp"),
}


def main() -> None:
    """Check, print, and exit with 1 where the tolerance is not kept."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.smallest", description=__doc__)
    parser.add_argument("--logo", action="append", help="heart and lockup if not given")
    parser.add_argument("--every", type=int, default=1, help="each so many widths of the ladder")
    parser.add_argument("--largest", type=int, default=4096, help="the largest width in pixels")
    parser.add_argument("--colourway", action="append", help="blue if not given")
    asked = parser.parse_args()
    campaign = load(shipped("policies"), shipped("assets"))
    worst: dict[str, tuple[float, str]] = {}
    chosen: Counter[tuple[str, str]] = Counter()
    least = {True: 9.9, False: 9.9}
    with tempfile.TemporaryDirectory(prefix="emblem-smallest-") as name, ThreadPoolExecutor(2) as pool:
        folder = Path(name)
        variants = Variants(dict(campaign.logos), campaign.brand, open_storage((folder / "s").as_uri()), folder)

        def sizes(one: VariantRequest, coding: str) -> dict[str, int]:
            each = {
                kind: VariantRequest(one.logo, one.colourway, one.width, kind, False, coding * (kind == "svg"))
                for kind in FORMATS
            }
            return {kind: len(variants.get(request).bytes) for kind, request in each.items()}

        def check(one: VariantRequest) -> None:
            for coding in ("", "br"):
                size = sizes(one, coding)
                for label, formats in NAMED.items():
                    wanted = VariantRequest(one.logo, one.colourway, one.width, AUTO, False, coding)
                    kind = variants.smallest(wanted, formats).format
                    chosen[label, kind] += 1
                    ratio = size[kind] / min(size[each] for each in formats)
                    worst[label] = max(worst.get(label, (0, "")), (ratio, f"{one.path} {kind} {coding}"))
            probe = max((each for each in PROBES if variants.minimum(one.logo) <= each < one.width), default=None)
            if probe is not None and one.width not in PROBES:
                before = sizes(VariantRequest(one.logo, one.colourway, probe, AUTO), "")
                ahead = one.width in common[one.logo]
                least[ahead] = min(least[ahead], *(size[kind] / before[kind] for kind in FORMATS if kind != "svg"))

        common = {logo: ladder.common(variants.minimum(logo)) for logo in campaign.logos}
        todo = [
            VariantRequest(logo, colourway, width, AUTO)
            for logo in asked.logo or campaign.logos
            for colourway in asked.colourway or ["blue"]
            for width in islice(ladder.widths(variants.minimum(logo), asked.largest), 0, None, asked.every)
        ]
        for number, _ in enumerate(pool.map(check, todo), 1):
            if number % 100 == 0:
                sys.stderr.write(f"{number} of {len(todo)}\n")
        variants.close()
    for label, (ratio, where) in worst.items():
        counts = ", ".join(f"{kind} {count}" for (of, kind), count in sorted(chosen.items()) if of == label)
        print(f"{label}: at most {ratio:.3f} of the smallest ({where}); {counts}")
    print(f"a picture takes at least {least[False]:.2f} of its probe's bytes ({LEAST} assumed),")
    print(f"made ahead at least {least[True]:.2f} ({LEAST_AHEAD} assumed)")
    sys.exit(0 if all(ratio <= TOLERANCE for ratio, _ in worst.values()) else 1)


if __name__ == "__main__":
    main()
