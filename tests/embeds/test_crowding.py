"""What of an embed and hour is named, and what is summed as ``other``."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from service.embeds.crowding import MOST_NAMED, OFTEN, ORIGINS, OTHER, PAIRS, Crowd, named_by_views

SITE = "https://partner.example"


def test_a_site_that_is_listed_meanwhile_is_named_though_the_hour_is_full() -> None:
    crowd = Crowd(())
    for number in range(ORIGINS - 1):
        crowd.admit("blue/64.png", f"https://s{number}.example")
    crowd.list_anew([SITE])
    assert crowd.admit_origin("https://late.example") == OTHER
    assert crowd.admit_origin(SITE) == SITE


def test_beyond_the_pairs_a_site_keeps_its_name_and_a_view_its_site() -> None:
    crowd = Crowd([SITE])
    for width in range(100, 100 + PAIRS):
        assert crowd.admit(f"blue/{width}.png", "")[0] != OTHER
    assert crowd.admit("blue/900.png", SITE) == (OTHER, SITE)
    assert crowd.admit("blue/100.png", "") == ("blue/100.png", "")


def test_of_too_many_sites_those_with_most_views_are_named() -> None:
    views = {("v", f"https://s{number}.example"): 1 + number for number in range(ORIGINS + 50)}
    named = named_by_views((), (), views)
    assert {site for _, site in named} - {OTHER} == {f"https://s{number}.example" for number in range(50, ORIGINS + 50)}
    assert named["v", OTHER] == sum(1 + number for number in range(50))


def test_views_without_a_site_take_no_name() -> None:
    crowd = Crowd((), {("v", ""), ("v", OTHER)})
    assert all(crowd.admit_origin(f"https://s{number}.example") != OTHER for number in range(ORIGINS))
    assert crowd.admit_origin("https://late.example") == OTHER


uses = st.dictionaries(
    st.tuples(
        st.integers(0, 40).map("v{}".format), st.integers(0, 300).map("https://s{}.example".format) | st.just("")
    ),
    st.integers(1, 9),
    max_size=900,
)


@given(earlier=uses, later=uses)
def test_names_are_bounded_over_all_that_is_entered_and_no_view_is_lost(
    earlier: dict[tuple[str, str], int], later: dict[tuple[str, str], int]
) -> None:
    first = named_by_views([SITE], (), earlier)
    second = named_by_views([SITE], set(first), later)
    named = set(first) | set(second)
    assert len({origin for _, origin in named} - {"", OTHER}) <= ORIGINS
    assert len({use for use in named if use[0] != OTHER}) <= PAIRS
    assert sum(first.values()) == sum(earlier.values())
    assert sum(second.values()) == sum(later.values())


def test_a_site_that_comes_often_is_named_however_many_came_before_it() -> None:
    """Whoever forges sites at the beginning of an hour hides nobody who is seen later."""
    crowd = Crowd([SITE], watching=True)
    for number in range(700):
        crowd.admit("blue/64.png", f"https://forged{number}.example")
    named = [crowd.admit_origin("https://rogue.example") for _ in range(OFTEN + 5)]
    assert named == [OTHER] * (OFTEN - 1) + ["https://rogue.example"] * 6
    assert crowd.admit_origin(SITE) == SITE
    for number in range(5000):  # what is watched is bounded, and so is what is named
        crowd.admit_origin(f"https://late{number}.example")
    assert [crowd.admit_origin("https://second.example") for _ in range(OFTEN)][-1] == "https://second.example"
    for number in range(3 * MOST_NAMED):
        for _ in range(OFTEN):
            crowd.admit_origin(f"https://often{number}.example")
    assert len(crowd._origins) <= MOST_NAMED + 1
