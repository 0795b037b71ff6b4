"""Locks between processes: bounded places, one of a name, and free again however who held them ended."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from service.logos.locks import Locks
from service.problems import Unavailable
from tests.parts.disk import small_disk

HOLD = """
import sys, time
from pathlib import Path
from service.logos.locks import Locks
with Locks(Path(sys.argv[1]), 1).of("ab" * 32, 5):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.mark.parametrize("name", ["slot", "large"])
def test_no_more_than_the_places_are_held_at_once(tmp_path: Path, name: str) -> None:
    """At most one render per core at a time."""
    most, now, lock = [0], [0], threading.Lock()

    def work(_: int) -> None:
        locks = Locks(tmp_path, 3, 3)  # of its own, as another process has it
        place: Callable[[float], AbstractContextManager[None]] = getattr(locks, name)
        with place(30):
            with lock:
                now[0] += 1
                most[0] = max(most[0], now[0])
            time.sleep(0.01)
            with lock:
                now[0] -= 1

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(40)))
    assert most == [3]


def test_who_waits_too_long_for_a_place_gets_503_with_retry_after(tmp_path: Path) -> None:
    locks = Locks(tmp_path, 1)
    with locks.slot(1), pytest.raises(Unavailable) as told, locks.slot(0.01):
        pass
    assert told.value.headers["Retry-After"]
    with locks.slot(0):
        pass


def test_one_holds_a_variant_and_others_hold_others(tmp_path: Path) -> None:
    locks, others = Locks(tmp_path, 1), Locks(tmp_path, 1)
    with locks.of("00" * 32, 1):
        with pytest.raises(Unavailable), others.of("00" * 32, 0.01):
            pass
        with others.of("01" * 32, 0):
            pass
    with others.of("00" * 32, 0):
        pass


def test_alone_is_said_to_one_at_a_time(tmp_path: Path) -> None:
    locks, others = Locks(tmp_path, 1), Locks(tmp_path, 1)
    with locks.alone("work") as mine, others.alone("work") as theirs:
        assert (mine, theirs) == (True, False)
    with others.alone("work") as theirs:
        assert theirs


def test_a_killed_process_holds_nothing(tmp_path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", HOLD, tmp_path], stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"held\n"
    locks = Locks(tmp_path, 1)
    with pytest.raises(Unavailable), locks.of("ab" * 32, 0.01):
        pass
    process.send_signal(signal.SIGKILL)
    process.wait(60)
    process.stdout.close()
    with locks.of("ab" * 32, 5):
        pass


def test_a_folder_that_cannot_be_written_is_a_503(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as disk:
        disk.read_only(True)
        with pytest.raises(Unavailable) as told, Locks(tmp_path / "disk" / "locks", 1).slot(1):
            pass
        assert told.value.headers["Retry-After"]
