"""Colours in photographs: what light explains is the same colour, and what it does not is another."""

from __future__ import annotations

import numpy as np
import pytest

from service.artwork.lighting import lit_difference

from .drawing import BLACK, BLUE, WHITE, rgb

PAPER = np.array([[198.0, 196, 192], [210, 208, 204]])
DARK = np.array([[22.0, 24, 28], [16, 18, 20]])


@pytest.mark.parametrize(
    ("seen", "colour", "grounds"),
    [
        ((9, 74, 140), BLUE, PAPER),  # in dim light
        ((34, 98, 160), BLUE, PAPER),  # through haze
        ((10, 72, 128), BLUE, PAPER),  # in warm light
        ((172, 170, 168), WHITE, DARK),  # in the shade
        ((30, 29, 31), BLACK, PAPER),  # with reflections
    ],
)
def test_what_light_explains_is_the_same_colour(
    seen: tuple[int, int, int], colour: str, grounds: np.ndarray[tuple[int, int], np.dtype[np.float64]]
) -> None:
    assert lit_difference(np.array(seen, np.float64), rgb(colour).astype(np.float64), grounds) < 6


@pytest.mark.parametrize("seen", [(110, 40, 150), (20, 120, 60), (10, 130, 150), (118, 116, 115), (150, 60, 20)])
def test_what_no_light_explains_is_another_colour(seen: tuple[int, int, int]) -> None:
    own = [rgb(colour).astype(np.float64) for colour in (BLUE, WHITE, BLACK)]
    assert min(lit_difference(np.array(seen, np.float64), one, PAPER) for one in own) > 8.5
