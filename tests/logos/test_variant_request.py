"""Plans: whatever is asked for is a plan or one problem of the contract, which says what would be right."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.campaign.brand import BrandRules
from service.logos.variant_request import VariantRequest, VariantRules, split_name
from service.problems import NotFound, Problem, UnknownFormat

if TYPE_CHECKING:
    from service.campaign import Campaign

FORMATS = ["svg", "png", "webp", "avif", "jxl", "auto"]
COLOURWAYS = ["blue", "white", "black"]
MINIMUM = {"heart": 24, "lockup": 96}
#: What of each problem the contract names.
SLUGS = {
    "unknown-logo": 404,
    "unknown-format": 404,
    "invalid-background": 422,
    "unknown-colourway": 422,
    "below-minimum-size": 422,
    "width-not-offered": 422,
    "colourway-not-allowed-on-background": 422,
}


def mostly(good: list[str], bad: list[str]) -> st.SearchStrategy[str]:
    """Good values more often, so that many requests have a single mistake or none."""
    return st.sampled_from([*good * (6 * len(bad) // len(good)), *bad])


logos = mostly(["heart", "lockup"], ["Heart", "star", ""])
colourways = mostly(COLOURWAYS, ["Blue", "red", "blue ", ""])
widths = st.one_of(st.integers(0, 600), st.integers(0, 5000), st.integers(0, 10**6))
formats = mostly(FORMATS, ["PNG", "gif", ""])
backgrounds = st.one_of(st.none(), st.none(), st.from_regex(r"[0-9a-fA-F]{6}", fullmatch=True), st.text(max_size=8))


@pytest.fixture(scope="module")
def rules(campaign: Campaign) -> VariantRules:
    return VariantRules(dict(campaign.logos), campaign.brand)


@given(logo=logos, colourway=colourways, width=widths, kind=formats, on=backgrounds, space=st.booleans())
@settings(max_examples=600)
def test_a_request_is_a_plan_within_the_rules_or_one_problem_of_the_contract(
    rules: VariantRules,
    campaign: Campaign,
    logo: str,
    colourway: str,
    width: int,
    kind: str,
    on: str | None,
    space: bool,
) -> None:
    """422 ``below-minimum-size``, ``width-not-offered`` (with ``nearest: [a, b]``),
    ``colourway-not-allowed-on-background`` (with ``use: [...]``), ``unknown-colourway``, ``invalid-background``;
    404 ``unknown-logo``, ``unknown-format``."""
    brand = campaign.brand
    wrong = [slug for slug in SLUGS if right(slug, logo, colourway, width, kind, on, brand)]
    if not wrong:
        assert rules.check(logo, colourway, width, kind, on, space) == VariantRequest(
            logo, colourway, width, kind, space
        )
        return
    with pytest.raises(Problem) as told:
        rules.check(logo, colourway, width, kind, on, space)
    assert told.value.slug in wrong
    assert told.value.status == SLUGS[told.value.slug]
    check_advice(rules, told.value, logo, on, brand)


def right(slug: str, logo: str, colourway: str, width: int, kind: str, on: str | None, brand: BrandRules) -> bool:
    """Whether this problem is there, by the contract's words and nothing of the rules's."""
    minimum = MINIMUM.get(logo, 0)
    colour = on is not None and re.fullmatch("[0-9a-fA-F]{6}", on, re.ASCII) is not None
    match slug:
        case "unknown-logo":
            return logo not in MINIMUM
        case "unknown-format":
            return kind not in FORMATS
        case "invalid-background":
            return on is not None and not colour
        case "unknown-colourway":
            return colourway not in COLOURWAYS
        case "below-minimum-size":
            return width < minimum
        case "width-not-offered":
            return width >= minimum and not (width <= 512 or (width <= 4096 and width % 16 == 0))
    return colour and colourway in COLOURWAYS and not brand.colourway_allowed(colourway, str(on))


def check_advice(rules: VariantRules, problem: Problem, logo: str, on: str | None, brand: BrandRules) -> None:
    """``nearest`` are widths that are offered, ``use`` are colourways that may stand there, ``try`` is right."""
    told = problem.extra
    assert ("nearest" in told) == (problem.slug == "width-not-offered")
    if "nearest" in told:
        below, above = told["nearest"]
        assert below < above
        for width in (below, above):
            rules.check(logo, "blue", width, "png")
    if problem.slug == "colourway-not-allowed-on-background":
        assert told["use"] == [name for name in COLOURWAYS if brand.colourway_allowed(name, str(on))]
    if problem.slug == "unknown-colourway":
        assert told["use"] == COLOURWAYS
    if "try" in told:
        path, _, query = told["try"].partition("?")
        which, colourway, file = path.split("/")
        asked = dict(part.split("=") for part in query.split("&")) if query else {}
        assert rules.check(which, colourway, *split_name(file), asked.get("on"), asked.get("space") == "1")


@pytest.mark.parametrize("logo", ["heart", "lockup"])
def test_the_clear_space_is_what_the_rules_require_and_less_than_a_pixel_more(
    rules: VariantRules, campaign: Campaign, logo: str
) -> None:
    """``?space=1`` keeps the logo's width and adds the required clear space around it: never less."""
    assert campaign.brand.logo(logo).clear_space.of == "height"
    fraction, ratio = campaign.brand.logo(logo).clear_space.fraction, campaign.logos[logo].aspect_ratio
    required = {width: fraction * width / ratio for width in range(MINIMUM[logo], 513)}
    assert any(0 < space % 1 < 0.5 for space in required.values())
    for width, space in required.items():
        assert 0 <= rules.padding(logo, width) - space < 1


def test_clear_space_of_the_width_bounds_the_pictures_with_it(campaign: Campaign) -> None:
    """A logo whose space is twice its width on each side: its largest picture fits, and a larger one would not."""
    shipped = campaign.brand.logo("heart")
    space = shipped.clear_space.model_copy(update={"fraction": 2.0, "of": "width"})
    logos = {**campaign.brand.logos, "heart": shipped.model_copy(update={"clear_space": space})}
    rules = VariantRules(dict(campaign.logos), replace(campaign.brand, logos=logos))
    assert rules.padding("heart", 100) == 200

    def fits(width: int) -> bool:
        across, down = 5 * width, round(width / campaign.logos["heart"].aspect_ratio) + 4 * width
        return max(across, down) <= 16_383 and across * down <= 36_000_000

    largest = rules.largest("heart", space=True)
    assert fits(largest)
    assert not fits(largest + 16)
    assert rules.largest("heart") == 4096


@pytest.mark.parametrize(
    ("colourway", "width", "right"),
    [
        ("blue", 10, "heart/blue/24.png?on=ffffff&space=1"),
        ("white", 10, "heart/blue/24.png?on=ffffff&space=1"),
        ("white", 64, "heart/blue/64.png?on=ffffff&space=1"),
        ("green", 521, "heart/blue/528.png?on=ffffff&space=1"),
    ],
)
def test_the_address_to_try_keeps_ground_and_space(rules: VariantRules, colourway: str, width: int, right: str) -> None:
    with pytest.raises(Problem) as told:
        rules.check("heart", colourway, width, "png", "FFFFFF", space=True)
    assert told.value.extra["try"] == right


def test_a_refused_ground_is_named_with_what_may_stand_there(rules: VariantRules) -> None:
    with pytest.raises(Problem) as told:
        rules.check("heart", "white", 64, "png", "FFFFFF")
    assert told.value.detail == "On ffffff use blue or black."


@pytest.mark.parametrize(("width", "nearest"), [(513, 512), (519, 512), (520, 528), (521, 528), (4095, 4096)])
def test_the_address_to_try_has_the_nearest_width_and_the_larger_of_two(
    rules: VariantRules, width: int, nearest: int
) -> None:
    """A picture that is a little too large can be made smaller by the page without getting blurred."""
    with pytest.raises(Problem) as told:
        rules.check("heart", "blue", width, "png")
    assert told.value.extra["try"] == f"heart/blue/{nearest}.png"


digits = st.text("0123456789+-_ .,eExX\n\t\u0663\u0966\u00b2\uff16%", max_size=8)


@given(st.one_of(digits, st.text(max_size=12)), st.one_of(st.sampled_from(FORMATS), st.text(max_size=6)))
def test_only_a_canonical_decimal_is_a_width(width: str, kind: str) -> None:
    """``width`` in pixels, canonical decimal; 404 ``unknown-format``, and for a width that is no canonical decimal."""
    file = f"{width}.{kind}"
    given_width, _, given_format = file.partition(".")
    if given_format not in FORMATS:
        with pytest.raises(UnknownFormat):
            split_name(file)
    elif given_width.isascii() and given_width.isdecimal() and str(int(given_width)) == given_width:
        assert split_name(file)[1] == given_format
    else:
        with pytest.raises(NotFound):
            split_name(file)


@given(st.integers(0, 10**40), st.sampled_from(FORMATS))
def test_a_width_of_any_length_is_read_in_no_time(width: int, kind: str) -> None:
    assert split_name(f"{width}.{kind}") == (min(width, 10**6), kind)


def test_a_width_of_ten_thousand_digits_is_no_number_to_compute_with() -> None:
    """Python refuses to read a number of more than 4300 digits, which must not end as an error of ours."""
    assert split_name(f"{'9' * 10_000}.png") == (10**6, "png")
