"""The cache of variants: bounded in bytes whatever is put into it, and what was asked for last stays."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from hypothesis import given
from hypothesis import strategies as st

from service.logos.variant_cache import VariantCache

MOST = 100
puts = st.lists(st.tuples(st.integers(0, 8), st.integers(0, 60)), max_size=60)


@given(puts)
def test_it_never_holds_more_than_its_bytes_and_counts_them_right(steps: list[tuple[int, int]]) -> None:
    """In-process cache bounded in bytes."""
    cache: VariantCache[int, int] = VariantCache(MOST, abs)
    for key, size in steps:
        cache.put(key, size)
        assert cache.bytes <= MOST
        assert cache.bytes == sum(held for name in range(9) if (held := cache.get(name)) is not None)


@given(puts)
def test_what_was_just_put_is_there_unless_it_is_too_large_for_the_set(steps: list[tuple[int, int]]) -> None:
    cache: VariantCache[int, int] = VariantCache(MOST, abs)
    for key, size in steps:
        before = cache.get(key)
        cache.put(key, size)
        assert cache.get(key) == (size if size <= MOST // 4 else before)


def test_what_was_asked_for_longest_ago_leaves_first() -> None:
    cache: VariantCache[str, str] = VariantCache(MOST, lambda _: 25)
    for name in "abcd":
        cache.put(name, name)
    assert cache.get("a") == "a"
    cache.put("e", "e")
    assert [cache.get(name) for name in "abcde"] == ["a", None, "c", "d", "e"]


def test_many_threads_leave_its_count_right() -> None:
    cache: VariantCache[tuple[str, int], int] = VariantCache(50 * 25, lambda value: 20 + value % 6)

    def work(seed: int) -> None:
        for turn in range(3000):
            key = ("name", (seed * 7919 + turn * 31) % 90)
            if cache.get(key) is None:
                cache.put(key, key[1])

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    held = [value for number in range(90) if (value := cache.get(("name", number))) is not None]
    assert cache.bytes == sum(20 + value % 6 for value in held) <= 50 * 25
    assert len(held) > 40
