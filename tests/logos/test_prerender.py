"""Making many variants ahead: each once, on all threads, with progress, and ending early without half a thing."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.logos import RASTERS, VariantRequest, ladder
from service.logos.prerender import run
from service.problems import Unavailable

from .conftest import Made, renders, with_broken_heart

if TYPE_CHECKING:
    from service.campaign import Campaign
    from service.logos import Variants

PLANS = [VariantRequest("heart", "blue", width, "png") for width in range(24, 64)]


@given(made_before=st.sets(st.sampled_from(PLANS)), threads=st.integers(1, 5))
def test_each_is_made_once_and_only_what_was_new_is_counted(made_before: set[VariantRequest], threads: int) -> None:
    seen: list[VariantRequest] = []
    told: list[tuple[int, int]] = []

    def make(plan: VariantRequest) -> bool:
        seen.append(plan)
        return plan not in made_before

    made = run(PLANS, make, threads=threads, progress=lambda done, of: told.append((done, of)), stop=lambda: False)
    assert made == len(PLANS) - len(made_before)
    assert sorted(seen, key=PLANS.index) == PLANS
    assert told == [(number, len(PLANS)) for number in range(1, len(PLANS) + 1)]


def test_it_uses_all_threads_and_no_more() -> None:
    """All the ladder on all cores."""
    together = threading.Barrier(4)  # passes only where four are at work at once
    now, most, lock = [0], [0], threading.Lock()

    def make(_: VariantRequest) -> bool:
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        together.wait(20)
        with lock:
            now[0] -= 1
        return True

    assert run(PLANS, make, threads=4, stop=lambda: False) == len(PLANS)
    assert most == [4]


@given(st.integers(0, len(PLANS)), st.integers(1, 5))
def test_told_to_stop_it_begins_nothing_new_and_finishes_what_is_under_way(after: int, threads: int) -> None:
    begun: list[VariantRequest] = []

    def make(plan: VariantRequest) -> bool:
        begun.append(plan)
        return True

    made = run(PLANS, make, threads=threads, stop=lambda: len(begun) >= after)
    assert made == len(begun)
    assert after <= made <= min(after + threads, len(PLANS))


@given(st.integers(0, len(PLANS) - 1), st.integers(1, 5))
def test_a_full_disk_ends_it_after_what_is_under_way(fails: int, threads: int) -> None:
    begun, ended = [], []

    def make(plan: VariantRequest) -> bool:
        begun.append(plan)
        if plan is PLANS[fails]:
            raise Unavailable("The storage is full.")
        ended.append(plan)
        return True

    with pytest.raises(Unavailable):
        run(PLANS, make, threads=threads, stop=lambda: False)
    assert len(begun) == len(ended) + 1
    assert len(begun) <= fails + 2 * threads + 1


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """A ladder of three widths."""
    widths = [24, 25, 40]
    monkeypatch.setattr(ladder, "widths", lambda *_: widths)
    return widths


def test_the_whole_ladder_is_made_and_then_nothing_is_missing(
    variants: Variants, few: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    rendered = renders(variants, monkeypatch)
    expected = {
        VariantRequest("heart", colourway, width, kind)
        for colourway in ("blue", "white", "black")
        for width in few
        for kind in RASTERS
    }
    assert set(variants.missing(["heart"])) == expected
    assert variants.prerender(["heart"]) == len(expected)
    assert set(rendered) == expected
    assert variants.missing(["heart"]) == []
    assert variants.prerender(["heart"]) == 0
    assert len(rendered) == len(expected)


def test_what_requests_made_is_not_made_again_and_the_other_way_round(
    new_variants: Made, few: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    variants, serving = new_variants(), new_variants()
    plan = VariantRequest("heart", "blue", few[0], "png")
    by_request = serving.get(plan)
    rendered, later = renders(variants, monkeypatch), renders(serving, monkeypatch)
    variants.prerender(["heart"])
    assert plan not in rendered
    assert variants.get(plan) == by_request
    serving.get(VariantRequest("heart", "white", few[1], "webp"))
    assert later == []


def test_two_at_once_share_the_work(new_variants: Made, few: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = new_variants(), new_variants()
    expected = len(first.missing(["heart"]))
    rendered = [renders(variants, monkeypatch) for variants in (first, second)]
    threads = [threading.Thread(target=variants.prerender, args=(["heart"],)) for variants in (first, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    plans = [plan for seen in rendered for plan in seen]
    assert len(plans) == len(set(plans)) == expected


def test_after_the_start_one_process_makes_the_common_widths(
    new_variants: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After start the common widths of each logo, and those by which ``auto`` is settled."""
    monkeypatch.setattr(ladder, "common", lambda minimum: [minimum])
    monkeypatch.setattr("service.logos.smallest.PROBES", (50, 100))
    processes = [new_variants(), new_variants()]
    rendered = [renders(variants, monkeypatch) for variants in processes]
    for variants in processes:
        variants.start()
    for variants in processes:
        assert variants._warming is not None
        variants._warming.join(60)
    plans = [plan for seen in rendered for plan in seen]
    assert len(plans) == len(set(plans))
    made = {("heart", 24), ("heart", 50), ("heart", 100), ("lockup", 96), ("lockup", 100)}
    assert {(one.logo, one.width) for one in plans} == made
    assert len(plans) == len(made) * 3 * len(RASTERS)
    assert processes[0].missing(only_common=True) == []


def test_a_drawing_that_fails_stops_no_other(
    new_variants: Made, campaign: Campaign, few: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither the whole ladder nor the common widths after the start wait for a drawing that cannot be rendered."""
    variants = new_variants(logos=with_broken_heart(campaign))
    broken = {VariantRequest("heart", "blue", width, kind) for width in few for kind in RASTERS}
    told: list[VariantRequest] = []
    expected = len(variants.missing(["heart"])) - len(broken)
    assert variants.prerender(["heart"], failed=lambda plan, _: told.append(plan)) == expected
    assert set(told) == set(variants.missing(["heart"])) == broken

    monkeypatch.setattr(ladder, "common", lambda minimum: [minimum])
    monkeypatch.setattr("service.logos.smallest.PROBES", ())
    variants.start()
    assert variants._warming is not None
    variants._warming.join(60)
    assert {(plan.logo, plan.colourway) for plan in variants.missing(only_common=True)} == {("heart", "blue")}
