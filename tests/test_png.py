"""PNG made smaller in other processes: the same bytes as here, also where one of them is gone."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from service.png import Effort, PngOptimisers, optimised


@pytest.fixture(scope="module")
def pictures() -> list[bytes]:
    made = []
    for size in (8, 64, 200, 640):
        image = Image.new("RGBA", (size, size), (0, 0, 0, 0))
        ImageDraw.Draw(image).ellipse((2, 2, size - 2, size - 2), fill=(11, 92, 173, 255))
        held = io.BytesIO()
        image.save(held, "PNG", compress_level=0)
        made.append(held.getvalue())
    return made


@pytest.mark.parametrize("effort", Effort)
def test_other_processes_give_the_same_bytes(pictures: list[bytes], effort: Effort) -> None:
    with PngOptimisers() as optimise, ThreadPoolExecutor(2) as pool:
        found = list(pool.map(optimise, pictures * 2, [effort] * 8))
    assert found == [optimised(one, effort) for one in pictures] * 2
    assert all(len(small) < len(large) for small, large in zip(found, pictures * 2, strict=True))


def children() -> set[int]:
    """The processes that this one started and that are not gone."""
    tasks = Path("/proc/self/task").iterdir()
    return {int(one) for task in tasks for one in (task / "children").read_text(encoding="ascii").split()}


def test_a_process_that_was_killed_is_done_without(pictures: list[bytes]) -> None:
    before = children()
    with PngOptimisers() as optimise:
        first = optimise(pictures[0])
        started = children() - before
        assert started
        for child in started:
            os.kill(child, signal.SIGKILL)
        assert [first, *map(optimise, pictures[1:])] == [optimised(one) for one in pictures]
    assert children() == before


def test_a_server_keeps_one_process_at_most_when_nothing_is_made(pictures: list[bytes]) -> None:
    before = children()
    with PngOptimisers(most_idle=1) as optimise, ThreadPoolExecutor(3) as pool:
        assert list(pool.map(optimise, pictures * 2)) == [optimised(one) for one in pictures] * 2
        assert len(children() - before) == 1
    assert children() == before


def test_what_threads_ask_for_is_made_apart_and_what_a_lone_thread_does_is_not(pictures: list[bytes]) -> None:
    """The library keeps the interpreter's lock, so beside other threads it works in a process of its own."""
    said = subprocess.run(
        [sys.executable, "-c", APART],
        input=pictures[2],
        stdout=subprocess.PIPE,
        check=True,
    ).stdout
    assert said.split() == [b"0", b"1", b"True"]


APART = """
import sys, threading
from service.png import Effort, optimised, optimised_apart
from tests.test_png import children

png = sys.stdin.buffer.read()
alone = optimised_apart(png, Effort.QUICK)
print(len(children()))
ending = threading.Event()
other = threading.Thread(target=ending.wait)
other.start()
print(len((beside := optimised_apart(png, Effort.QUICK)) and children()))
ending.set()
other.join()
print(alone == beside == optimised(png, Effort.QUICK))
"""
