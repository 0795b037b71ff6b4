"""The queue before the checks: no more at once than the machine may do, and nobody waits for ever."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from service.problems import Unavailable
from service.verdicts.places import Places


def test_no_more_than_the_machines_places_are_held_whatever_process_asks(tmp_path: Path) -> None:
    processes = [Places(tmp_path, 1, most=8, patience=30) for _ in range(3)]
    most, now, lock = [0], [0], threading.Lock()

    def work(number: int) -> None:
        with processes[number % 3].one():
            with lock:
                now[0] += 1
                most[0] = max(most[0], now[0])
            with lock:
                now[0] -= 1

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(work, range(12)))
    assert most == [1]


def test_a_full_queue_and_a_slow_one_are_told_apart_from_what_fails_inside(tmp_path: Path) -> None:
    places = Places(tmp_path, 1, most=2, patience=0.1)
    with places.one():
        with pytest.raises(Unavailable, match="Send it again") as slow, places.one():
            pass
        assert slow.value.headers["Retry-After"] == "10"
        places._held.acquire()
        with pytest.raises(Unavailable, match="Send it again"), places.one():
            pass
        places._held.release()
    with pytest.raises(Unavailable, match="of its own"), places.one():
        raise Unavailable("A reason of its own.")
    with places.one():
        pass


def test_no_more_places_than_cores(tmp_path: Path) -> None:
    assert Places(tmp_path, 10_000)._at_once < 10_000
