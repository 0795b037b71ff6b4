"""PNG made smaller in other processes: the same bytes as here, also where one of them is gone."""

from __future__ import annotations

import io
import os
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from service.png import PngOptimisers, optimised


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


def test_other_processes_give_the_same_bytes(pictures: list[bytes]) -> None:
    with PngOptimisers() as optimise, ThreadPoolExecutor(2) as pool:
        found = list(pool.map(optimise, pictures * 2))
    assert found == [optimised(one) for one in pictures] * 2
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
