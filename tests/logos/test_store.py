"""The store of variants: shared by every process, whole or made anew, and no reason to refuse while it is down."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from service.logos import RASTERS, VariantRequest
from service.problems import Unavailable
from service.storage import Storage, open_storage
from tests.parts.disk import small_disk
from tests.parts.processes import wait_until

from .conftest import Made, calls, renders

PLAN = VariantRequest("heart", "blue", 100, "png")


def key(storage: Storage) -> str:
    """The key of the one variant that is stored."""
    (only,) = storage.list("variants/")
    return only.key


@pytest.mark.parametrize("kind", RASTERS)
def test_what_one_machine_made_another_one_serves(
    new_variants: Made, storage: Storage, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """The same URL and catalogue version give the same bytes in every process; a store shared through disk or S3."""
    plan = VariantRequest("heart", "blue", 100, kind)
    made = new_variants(storage).get(plan)
    other = new_variants(storage, machine="other")
    rendered = renders(other, monkeypatch)
    assert other.get(plan) == made
    assert rendered == []


def test_the_first_stored_render_wins(new_variants: Made, storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first stored render wins: another machine, with locks of its own, stored it while this one rendered."""
    late, first = new_variants(storage), new_variants(storage, machine="other")

    def rendered_meanwhile(_plan: VariantRequest) -> bytes:
        assert first.make(PLAN)
        return b"another picture"

    monkeypatch.setattr(late, "_rendered", rendered_meanwhile)
    assert late.get(PLAN) == first.get(PLAN)
    assert late.get(PLAN).bytes != b"another picture"


def test_a_hot_variant_and_a_drawing_ask_the_storage_nothing(
    new_variants: Made, storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    variants = new_variants(storage)
    variants.get(PLAN)
    asked = calls(storage, monkeypatch)
    variants.get(PLAN)
    variants.get(VariantRequest("heart", "blue", 100, "svg"))
    assert asked == []


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "cut_off": lambda whole: whole[:-1],
    "cut_in_half": lambda whole: whole[: len(whole) // 2],
    "cut_within_the_digest": lambda whole: whole[:-40],
    "empty": lambda _: b"",
    "shorter_than_a_digest": lambda whole: whole[:31],
    "zeros_from_a_crash": lambda whole: bytes(len(whole)),
    "a_flipped_bit": lambda whole: whole[:50] + bytes([whole[50] ^ 1]) + whole[51:],
    "a_flipped_bit_of_the_digest": lambda whole: whole[:-1] + bytes([whole[-1] ^ 1]),
    "something_behind_it": lambda whole: whole + b"\n",
    "stored_without_a_digest": lambda whole: whole[:-32],
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_variant_is_made_anew_and_never_served(
    new_variants: Made, storage: Storage, monkeypatch: pytest.MonkeyPatch, damage: str
) -> None:
    good = new_variants(storage).get(PLAN)
    whole = storage.read(key(storage))
    storage.replace(key(storage), DAMAGES[damage](whole))
    other = new_variants(storage)
    rendered = renders(other, monkeypatch)
    assert other.get(PLAN) == good
    assert rendered == [PLAN]
    assert storage.read(key(storage)) == whole, "the store is whole again"


def test_any_single_flipped_bit_is_found(new_variants: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    storage = open_storage((tmp_path / "s").as_uri())
    variants = new_variants(storage, cache_bytes=0)
    plan = VariantRequest("heart", "white", 24, "webp")
    good = variants.get(plan)
    whole = storage.read(key(storage))
    monkeypatch.setattr(variants, "_rendered", lambda _: good.bytes)  # what it makes is the same; only how often counts
    for bit in range(8 * len(whole)):
        flipped = bytearray(whole)
        flipped[bit // 8] ^= 1 << bit % 8
        monkeypatch.setattr(storage, "read", lambda _, told=bytes(flipped): told)
        assert variants._stored(plan) is None, bit


def test_while_nothing_can_be_stored_variants_are_shown_all_the_same(new_variants: Made, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "1m") as disk:
        storage = open_storage((tmp_path / "disk" / "s").as_uri())
        variants = new_variants(storage)
        disk.fill()
        shown = variants.get(PLAN)
        assert list(storage.list("variants/")) == []
        with pytest.raises(Unavailable):
            variants.make(PLAN)
        disk.free()
        assert variants.make(PLAN)
        assert new_variants(storage).get(PLAN) == shown


def test_a_storage_that_does_not_answer_is_a_503_with_retry_after(
    new_variants: Made, storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    variants = new_variants(storage)
    hot = variants.get(PLAN)

    def down(_key: str) -> bytes:
        raise Unavailable(headers={"Retry-After": "5"})

    monkeypatch.setattr(storage, "read", down)
    with pytest.raises(Unavailable) as told:
        variants.get(VariantRequest("heart", "blue", 101, "png"))
    assert told.value.headers["Retry-After"]
    assert variants.get(PLAN) == hot, "what is in memory needs no storage"


def test_what_is_made_is_served_while_the_queue_for_renders_is_full(
    new_variants: Made, storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A service that no request can fill or stall: cold requests push nobody away who asks for what is there."""
    made = new_variants(storage).get(PLAN)
    variants = new_variants(storage, most_waiting=1)
    hold = threading.Event()

    def slow(_plan: VariantRequest) -> bytes:
        assert hold.wait(30)
        return b"picture"

    monkeypatch.setattr(variants, "_rendered", slow)
    waiting = threading.Thread(target=variants.get, args=(VariantRequest("heart", "blue", 101, "png"),))
    waiting.start()
    try:
        wait_until(lambda: variants._waiting == 1, 60, "a request waits")
        with pytest.raises(Unavailable):
            variants.get(VariantRequest("heart", "blue", 102, "png"))
        assert variants.get(PLAN) == made
    finally:
        hold.set()
        waiting.join()
