"""``auto``: the smallest of the welcome formats, the same at any time, and never more than 5 % too large."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.logos import FORMATS, VariantRequest
from service.logos.formats import AUTO
from service.logos.smallest import BEHIND, LEAST, LEAST_AHEAD, PROBES, TOLERANCE, SmallestFormat

from .conftest import Made, renders

if TYPE_CHECKING:
    from service.campaign import Campaign
    from service.logos import Variants

ALL = tuple(FORMATS)
SETS = [ALL, ("png", "webp"), ("png", "webp", "avif"), ("webp", "avif", "jxl"), ("svg", "png"), ("svg", "jxl")]


def sample() -> list[tuple[str, str, int, bool]]:
    """Some pictures, other ones where the logos change: each about the size that pages ask for."""
    pick = random.Random(5)
    return [
        (logo, pick.choice(["blue", "white", "black"]), pick.randint(least, most), pick.random() < 0.25)
        for logo, smallest in (("heart", 24), ("lockup", 96))
        for least, most in ((smallest, smallest + 30), (100, 199), (200, 330))
    ]


@pytest.mark.parametrize("coding", ["", "br"])
@pytest.mark.parametrize(("logo", "colourway", "width", "space"), sample())
def test_what_is_chosen_is_the_smallest(
    variants: Variants, logo: str, colourway: str, width: int, space: bool, coding: str
) -> None:
    """Among equals the smallest at this width as it is sent, and never more than 5 % larger than the smallest."""
    wanted = VariantRequest(logo, colourway, width, AUTO, space, coding)
    each = {name: VariantRequest(logo, colourway, width, name, space, coding * (name == "svg")) for name in FORMATS}
    size = {name: len(variants.get(one).bytes) for name, one in each.items()}
    for formats in SETS:
        chosen = variants.smallest(wanted, formats)
        assert chosen == each[chosen.format]
        assert size[chosen.format] <= TOLERANCE * min(size[name] for name in formats), formats


def test_every_process_chooses_the_same_in_whatever_order_it_is_asked(new_variants: Made) -> None:
    """Settled once for each logo, colourway and width of a catalogue version, so the answer never changes."""
    asked = [(VariantRequest("lockup", "blue", width, AUTO), formats) for width in (96, 128, 150) for formats in SETS]
    first, second = new_variants(), new_variants(machine="other")
    for _ in range(2):
        there = [first.smallest(*one) for one in asked]
        here = [second.smallest(*one) for one in reversed(asked)]
        assert there == here[::-1]


def test_who_names_one_format_waits_for_no_other(variants: Variants, monkeypatch: pytest.MonkeyPatch) -> None:
    rendered = renders(variants, monkeypatch)
    wanted = VariantRequest("heart", "blue", 300, AUTO)
    assert variants.smallest(wanted, ("avif",)) == VariantRequest("heart", "blue", 300, "avif")
    assert rendered == []


def test_where_the_drawing_is_far_smaller_no_picture_of_that_width_is_made(
    variants: Variants, monkeypatch: pytest.MonkeyPatch
) -> None:
    rendered = renders(variants, monkeypatch)
    chosen = variants.smallest(VariantRequest("heart", "blue", 1600, AUTO, coding="br"), ALL)
    assert chosen == VariantRequest("heart", "blue", 1600, "svg", coding="br")
    assert {wanted.width for wanted in rendered if wanted.format != "svg"} == {800}
    rendered.clear()
    variants.smallest(VariantRequest("heart", "blue", 1616, AUTO, coding="br"), ALL)
    assert [wanted.format for wanted in rendered] == ["svg"], "the probe is known"


sizes = st.fixed_dictionaries({name: st.integers(20, 5000) for name in ALL})


@given(at_probe=sizes, factor=st.lists(st.floats(LEAST, 4), min_size=5, max_size=5), width=st.integers(24, 512))
def test_within_the_bounds_the_probe_never_misleads(
    campaign: Campaign, at_probe: dict[str, int], factor: list[float], width: int
) -> None:
    """If pictures keep to the bounds, what is chosen is right whatever their sizes are."""
    probe = max((one for one in PROBES if 24 <= one < width), default=0)
    steady = 1.2  # how far the formats' growth may differ before the bound between two of them is broken
    at_width = {
        name: max(1, round(at_probe[name] * factor[0] * (1 + (steady - 1) * (grown - LEAST) / (4 - LEAST))))
        for name, grown in zip(ALL, factor, strict=True)
    }
    assert steady * TOLERANCE < BEHIND
    assert LEAST_AHEAD < LEAST

    def told(wanted: Sequence[VariantRequest]) -> list[int]:
        return [(at_probe if one.width == probe and one.width != width else at_width)[one.format] for one in wanted]

    chosen = SmallestFormat(told, lambda _: 24).choose(VariantRequest("heart", "blue", width, AUTO), ALL)
    assert at_width[chosen.format] <= TOLERANCE * min(at_width.values()) + 1
