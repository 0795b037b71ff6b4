"""``/logos/`` once a variant is made: no database, no storage, no pixels; and what is told while too much is asked."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from tests.parts.processes import wait_until

from .conftest import Api, problem
from .test_variants import Partner
from .test_variants_refusals import Work, watch

if TYPE_CHECKING:
    from service.logos import VariantRequest


@pytest.fixture
def partner(api: Api) -> Partner:
    return Partner(api)


@pytest.fixture
def work(partner: Partner, monkeypatch: pytest.MonkeyPatch) -> Work:
    return watch(partner.api.parts, monkeypatch)


@pytest.mark.parametrize("file", ["blue/64.png", "blue/64.auto", "blue/64.svg", "blue/64.webp?space=1&utm=x"])
def test_a_warm_variant_its_head_and_its_304_cost_nothing(partner: Partner, work: Work, file: str) -> None:
    """304 without touching pixels; HEAD for free; a warm variant runs no database query."""
    tag = partner.get(file).headers["ETag"]
    work.reset()
    assert partner.get(file).status_code == 200
    assert partner.get(file, "HEAD").status_code == 200
    assert partner.get(file, If_None_Match=tag).status_code == 304
    assert partner.get(file, "HEAD", If_None_Match=tag).status_code == 304
    assert work.none()


def test_what_another_process_made_is_read_once_and_not_rendered(partner: Partner, work: Work) -> None:
    """A store shared through disk or S3."""
    partner.get("blue/64.png")
    partner.api.parts.variants._cache.clear()
    work.reset()
    assert partner.get("blue/64.png").status_code == 200
    assert (work.renders, work.statements, work.storage) == ([], 0, 1)
    partner.get("blue/64.png")
    assert work.storage == 1


def test_beyond_the_queue_it_is_503_with_retry_after_and_what_is_warm_goes_on(
    partner: Partner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At most one render per core at a time with a bounded queue (503 and ``Retry-After`` beyond)."""
    variants = partner.api.parts.variants
    warm = partner.get("blue/64.png")
    hold, answers = threading.Event(), []

    def slow(_plan: VariantRequest) -> bytes:
        assert hold.wait(30)
        return b"picture"

    def ask(width: int) -> None:
        answers.append(partner.get(f"blue/{width}.png"))

    monkeypatch.setattr(variants, "_rendered", slow)
    waiting = [threading.Thread(target=ask, args=(width,)) for width in range(100, 100 + variants._most_waiting)]
    for thread in waiting:
        thread.start()
    try:
        wait_until(lambda: variants._waiting == variants._most_waiting, 60, "the queue is full")
        refused = partner.get("blue/99.png")
        problem(refused, 503, "unavailable")
        assert int(refused.headers["Retry-After"]) > 0
        assert partner.get("blue/64.png").data == warm.data
        assert partner.get("blue/513.png").status_code == 422
    finally:
        hold.set()
        for thread in waiting:
            thread.join()
    assert {answer.status_code for answer in answers} == {200}
    assert partner.get("blue/99.png").status_code == 200, "and then it is made"


def test_a_mistake_of_ours_is_a_500_that_says_nothing_and_the_next_request_is_served(
    partner: Partner, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_plan: VariantRequest) -> Any:
        raise RuntimeError("a secret of the inside")

    with monkeypatch.context() as patch:
        patch.setattr(partner.api.parts.variants, "_rendered", broken)
        answer = partner.get("blue/64.png")
        problem(answer, 500, "internal-error")
        assert "secret" not in answer.text
    assert partner.get("blue/64.png").status_code == 200
