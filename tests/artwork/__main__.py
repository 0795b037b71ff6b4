"""Generates labelled artwork by seeds and scores the check on it: ``python -m tests.artwork flat 1000:1100``.

Kinds are ``flat``, ``bare`` (no logo) and ``photo``, of the second generator ``layout`` and ``snapshot``, of the third
``sheet``, ``decoy`` (no logo) and ``handheld``, and of all ``broken``, which breaks one rule after the other.
``--keep DIR`` writes the pieces as files, with their labels.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os

# As in the process that checks: threads that wait for each other would be counted as work. Set before NumPy is loaded.
os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = "1"

from .scorer import Score
from .scoring import KINDS, scored


def main() -> None:
    """Scores a range of seeds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("seeds", help="FIRST:LAST, the last one excluded")
    parser.add_argument("--jobs", type=int, default=max(1, (os.cpu_count() or 2) // 2))
    parser.add_argument("--keep", metavar="DIR")
    parser.add_argument("--notes", action="store_true", help="say what went wrong, piece by piece")
    given = parser.parse_args()
    first, last = (int(part) for part in given.seeds.split(":"))
    total, seconds, area = Score(), 0.0, 0.0
    with multiprocessing.get_context("spawn").Pool(given.jobs) as pool:
        for score, spent, megapixels in pool.imap(
            scored, [(given.kind, seed, given.keep) for seed in range(first, last)]
        ):
            total.merge(score)
            seconds, area = seconds + spent, area + megapixels
            if given.notes:
                print(*score.notes, sep="\n", end="\n" if score.notes else "", flush=True)
    print(*total.lines(), sep="\n")
    print(f"{1000 * seconds / area:.0f} ms of processor time a megapixel, {seconds / total.pieces:.2f} s a piece")


if __name__ == "__main__":
    main()
