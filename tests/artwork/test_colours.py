"""CIEDE2000 against pairs that are published for testing implementations (Sharma, Wu and Dalal 2005, table 1)."""

from __future__ import annotations

import numpy as np
import pytest

from service.artwork import colours

PAIRS = [
    ((50.0, 2.6772, -79.7751), (50.0, 0.0, -82.7485), 2.0425),
    ((50.0, 0.0, 0.0), (50.0, -1.0, 2.0), 2.3669),
    ((50.0, 2.49, -0.001), (50.0, -2.49, 0.0011), 7.2195),
    ((50.0, 2.5, 0.0), (73.0, 25.0, -18.0), 27.1492),
    ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
    ((22.7233, 20.0904, -46.694), (23.0331, 14.973, -42.5619), 2.0373),
    ((2.0776, 0.0795, -1.135), (0.9033, -0.0636, -0.5514), 0.9082),
]


@pytest.mark.parametrize(("one", "other", "expected"), PAIRS)
def test_ciede2000(one: tuple[float, ...], other: tuple[float, ...], expected: float) -> None:
    assert float(colours.ciede2000(np.array(one), np.array(other))) == pytest.approx(expected, abs=1e-4)
    assert float(colours.ciede2000(np.array(other), np.array(one))) == pytest.approx(expected, abs=1e-4)


def test_contrast_of_black_and_white() -> None:
    assert float(colours.contrast([0, 0, 0], [255, 255, 255])) == pytest.approx(21)


def test_lightness_of_white() -> None:
    assert colours.lab([255, 255, 255]) == pytest.approx([100, 0, 0], abs=0.01)
