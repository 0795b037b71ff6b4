"""What must not matter does not: place, whole scale, encoding, and asking twice."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from service.artwork.inspecting import Kit, inspect
from service.artwork.report import LogoReport
from service.campaign import Campaign

from .drawing import BLACK, BLUE, Pixels, drawn, heart, pixels
from .photographs import photo
from .pieces import Piece, bare, flat

CASES = {
    "right": (BLUE, 1.0, 0.0),
    "stretched": (BLUE, 1.1, 0.0),
    "rotated": (BLACK, 1.0, 8.0),
    "recoloured": ("c62828", 1.0, 0.0),
}


def rules(found: tuple[LogoReport, ...]) -> list[set[str]]:
    return [{finding.rule for finding in logo.violations} for logo in found]


def made(campaign: Campaign, name: str, x: float = 220, y: float = 150, width: float = 120) -> Pixels:
    ink, stretch, degrees = CASES[name]
    return pixels(drawn(campaign, heart(width, x, y, stretch=stretch, degrees=degrees), ink=ink, size=(440, 300)))


def expected(name: str) -> list[set[str]]:
    return [set() if name == "right" else {name}]


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True)
@given(st.sampled_from(sorted(CASES)), st.floats(-90, 90), st.floats(-40, 40))
def test_where_it_stands_changes_no_verdict(campaign: Campaign, kit: Kit, name: str, x: float, y: float) -> None:
    assert rules(inspect(kit, made(campaign, name, 220 + x, 150 + y))) == expected(name)


@pytest.mark.parametrize("name", CASES)
def test_a_whole_scale_changes_no_verdict(campaign: Campaign, kit: Kit, name: str) -> None:
    small = made(campaign, name)
    large = np.repeat(np.repeat(small, 3, axis=0), 3, axis=1)
    assert rules(inspect(kit, large)) == rules(inspect(kit, small)) == expected(name)


@pytest.mark.parametrize(("kind", "quality"), [("JPEG", 60), ("WEBP", 70), ("AVIF", 60)])
@pytest.mark.parametrize("name", CASES)
def test_encoding_changes_no_verdict(campaign: Campaign, kit: Kit, name: str, kind: str, quality: int) -> None:
    file = io.BytesIO()
    Image.fromarray(made(campaign, name)).save(file, kind, quality=quality)
    assert rules(inspect(kit, np.asarray(Image.open(file).convert("RGB")))) == expected(name)


def test_the_same_picture_twice_gives_the_same_answer(campaign: Campaign, kit: Kit) -> None:
    picture = np.asarray(Image.open(io.BytesIO(flat(campaign, 3).data)).convert("RGB"))
    assert inspect(kit, picture) == inspect(kit, picture)


@pytest.mark.parametrize("make", [flat, bare, photo])
def test_a_piece_is_a_function_of_its_seed(campaign: Campaign, make: Callable[[Campaign, int], Piece]) -> None:
    one, two, other = make(campaign, 8), make(campaign, 8), make(campaign, 9)
    assert one.data == two.data
    assert one.logos == two.logos
    assert other.data != one.data
