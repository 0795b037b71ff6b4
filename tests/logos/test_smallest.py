"""``auto``: the smallest of the welcome formats, the same at any time, and never more than 5 % too large."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.logos import FORMATS, RASTERS, VariantRequest
from service.logos.formats import AUTO
from service.logos.smallest import BEHIND, PROBES, TOLERANCE, SmallestFormat
from service.storage import open_storage

from .conftest import Made, renders

if TYPE_CHECKING:
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
    assert {wanted.width for wanted in rendered if wanted.format != "svg"} == {560, 800}
    rendered.clear()
    variants.smallest(VariantRequest("heart", "blue", 1616, AUTO, coding="br"), ALL)
    assert [wanted.format for wanted in rendered] == ["svg"], "the probes are known"


def test_the_table_of_sizes_is_written_once_and_says_what_the_probes_say(
    new_variants: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Settled once for each logo, colourway and width of a catalogue version."""
    monkeypatch.setattr("service.logos.smallest.PROBES", (100, 140))
    storage = open_storage((tmp_path / "shared").as_uri())
    asked = [(VariantRequest("heart", "white", width, AUTO), formats) for width in (104, 120, 139) for formats in SETS]
    before = new_variants(storage)
    chosen = [before.smallest(*one) for one in asked]
    told: list[tuple[int, int]] = []
    assert before.settle(lambda *done: told.append(done))
    assert told[-1] == (len(told), 2 * 2 * 3 * len(RASTERS))
    assert not before.settle()
    after = new_variants(storage, machine="other")
    assert not after.settle()
    for key in [one.key for one in storage.list("variants/") if not one.key.endswith(".json")]:
        storage.delete(key)
    rendered = renders(after, monkeypatch)
    assert [after.smallest(*one) for one in asked] == chosen
    assert {one.width for one in rendered} <= {104, 120, 139}, "the probes are known from the table"


def test_a_damaged_table_is_written_anew(new_variants: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.logos.smallest.PROBES", (50, 70))
    storage = open_storage((tmp_path / "shared").as_uri())
    assert new_variants(storage).settle()
    (key,) = (one.key for one in storage.list("variants/") if one.key.endswith(".json"))
    whole = storage.read(key)
    for damaged in (b"", whole[:-1], b" " + whole):
        storage.replace(key, damaged)
        variants = new_variants(storage)
        assert variants.smallest(VariantRequest("heart", "blue", 60, AUTO), ("png", "webp")).format == "webp"
        assert variants.settle()
        assert storage.read(key) == whole


def test_a_table_that_was_stopped_is_not_written(new_variants: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.logos.smallest.PROBES", (50,))
    variants = new_variants()
    assert not variants.settle(stop=lambda: True)
    assert variants.settle()


def square(wanted: VariantRequest) -> tuple[int, int]:
    return wanted.width, wanted.width


@pytest.mark.parametrize("width", [990, 1008, 4096])
def test_what_small_pictures_take_says_little_of_large_ones(width: int) -> None:
    """From a million pixels on JPEG XL is made with less effort, and takes many times the bytes."""

    def told(wanted: Sequence[VariantRequest]) -> list[int]:
        factor = {"png": 12, "webp": 8, "avif": 6, "jxl": 5}
        return [
            one.width * factor[one.format] * (5 if one.format == "jxl" and one.width > 1000 else 1) for one in wanted
        ]

    smallest = SmallestFormat(told, lambda _: 24, lambda _: 4096, square)
    chosen = smallest.choose(VariantRequest("heart", "blue", width, AUTO), ("png", "webp", "avif", "jxl"))
    assert chosen.format == ("jxl" if width < 1000 else "avif")
    chosen = smallest.choose(VariantRequest("heart", "blue", width, AUTO), ("png", "jxl"))
    assert chosen.format == ("jxl" if width < 1000 else "png")


sizes = st.fixed_dictionaries({name: st.integers(100, 5000) for name in ALL})
_OFF = 0.09  # how far a picture's bytes may be from their estimate: two of them in opposite directions
assert (1 + _OFF) / (1 - _OFF) < BEHIND * TOLERANCE


@given(
    low=sizes,
    growth=st.fixed_dictionaries({name: st.floats(1, 3) for name in ALL}),
    off=st.fixed_dictionaries({name: st.floats(-_OFF, _OFF) for name in ALL}),
    width=st.integers(24, 512),
)
def test_near_their_estimates_the_probes_never_mislead(
    low: dict[str, int], growth: dict[str, float], off: dict[str, float], width: int
) -> None:
    """If pictures take about what the probes say, what is chosen is right whatever their sizes are."""
    at_width: dict[str, int] = {}

    def told(wanted: Sequence[VariantRequest]) -> list[int]:
        found = []
        for one in wanted:
            size = low[one.format] * (one.width / 25) ** (growth[one.format] - 1)
            if one.width not in PROBES and one.format != "svg":
                size *= 1 + off[one.format]
            at_width[one.format] = round(1000 * size)
            found.append(at_width[one.format])
        return found

    chosen = SmallestFormat(told, lambda _: 24, lambda _: 4096, square).choose(
        VariantRequest("heart", "blue", width, AUTO, True), ALL
    )
    told([replace(chosen, format=name) for name in ALL])
    assert at_width[chosen.format] <= TOLERANCE * min(at_width.values()) + 1
