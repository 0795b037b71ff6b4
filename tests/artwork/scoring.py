"""One piece of a seed made, checked and scored; a module of its own, so that other processes can import it."""

from __future__ import annotations

import dataclasses
import functools
import io
import json
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from service.artwork.inspecting import Kit, inspect
from service.artwork.judging import verdict_of
from service.campaign import Campaign, load
from service.settings import shipped

from .phones import handheld
from .photographs import photo
from .pieces import RULES, Piece, Truth, bare, flat
from .scorer import Answer, Score
from .sheets import decoy, sheet
from .snapshots import layout, snapshot


def broken(campaign: Campaign, seed: int) -> Piece:
    """A piece that breaks one rule, the next one for the next seed; the generators take turns when all had theirs."""
    make = (flat, layout, sheet)[seed // len(RULES) % 3]
    return make(campaign, seed, RULES[seed % len(RULES)])


KINDS: dict[str, Callable[[Campaign, int], Piece]] = {
    "flat": flat,
    "bare": bare,
    "photo": photo,
    "layout": layout,
    "snapshot": snapshot,
    "sheet": sheet,
    "decoy": decoy,
    "handheld": handheld,
    "broken": broken,
}
OVERLAP = dict.fromkeys(KINDS, 0.7) | {"photo": 0.5, "snapshot": 0.5, "handheld": 0.5}


@functools.cache
def _campaign() -> tuple[Campaign, Kit]:
    campaign = load(shipped("policies"), shipped("assets"))
    return campaign, Kit.of(campaign)


def scored(job: tuple[str, int, str | None]) -> tuple[Score, float, float]:
    """One piece made and checked: its score, the processor's seconds and the megapixels."""
    kind, seed, keep = job
    kit = _campaign()[1]
    piece = _made(kind, seed, keep)
    pixels = np.asarray(Image.open(io.BytesIO(piece.data)).convert("RGB"))
    started = time.process_time()
    logos = inspect(kit, pixels)
    spent = time.process_time() - started
    answers = [
        Answer(
            logo.logo, logo.box, frozenset(f.rule for f in logo.violations), frozenset(f.rule for f in logo.questions)
        )
        for logo in logos
    ]
    score = Score()
    score.add(piece, answers, verdict_of(logos), OVERLAP[kind])
    return score, spent, pixels.shape[0] * pixels.shape[1] / 1e6


def _made(kind: str, seed: int, keep: str | None) -> Piece:
    """The piece of a seed, taken from ``keep`` where an earlier run has left it there."""
    if keep is None:
        return KINDS[kind](_campaign()[0], seed)
    file, label = Path(keep) / f"{kind}-{seed}.bin", Path(keep) / f"{kind}-{seed}.json"
    if not label.is_file():
        piece = KINDS[kind](_campaign()[0], seed)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(piece.data)
        fields = dataclasses.asdict(piece)
        del fields["data"]
        label.write_text(json.dumps(fields, default=sorted), encoding="utf-8")
    fields = json.loads(label.read_text(encoding="utf-8"))
    logos = [
        Truth(**t | {"box": tuple(t["box"]), "violations": frozenset(t["violations"])}) for t in fields.pop("logos")
    ]
    return Piece(**fields, data=file.read_bytes(), logos=logos)
