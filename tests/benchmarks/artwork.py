"""The artwork check measured: what it finds and says on labelled artwork, and what it costs beside decoding alone.

    python -m tests.benchmarks.artwork figures [--first 7000] [--flat 150] [--photo 80] [--bare 40] [--layout 60]
        [--snapshot 40] [--sheet 60] [--decoy 60] [--handheld 40] [--broken 400]
    python -m tests.benchmarks.artwork cost [--sizes 1 8 40]

``figures`` makes and scores pieces of seeds that the check was not made with. ``cost`` checks one drawing and one
photograph at growing sizes, and a drawing without a logo, each in a process of its own, and prints processor time and
the process' peak memory. Starting (Python, libraries, templates) is what a deployment does once for all checks.
"""

from __future__ import annotations

import argparse
import io
import multiprocessing
import os
import resource
import time
from collections.abc import Sequence

# As in the process that checks: threads that wait for each other would be counted as work. Set before NumPy is loaded.
os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = os.environ["VIPS_CONCURRENCY"] = "1"

import cv2
import numpy as np
from PIL import Image

from service.artwork.inspecting import Kit, inspect
from service.artwork.reading import sheets
from service.campaign import load
from service.settings import shipped
from tests.artwork.photographs import photo
from tests.artwork.pieces import bare, flat
from tests.artwork.scorer import Score
from tests.artwork.scoring import KINDS, scored

_PIECES = {
    "flat": 150,
    "bare": 60,
    "photo": 80,
    "layout": 60,
    "snapshot": 40,
    "sheet": 60,
    "decoy": 60,
    "handheld": 40,
    "broken": 400,
}
_SIZES = (1, 2, 4, 8, 16, 24, 40)  # megapixels
_DRAWING, _PHOTOGRAPH, _BARE = 5, 5, 5  # seeds


def main() -> None:
    """Prints the figures or the cost."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("figures", "cost"))
    parser.add_argument("--first", type=int, default=7000)
    for kind, pieces in _PIECES.items():
        parser.add_argument(f"--{kind}", type=int, default=pieces)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--sizes", nargs="+", type=int, default=_SIZES, metavar="MEGAPIXELS")
    given = parser.parse_args()
    if given.what == "cost":
        _costs(given.sizes)
        return
    with multiprocessing.get_context("spawn").Pool(given.jobs) as pool:
        for kind in (kind for kind in KINDS if getattr(given, kind)):
            total, seconds, area = Score(), 0.0, 0.0
            jobs = [(kind, seed, None) for seed in range(given.first, given.first + getattr(given, kind))]
            for score, spent, megapixels in pool.imap_unordered(scored, jobs):
                total.merge(score)
                seconds, area = seconds + spent, area + megapixels
            print(f"{kind}:", *total.lines(), f"{seconds / max(1, total.pieces):.2f} s a piece", sep="\n  ", flush=True)


def _costs(sizes: Sequence[int]) -> None:
    print("picture       megapixels  starting s  decoding s  checking s  ms a megapixel  logos  peak MB")
    context = multiprocessing.get_context("spawn")
    for kind in ("drawing", "photograph", "no logo"):
        for size in sizes:
            # One after the other, and none inherits what another has used.
            with context.Pool(1) as pool:
                data = pool.apply(_enlarged, (kind, size))
            with context.Pool(1) as pool:
                starting, decoding, checking, logos, peak = pool.apply(_cost, (data,))
            each = 1000 * checking / size
            times = f"{starting:>11.2f} {decoding:>11.2f} {checking:>11.2f} {each:>15.0f}"
            print(f"{kind:<13} {size:>10} {times} {logos:>6} {peak:>8.0f}", flush=True)


def _enlarged(kind: str, megapixels: int) -> bytes:
    """A JPEG of so many megapixels: a drawing enlarged, or a photograph with a sensor's noise."""
    campaign = load(shipped("policies"), shipped("assets"))
    makers = {"drawing": (flat, _DRAWING), "photograph": (photo, _PHOTOGRAPH), "no logo": (bare, _BARE)}
    make, seed = makers[kind]
    piece = make(campaign, seed)
    pixels = np.asarray(Image.open(io.BytesIO(piece.data)).convert("RGB"))
    factor = (0.999 * megapixels * 1e6 / (pixels.shape[0] * pixels.shape[1])) ** 0.5
    pixels = np.asarray(cv2.resize(pixels, None, fx=factor, fy=factor, interpolation=cv2.INTER_CUBIC), np.uint8)
    if kind == "photograph":
        noise = np.random.default_rng(megapixels).normal(0, 3, pixels.shape[:2]).astype(np.int16)
        pixels = np.clip(pixels + noise[..., None], 0, 255).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=85)
    return file.getvalue()


def _cost(data: bytes) -> tuple[float, float, float, int, float]:
    """Seconds of starting, decoding and checking, the logos found, and the peak of the process' memory in MB."""
    kit = Kit.of(load(shipped("policies"), shipped("assets")))
    inspect(kit, np.full((160, 160, 3), 240, np.uint8))  # as the service does before the first file
    started = time.process_time()
    (sheet,) = sheets(data)
    decoded = time.process_time()
    logos = inspect(kit, sheet.pixels, zoom=sheet.zoom)
    checked = time.process_time()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return started, decoded - started, checked - decoded, len(logos), peak


if __name__ == "__main__":
    main()
