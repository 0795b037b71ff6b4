"""The ladder: what is offered, what is nearest to what is not, and where it ends for very tall logos."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from service.logos import ladder

minimums = st.integers(1, 512)
widths = st.integers(-10, 5000)


@given(widths, minimums)
def test_the_ladder_is_what_the_contract_says(width: int, minimum: int) -> None:
    """Any whole number from the logo's minimum to 512, and multiples of 16 up to 4096."""
    offered = minimum <= width <= 512 or (512 < width <= 4096 and width % 16 == 0)
    assert ladder.offered(width, minimum) == offered
    assert (width in ladder.widths(minimum)) == offered


@given(st.integers(-(10**9), 10**9), minimums)
def test_nearest_are_two_offered_widths_with_none_between_them_and_the_one_asked_for(width: int, minimum: int) -> None:
    """``width-not-offered`` (with ``nearest: [a, b]``)."""
    if ladder.offered(width, minimum):
        return
    below, above = ladder.nearest(width, minimum)
    offered = ladder.widths(minimum)
    place = offered.index(below)
    assert offered[place + 1] == above
    assert below < width < above or width < minimum == below or above == 4096 < width


def test_nearest_to_what_is_too_large_are_the_two_largest_also_where_every_width_is_offered() -> None:
    assert ladder.nearest(400, 24, 300) == (299, 300)
    assert ladder.nearest(9000, 24, 512) == (511, 512)
    assert ladder.nearest(9000, 24, 528) == (512, 528)


@given(minimums)
def test_what_is_common_is_offered_and_begins_at_the_minimum(minimum: int) -> None:
    common = ladder.common(minimum)
    assert common[0] == minimum
    assert set(common) <= set(ladder.widths(minimum))


@given(minimums, st.floats(1 / 20, 20), st.floats(0, 2))
def test_every_picture_of_the_ladder_is_within_the_limits(minimum: int, ratio: float, space: float) -> None:
    """A pixel limit per render; multiples of 16 up to 4096 wherever the limit allows."""

    def size(width: int) -> tuple[int, int]:
        around = 2 * round(space * width)
        return width + around, round(width / ratio) + around

    def fits(width: int) -> bool:
        across, down = size(width)
        return across <= 16_383 and down <= 16_383 and across * down <= 36_000_000

    largest = ladder.largest(minimum, size)
    assert largest == minimum or fits(largest)
    offered = ladder.widths(minimum)
    assert largest == 4096 or not fits(offered[offered.index(largest) + 1])
    assert ladder.widths(minimum, largest) == [width for width in offered if width <= largest]
