"""SIGKILL under load: every download of which a client got a byte has its row, and the log verifies."""

from __future__ import annotations

import http.client
import itertools
import os
import signal
import threading
import time
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.parts.processes import wait_until
from tests.parts.walk import Walk


class Load:
    """Threads that fetch ranges of a link's file, each request another range, and note which gave a byte."""

    def __init__(self, url: str, size: int, threads: int = 8) -> None:
        self.parts = urlsplit(url)
        self.size = size
        self.got: set[str] = set()
        self._numbers = itertools.count()
        self._ending = threading.Event()
        self._threads = [threading.Thread(target=self._run) for _ in range(threads)]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Ends the threads."""
        self._ending.set()
        for thread in self._threads:
            thread.join()

    def _run(self) -> None:
        while not self._ending.is_set():
            number = next(self._numbers)
            wanted = f"bytes={number % (self.size - 1)}-{self.size - 1}"
            with suppress(OSError, http.client.HTTPException):
                connection = http.client.HTTPConnection(self.parts.hostname or "", self.parts.port, timeout=5)
                connection.request("GET", self.parts.path, headers={"Range": wanted, "User-Agent": "load/1"})
                answer = connection.getresponse()
                if answer.status == 206 and answer.read(1):
                    self.got.add(wanted)
                connection.close()


def test_no_byte_without_a_row_also_when_killed(breakable: Walk) -> None:
    """No byte of the file leaves without a durable record."""
    demo = breakable.demo
    link = breakable.link(breakable.participant())
    got: set[str] = set()
    for _ in range(2):
        load = Load(link["url"], link["package"]["bytes"])
        had = len(load.got)
        wait_until(lambda load=load, had=had: len(load.got) > had + 40, 60, "the load has begun")  # type: ignore[misc]
        demo.process.kill_group()
        load.stop()
        got |= load.got
        demo.start()
        recorded = {row["range"] for row in breakable.downloads(link["id"])}
        assert got <= recorded
    time.sleep(1)
    status, said, errors = demo.cli("audit", "seal")
    assert status == 0, said + errors
    status, said, errors = demo.cli("audit", "verify")
    assert status == 0, said + errors


@pytest.mark.parametrize("which", ["worker", "recorder"])
def test_a_killed_process_is_replaced_and_nothing_recorded_is_lost(breakable: Walk, which: str) -> None:
    demo = breakable.demo
    link = breakable.link(breakable.participant())
    load = Load(link["url"], link["package"]["bytes"], threads=4)
    wait_until(lambda: len(load.got) > 20, 60, "the load has begun")
    started = children(demo.process.pid)
    assert len(started) == 3, "two workers, and the process that records for them, which is started after them"
    os.kill(started[0 if which == "worker" else -1], signal.SIGKILL)
    had = len(load.got)
    wait_until(lambda: len(load.got) > had + 50, 60, "the load goes on")
    wait_until(lambda: len(children(demo.process.pid)) == 3, 60, "it is replaced")
    had = len(load.got)
    wait_until(lambda: len(load.got) > had + 50, 60, "the load goes on with the next")
    load.stop()
    recorded = {row["range"] for row in breakable.downloads(link["id"])}
    assert load.got <= recorded


def children(pid: int) -> list[int]:
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(child) for child in found.split()]
