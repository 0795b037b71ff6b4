"""Counts that the processes of a machine share."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine

from service.limits import Limiter
from service.limits.machine import MachineCounter
from service.problems import RateLimited


def test_all_processes_of_a_machine_count_together(tmp_path: Path) -> None:
    """Of many at once no more get through than may, whichever process they reach; what ran out counts no more."""
    counters = [MachineCounter(tmp_path / "limits.sqlite3") for _ in range(2)]

    def hit(number: int) -> bool:
        found = counters[number % 2].hit("mailbox", "a@example.org", amount=5, seconds=3600, count=True)
        return found.allowed

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(hit, range(40))) == 5
    assert counters[0].hit("mailbox", "b@example.org", amount=5, seconds=3600, count=True).remaining == 4
    with time_machine.travel(datetime.now(UTC) + timedelta(hours=1, seconds=1), tick=False):
        assert hit(0)
    assert b"example.org" not in (tmp_path / "limits.sqlite3").read_bytes()


def test_a_file_that_cannot_be_used_leaves_the_limits_to_the_process(tmp_path: Path) -> None:
    (tmp_path / "limits.sqlite3").mkdir()
    limiter = Limiter(enabled=True, folder=tmp_path)
    for _ in range(5):
        limiter.hit("mailbox", "a")
    with pytest.raises(RateLimited):
        limiter.hit("mailbox", "a")
