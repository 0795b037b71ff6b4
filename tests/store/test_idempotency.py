"""The first answer to a request with a key is kept and given again, on each database."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from service.problems import IdempotencyKeyReused, RequestInFlight
from service.store import Database
from service.store.idempotency import FirstAnswer, IdempotentRequests, Taken
from tests.conftest import FrozenClock

ANSWER = FirstAnswer(201, {"id": "par_one"}, "/api/v1/participants/par_one")


@pytest.fixture
def requests(database: Database, clock: FrozenClock) -> IdempotentRequests:
    return IdempotentRequests(database, clock)


def taken(found: Taken | FirstAnswer) -> Taken:
    assert isinstance(found, Taken)
    return found


def test_the_first_answer_is_given_again_for_a_day(requests: IdempotentRequests, clock: FrozenClock) -> None:
    requests.keep(taken(requests.begin("key_a /x", "one", "digest")), ANSWER)
    assert requests.begin("key_a /x", "one", "digest") == ANSWER
    with pytest.raises(IdempotencyKeyReused):
        requests.begin("key_a /x", "one", "another digest")
    taken(requests.begin("key_a /y", "one", "another digest"))
    taken(requests.begin("key_b /x", "one", "another digest"))
    clock.advance(86_400 - 0.000001)
    assert requests.begin("key_a /x", "one", "digest") == ANSWER
    clock.advance(0.000001)
    taken(requests.begin("key_a /x", "one", "another digest"))


def test_of_many_at_once_one_is_handled(requests: IdempotentRequests) -> None:
    barrier = threading.Barrier(6)

    def ask() -> str:
        barrier.wait()
        try:
            return type(requests.begin("key_a /x", "one", "digest")).__name__
        except RequestInFlight as problem:
            return problem.slug

    with ThreadPoolExecutor(6) as pool:
        found = sorted(pool.map(lambda _: ask(), range(6)))
    assert found == ["Taken"] + ["request-in-flight"] * 5


def test_a_request_whose_process_died_is_taken_over_and_its_late_answer_is_not_kept(
    requests: IdempotentRequests, clock: FrozenClock
) -> None:
    late = taken(requests.begin("key_a /x", "one", "digest"))
    clock.advance(59)
    with pytest.raises(RequestInFlight):
        requests.begin("key_a /x", "one", "digest")
    clock.advance(1)
    again = taken(requests.begin("key_a /x", "one", "digest"))
    requests.keep(late, FirstAnswer(500, {"late": True}, None))
    with pytest.raises(RequestInFlight):
        requests.begin("key_a /x", "one", "digest")
    requests.give_back(late)
    requests.keep(again, ANSWER)
    assert requests.begin("key_a /x", "one", "digest") == ANSWER


def test_a_key_that_is_given_back_is_new(requests: IdempotentRequests) -> None:
    requests.give_back(taken(requests.begin("key_a /x", "one", "digest")))
    taken(requests.begin("key_a /x", "one", "another digest"))


def test_what_is_kept_no_longer_is_deleted(requests: IdempotentRequests, clock: FrozenClock) -> None:
    old = taken(requests.begin("key_a /x", "old", "digest"))
    requests.keep(old, ANSWER)
    clock.advance(1)
    requests.keep(taken(requests.begin("key_a /x", "new", "digest")), ANSWER)
    clock.advance(86_400 - 1)
    requests.purge()  # the older is a day old and goes at the next instant
    assert requests.begin("key_a /x", "new", "digest") == ANSWER
    clock.advance(0.5)
    requests.purge()
    clock.advance(-1)
    taken(requests.begin("key_a /x", "old", "digest"))
    assert requests.begin("key_a /x", "new", "digest") == ANSWER
