"""Pieces of the second and third generators are labelled as they were drawn, and judged as a person judges them."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from service.artwork.judging import verdict_of
from service.campaign import Campaign

from .conftest import Inspect
from .phones import handheld
from .pieces import Piece
from .scorer import overlap_of
from .sheets import decoy, sheet
from .snapshots import layout, snapshot

Make = Callable[[Campaign, int], Piece]


@pytest.mark.parametrize(("make", "seed"), [(layout, 39), (snapshot, 8), (sheet, 0), (handheld, 1)])
def test_a_piece_is_found_and_judged(campaign: Campaign, look: Inspect, make: Make, seed: int) -> None:
    piece = make(campaign, seed)
    (truth,) = piece.logos
    logos = look(np.asarray(Image.open(io.BytesIO(piece.data)).convert("RGB")))
    assert max(overlap_of(logo.box, truth.box) for logo in logos) > 0.9
    assert verdict_of(logos) == piece.verdict


def test_a_sheet_full_of_other_hearts_has_no_logo(campaign: Campaign, look: Inspect) -> None:
    piece = decoy(campaign, 14)
    assert look(np.asarray(Image.open(io.BytesIO(piece.data)).convert("RGB"))) == ()
