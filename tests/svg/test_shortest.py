"""Path data in few characters draws what the long one draws, in numbers and in pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import brotli
import numpy
import pytest
import pyvips
from hypothesis import given
from hypothesis import strategies as st

from service.svg import path
from service.svg.path import Segment
from service.svg.shortest import shortest

if TYPE_CHECKING:
    from service.campaign import Campaign

Step = tuple[str, tuple[float, ...]]
_ARGUMENTS = {"M": 2, "L": 2, "H": 1, "V": 1, "C": 6, "S": 4, "Q": 4, "T": 2, "A": 7}


def drawn(segments: list[Segment]) -> list[Step]:
    """What a path draws, by SVG 2's chapter 9 and nothing of ours: absolute lines, curves and arcs, one by one."""
    found: list[Step] = []
    x = y = left = top = 0.0
    last: Step = ("", ())
    for letter, values in segments:
        kind = letter.upper()
        if kind == "Z":
            x, y, last = left, top, ("Z", ())
            found.append(last)
            continue
        for start in range(0, len(values), _ARGUMENTS[kind]):
            given = values[start : start + _ARGUMENTS[kind]]
            dx, dy = (x, y) if letter.islower() else (0.0, 0.0)
            name = "L" if kind == "M" and start else kind
            if name == "H":
                step: Step = ("L", (given[0] + dx, y))
            elif name == "V":
                step = ("L", (x, given[0] + dy))
            elif name == "A":
                step = ("A", (*given[:5], given[5] + dx, given[6] + dy))
            else:
                points = tuple(value + (dy if index % 2 else dx) for index, value in enumerate(given))
                step = (name, points)
                if name in "ST":
                    curve = "C" if name == "S" else "Q"
                    mirrored = (x, y)
                    if last[0] == curve:
                        mirrored = (2 * x - last[1][-4], 2 * y - last[1][-3])
                    step = (curve, (*mirrored, *points))
            x, y = step[1][-2:]
            if name == "M":
                left, top = x, y
            found.append(step)
            last = step
    return found


coordinates = st.one_of(
    st.integers(-2000, 2000).map(float),
    st.decimals(-300, 300, places=3).map(float),
    st.floats(-30, 30),
    st.sampled_from([0.0, 0.5, -0.5, 1e-9, 12.0]),
)


def segment(letter: str) -> st.SearchStrategy[Segment]:
    size = _ARGUMENTS[letter.upper()]
    if size == 7:
        flag = st.sampled_from([0.0, 1.0])
        arc = st.tuples(
            st.floats(0, 90), st.floats(0, 90), st.integers(0, 360).map(float), flag, flag, coordinates, coordinates
        )
        return arc.map(lambda values: (letter, list(values)))
    return st.lists(coordinates, min_size=size, max_size=size * 3).map(
        lambda values: (letter, values[: len(values) // size * size])
    )


rest = st.one_of(*(segment(letter) for letter in "MmLlHhVvCcSsQqTtAa"), st.sampled_from([("Z", []), ("z", [])]))
paths = st.tuples(segment("M"), st.lists(rest, max_size=12)).map(lambda both: [both[0], *both[1]])


@given(paths)
def test_it_draws_the_same(segments: list[Segment]) -> None:
    short = shortest(segments)
    assert len(short) <= len(path.written(segments))
    before = drawn(segments)
    after = drawn(path.parse(short))
    largest = max((abs(value) for letter, values in segments if letter not in "aA" for value in values), default=1.0)
    # Half a step of the grid, or seven digits of a number where the plain form is shorter; mirrored twice as much.
    tolerance = max(1.0, largest) * 1e-6 * 4 * (1 + len(before))
    assert [kind for kind, _ in before if kind != "Z"] == [kind for kind, _ in after if kind != "Z"]
    pairs = zip([one for one in before if one[0] != "Z"], [one for one in after if one[0] != "Z"], strict=True)
    for (_, expected), (_, found) in pairs:
        assert found == pytest.approx(expected, abs=tolerance, rel=1e-6)


@pytest.mark.parametrize(
    ("data", "short"),
    [
        ("M10 10L20 10L20 20L10 20Z", "m10 10h10v10H10z"),
        ("M 0,0 C 10,0 20,10 20,20 C 20,30 10,40 0,40", "m0 0c10 0 20 10 20 20S10 40 0 40"),
        ("M1000.5 1000.5L1000.5 1001L1001 1001.5", "m1000.5 1000.5v.5l.5.5"),
        ("m5 5 1 1zm9 9l-1-1", "m5 5 1 1zm9 9-1-1"),
        ("M0 0Q5 5 10 0Q15 -5 20 0", "m0 0q5 5 10 0t10 0"),
        ("M1 1A5 5 0 0 1 11 1", "m1 1a5 5 0 0 1 10 0"),
    ],
)
def test_what_is_shorter_is_written(data: str, short: str) -> None:
    assert shortest(path.parse(data)) == short


def pixels(svg: bytes) -> numpy.ndarray[tuple[int, ...], numpy.dtype[numpy.int64]]:
    return numpy.asarray(pyvips.Image.svgload_buffer(svg).numpy(), dtype=numpy.int64)


@pytest.mark.parametrize("width", [24, 96, 256, 512, 1024])
def test_the_shipped_logos_look_the_same_at_five_sizes(campaign: Campaign, width: int) -> None:
    """No channel of a pixel differs by more than 2 of 255."""
    for logo in campaign.logos.values():
        drawing = logo.drawing("blue")
        height = drawing.height(width)
        short, plain = drawing.document(width, height), drawing.document(width, height, fill=True)
        assert len(short) < len(plain)
        assert numpy.abs(pixels(short) - pixels(plain.replace(b' preserveAspectRatio="none"', b""))).max() <= 2


def test_a_word_mark_takes_three_quarters_of_what_it_took(campaign: Campaign) -> None:
    """3,811 bytes, and 1,441 with brotli, before; an ordinary minifier makes 2,636 and 1,137 of it."""
    drawing = campaign.logos["lockup"].drawing("blue")
    document = drawing.document(256, drawing.height(256))
    assert len(document) < 2_700
    assert len(brotli.compress(document)) < 1_150
