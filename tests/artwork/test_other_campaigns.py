"""Another campaign's logos are checked without a line of code: a seal, a line drawing, a word in two inks."""

from __future__ import annotations

import numpy as np
import pytest
import pyvips

from service.artwork.inspecting import Kit, inspect
from service.campaign import Campaign

from .drawing import Pixels
from .masters import DRAWINGS, other_campaign


@pytest.fixture(scope="module")
def others(tmp_path_factory: pytest.TempPathFactory) -> Campaign:
    return other_campaign(tmp_path_factory.mktemp("campaign"))


@pytest.fixture(scope="module")
def their_kit(others: Campaign) -> Kit:
    return Kit.of(others)


def placed(drawing: str, width: int, height: int, ground: int = 255) -> Pixels:
    """A drawing of theirs on an even ground, filling these pixels."""
    size = f'width="{width}" height="{height}" preserveAspectRatio="none" '
    image = pyvips.Image.svgload_buffer(drawing.replace("<svg ", f"<svg {size}", 1).encode()).flatten(background=ground)
    canvas = np.full((460, 620, 3), ground, np.uint8)
    canvas[110 : 110 + height, 120 : 120 + width] = np.asarray(image.numpy(), np.uint8)[..., :3]
    return canvas


SIZES = {"seal": (200, 200), "line": (240, 180), "word": (352, 82)}


@pytest.mark.parametrize("name", DRAWINGS)
def test_a_logo_that_is_right_is_found_and_not_accused(their_kit: Kit, name: str) -> None:
    width, height = SIZES[name]
    (logo,) = inspect(their_kit, placed(DRAWINGS[name]["green"], width, height))
    assert (logo.logo, logo.colourway, logo.violations) == (name, "green", ())
    assert logo.delta_e < 3


@pytest.mark.parametrize("name", DRAWINGS)
def test_white_on_black_is_found_and_not_accused(their_kit: Kit, name: str) -> None:
    width, height = SIZES[name]
    (logo,) = inspect(their_kit, placed(DRAWINGS[name]["white"], width, height, 0))
    assert (logo.logo, logo.colourway, logo.violations) == (name, "white", ())


@pytest.mark.parametrize("name", DRAWINGS)
def test_what_is_stretched_is_told(their_kit: Kit, name: str) -> None:
    width, height = SIZES[name]
    (logo,) = inspect(their_kit, placed(DRAWINGS[name]["green"], round(width * 1.1), height))
    assert {finding.rule for finding in logo.violations} == {"stretched"}


def test_one_wrong_ink_of_two_is_told(their_kit: Kit) -> None:
    drawing = DRAWINGS["word"]["green"].replace("#e65100", "#6a1b9a")
    (logo,) = inspect(their_kit, placed(drawing, *SIZES["word"]))
    assert {finding.rule for finding in logo.violations} == {"recoloured"}
