"""Large pictures in processes of their own: the same bytes, bounded in time and memory, and nobody else is hurt."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from service.logos import RASTERS, VariantRequest
from service.logos.encoders import encode
from service.logos.ladder import LARGE
from service.logos.render import RenderFailed, render
from service.logos.render_subprocess import NEEDED, RenderProcesses, at_once
from service.logos.render_worker import RenderJob
from service.problems import Unavailable
from service.svg import Drawing
from tests.parts.processes import wait_until

from .conftest import Made, with_broken_heart

if TYPE_CHECKING:
    from service.campaign import Campaign

BLUE = ((11, 92, 173),)


@pytest.fixture
def master(campaign: Campaign) -> Drawing:
    return campaign.logos["heart"].drawing("blue")


@pytest.mark.parametrize("kind", RASTERS)
@pytest.mark.parametrize("inks", [BLUE, ()])
def test_the_bytes_are_those_of_a_render_in_this_process(
    master: Drawing, kind: str, inks: tuple[tuple[int, int, int]]
) -> None:
    """The same URL and catalogue version gives the same bytes in every process of a deployment."""
    apart = RenderProcesses().encoded(master, RenderJob(150, 7, inks, kind, ahead=False))
    assert apart == encode(render(master, 150, 7, inks), kind)


def peak() -> int:
    """The most memory that this process had since it was last forgotten, in MB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) // 1024 for line in lines if line.startswith("VmHWM:"))


@pytest.mark.parametrize("kind", RASTERS)
def test_the_largest_pictures_take_no_memory_here(new_variants: Made, kind: str) -> None:
    """Memory within 400 MB a worker, also for 4096 wide pictures with clear space around them."""
    variants = new_variants(patience=120.0)  # seconds; how long a busy machine takes is not the question
    variants.get(VariantRequest("heart", "blue", 100, kind))  # what is loaded once is loaded
    Path("/proc/self/clear_refs").write_text("5")
    before = peak()
    made = variants.get(VariantRequest("heart", "blue", 4096, kind, space=True))
    assert made.width * made.height > 30 * LARGE
    assert peak() - before < 30


def run(master: Drawing, changes: str) -> subprocess.CompletedProcess[bytes]:
    """The program of such a process with changes to its module."""
    program = f"import time; import service.logos.render_worker as alone; {changes}; alone.main()"
    order = json.dumps([asdict(RenderJob(4096, 0, BLUE, "avif", ahead=False)), master.as_json()]).encode()
    return subprocess.run([sys.executable, "-c", program], input=order, capture_output=True, check=False, timeout=60)


def test_one_that_takes_too_long_ends_by_itself(master: Drawing) -> None:
    """A time limit per render."""
    done = run(master, "alone.MOST_SECONDS = 1; alone.render = lambda *_, **__: time.sleep(50)")
    assert (done.returncode, done.stdout) == (-signal.SIGALRM, b"")


def test_one_that_takes_too_much_memory_ends_alone(master: Drawing) -> None:
    done = run(master, "alone.MOST_MEMORY = 300 << 20")
    assert done.returncode != 0
    assert done.stdout == b""


def test_what_is_not_rendered_is_a_503_with_retry_after(new_variants: Made, campaign: Campaign) -> None:
    logos = with_broken_heart(campaign)
    variants = new_variants(logos=logos)
    with pytest.raises(RenderFailed):
        RenderProcesses().encoded(logos["heart"].drawing("blue"), RenderJob(100, 0, BLUE, "png", ahead=False))
    for width in (100, 1600):
        with pytest.raises(Unavailable) as told:
            variants.get(VariantRequest("heart", "blue", width, "png"))
        assert told.value.headers["Retry-After"]
        assert "XML" not in told.value.detail


def test_closing_ends_what_is_running(master: Drawing) -> None:
    apart = RenderProcesses()
    ended: list[str] = []

    def ask() -> None:
        try:
            apart.encoded(master, RenderJob(4096, 1000, BLUE, "avif", ahead=True))
        except RenderFailed:
            ended.append("failed")

    asking = threading.Thread(target=ask)
    asking.start()
    wait_until(lambda: bool(apart._running), 60, "it runs")
    (process,) = apart._running
    apart.close()
    asking.join(60)
    assert ended == ["failed"]
    assert process.returncode == -signal.SIGKILL


def test_as_many_at_once_as_memory_and_cores_allow(monkeypatch: pytest.MonkeyPatch) -> None:
    def memory(size: int) -> Callable[[str], int]:
        return lambda name: {"SC_PAGE_SIZE": 4096, "SC_PHYS_PAGES": size // 4096}[name]

    for size, cores, expected in ((NEEDED // 2, 4, 1), (NEEDED, 4, 1), (3 * NEEDED, 4, 3), (100 * NEEDED, 4, 4)):
        monkeypatch.setattr("os.sysconf", memory(size))
        assert at_once(cores) == expected


def test_a_large_picture_that_fails_is_tried_again_when_asked_again(
    new_variants: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    variants = new_variants()
    plan = VariantRequest("heart", "blue", 1600, "png")

    def fails(_master: Drawing, _order: RenderJob) -> bytes:
        raise Unavailable(headers={"Retry-After": "30"})

    with monkeypatch.context() as patch:
        patch.setattr(variants._processes, "encoded", fails)
        with pytest.raises(Unavailable):
            variants.get(plan)
    assert variants.get(plan).width == 1600
