"""Variants: true to the master, small, made once whoever asks, and never more work than the cores can do."""

from __future__ import annotations

import io
import multiprocessing
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy
import pytest
from PIL import Image

from service.campaign import load
from service.logos import RASTERS, VariantRequest, Variants
from service.problems import Unavailable
from service.settings import shipped
from service.storage import open_storage

if TYPE_CHECKING:
    from service.campaign import Campaign


def on_white(picture: Image.Image) -> numpy.ndarray[Any, numpy.dtype[numpy.float64]]:
    """The picture as seen on white, 0 to 255."""
    rgba = numpy.asarray(picture.convert("RGBA"), dtype=numpy.float64)
    alpha = rgba[..., 3:] / 255
    return rgba[..., :3] * alpha + 255 * (1 - alpha)


@pytest.mark.parametrize(("logo", "width"), [("heart", 264), ("lockup", 260)])  # whole heights, also at 8 times
@pytest.mark.parametrize("kind", RASTERS)
def test_a_variant_looks_like_the_master_at_eight_times_the_size(
    variants: Variants, logo: str, width: int, kind: str
) -> None:
    """Rendering and encoding together stay close to an eight times supersampled truth."""
    small = Image.open(io.BytesIO(variants.get(VariantRequest(logo, "blue", width, kind)).bytes))
    large = Image.open(io.BytesIO(variants.get(VariantRequest(logo, "blue", 8 * width, "png")).bytes))
    height, times = small.height, large.width // small.width
    assert (large.width, large.height) == (8 * width, 8 * height)
    truth = on_white(large).reshape(height, times, width, times, 3).mean((1, 3))
    assert numpy.abs(on_white(small) - truth).mean() < 0.6
    assert numpy.sqrt(((on_white(small) - truth) ** 2).mean()) < 3


def _ask(folder: str, barrier: Any, answers: Any) -> None:
    campaign = load(shipped("policies"), shipped("assets"))
    variants = Variants(dict(campaign.logos), campaign.brand, open_storage((Path(folder) / "s").as_uri()), Path(folder))
    rendered: list[VariantRequest] = []
    original = variants._rendered
    variants._rendered = lambda wanted: rendered.append(wanted) or original(wanted)  # type: ignore[method-assign,func-returns-value]
    barrier.wait()
    answers.put((variants.get(VariantRequest("lockup", "blue", 400, "png")).etag, len(rendered)))
    variants.close()


def test_eight_processes_that_ask_for_one_cold_variant_render_it_once(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    barrier, answers = context.Barrier(8), context.Queue()
    processes = [context.Process(target=_ask, args=(str(tmp_path), barrier, answers)) for _ in range(8)]
    for process in processes:
        process.start()
    told = [answers.get(timeout=60) for _ in processes]
    for process in processes:
        process.join(60)
    assert sum(count for _, count in told) == 1
    assert len({etag for etag, _ in told}) == 1


def test_too_many_waiting_are_sent_away(campaign: Campaign, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    storage = open_storage((tmp_path / "s").as_uri())
    variants = Variants(dict(campaign.logos), campaign.brand, storage, tmp_path, most_waiting=2, patience=10)
    hold, begun = threading.Event(), threading.Semaphore(0)

    def slow(_wanted: VariantRequest) -> bytes:
        begun.release()
        assert hold.wait(60)
        return b"picture"

    monkeypatch.setattr(variants, "_rendered", slow)
    threads = [
        threading.Thread(target=variants.get, args=(VariantRequest("heart", "blue", width, "png"),))
        for width in (100, 101)
    ]
    for thread in threads:
        thread.start()
    assert begun.acquire(timeout=60)
    until = threading.Event()
    for _ in range(200):
        if variants._waiting == 2:
            break
        until.wait(0.02)
    with pytest.raises(Unavailable) as told:
        variants.get(VariantRequest("heart", "blue", 102, "png"))
    assert told.value.headers["Retry-After"]
    hold.set()
    for thread in threads:
        thread.join()
    variants.close()


def test_another_process_later_gives_the_same_bytes(campaign: Campaign, tmp_path: Path) -> None:
    storage = open_storage((tmp_path / "s").as_uri())
    first = Variants(dict(campaign.logos), campaign.brand, storage, tmp_path)
    again = Variants(dict(campaign.logos), campaign.brand, open_storage((tmp_path / "t").as_uri()), tmp_path / "t")
    for kind in RASTERS:
        wanted = VariantRequest("heart", "white", 120, kind)
        assert first.get(wanted) == again.get(wanted)
    first.close()
    again.close()


def test_prerendering_goes_on_where_it_was_stopped(variants: Variants) -> None:
    made = iter(range(10**6))
    few = variants.prerender(["heart"], stop=lambda: next(made) > 6)
    left = len(variants.missing(["heart"]))
    assert 0 < few < left
    assert len(variants.missing(["heart"])) == left
