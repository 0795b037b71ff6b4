"""The brand rules, and how colours are measured."""

from __future__ import annotations

import itertools
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.answers.catalogue import RulesAnswer
from service.campaign import Campaign, colour
from service.campaign.brand import ArtworkRule

colours = st.integers(0, 0xFFFFFF).map(lambda value: f"{value:06x}")


def test_contrast_is_that_of_wcag() -> None:
    assert colour.contrast("000000", "ffffff") == pytest.approx(21)
    assert colour.contrast("777777", "ffffff") == pytest.approx(4.48, abs=0.005)
    assert colour.contrast("0b5cad", "0b5cad") == 1


@pytest.mark.parametrize(
    ("value", "lightness", "chroma"),
    [("ffffff", 100, 0), ("000000", 0, 0), ("808080", 53.59, 0), ("ff0000", 53.24, 104.55), ("0000ff", 32.30, 133.81)],
)
def test_lightness_and_chroma_are_those_of_cie_lab(value: str, lightness: float, chroma: float) -> None:
    assert colour.lightness_and_chroma(value) == pytest.approx((lightness, chroma), abs=0.05)


@given(one=colours, other=colours)
def test_contrast_is_symmetric_and_bounded(one: str, other: str) -> None:
    assert colour.contrast(one, other) == colour.contrast(other, one)
    assert 1 <= colour.contrast(one, other) <= 21.0001


@pytest.mark.parametrize(
    ("background", "allowed"),
    [
        ("ffffff", ("blue", "black")),
        ("FFFFFF", ("blue", "black")),
        ("f4f6f8", ("blue", "black")),
        ("ffee00", ("black",)),
        ("dde6ff", ("black",)),
        ("999999", ("black",)),
        ("808080", ("white", "black")),
        ("0b5cad", ("white",)),
        ("7a0019", ("white",)),
        ("000000", ("white",)),
    ],
)
def test_colourways_by_background(campaign: Campaign, background: str, allowed: tuple[str, ...]) -> None:
    for logo in campaign.logos:
        assert campaign.brand.allowed_on(logo, background) == allowed


def test_every_background_allows_a_colourway_and_none_is_hard_to_see(campaign: Campaign) -> None:
    steps = [f"{value:02x}" for value in range(0, 256, 15)]
    for background in map("".join, itertools.product(steps, repeat=3)):
        allowed = campaign.brand.allowed_on("heart", background)
        assert allowed, background
        for name in allowed:
            assert colour.contrast(campaign.brand.colourways[name].hex, background) >= 3


@pytest.mark.parametrize("background", ["", "fff", "#ffffff", "gggggg", "ffffff ", "ffffff\n", "\u0660" * 6, "white"])
def test_what_is_no_background(campaign: Campaign, background: str) -> None:
    with pytest.raises(ValueError, match="no colour"):
        campaign.brand.allowed_on("heart", background)


def test_an_unknown_logo_has_no_rules(campaign: Campaign) -> None:
    with pytest.raises(KeyError):
        campaign.brand.allowed_on("star", "ffffff")


def test_every_artwork_rule_is_explained(campaign: Campaign) -> None:
    for rule in get_args(ArtworkRule):
        change = campaign.brand.change(rule)
        assert change.title.get("fr") != change.title.get("en")
    with pytest.raises(KeyError):
        campaign.brand.change("ugly")


def test_sizes_and_clear_space(campaign: Campaign) -> None:
    heart, lockup = campaign.brand.logo("heart"), campaign.brand.logo("lockup")
    assert (heart.minimum.px, lockup.minimum.px) == (24, 96)
    assert heart.clear_space.around(110, 100) == 25
    assert lockup.clear_space.around(260, 100) == 25


def test_the_masters_are_drawn_in_the_colours_of_the_rules(campaign: Campaign) -> None:
    for logo in campaign.logos.values():
        for name, master in logo.masters.items():
            assert f"#{campaign.brand.colourways[name].hex}" in master.root


def test_the_interface_gives_the_rules_in_the_language_asked_for(campaign: Campaign) -> None:
    value = RulesAnswer.of(campaign.brand, "lockup", "fr").as_json()
    assert value["minimum_width"] == {"px": 96, "mm": 25}
    assert [colourway["id"] for colourway in value["colourways"]] == ["blue", "white", "black"]
    assert [change["rule"] for change in value["forbidden"]] == list(get_args(ArtworkRule))
    assert value["colourways"][0]["label"] == "Bleu"
