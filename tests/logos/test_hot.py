"""The hot set: bounded in bytes whatever is put into it, and what was asked for last stays."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from hypothesis import given
from hypothesis import strategies as st

from service.logos.hot import HotSet

MOST = 100
puts = st.lists(st.tuples(st.integers(0, 8), st.integers(0, 60)), max_size=60)


@given(puts)
def test_it_never_holds_more_than_its_bytes_and_counts_them_right(steps: list[tuple[int, int]]) -> None:
    """In-process hot set bounded in bytes."""
    hot: HotSet[int, int] = HotSet(MOST)
    for key, size in steps:
        hot.put(key, size, size)
        assert hot.bytes <= MOST
        assert hot.bytes == sum(held for name in range(9) if (held := hot.get(name)) is not None)


@given(puts)
def test_what_was_just_put_is_there_unless_it_is_too_large_for_the_set(steps: list[tuple[int, int]]) -> None:
    hot: HotSet[int, int] = HotSet(MOST)
    for key, size in steps:
        before = hot.get(key)
        hot.put(key, size, size)
        assert hot.get(key) == (size if size <= MOST // 4 else before)


def test_what_was_asked_for_longest_ago_leaves_first() -> None:
    hot: HotSet[str, str] = HotSet(MOST)
    for name in "abcd":
        hot.put(name, name, 25)
    assert hot.get("a") == "a"
    hot.put("e", "e", 25)
    assert [hot.get(name) for name in "abcde"] == ["a", None, "c", "d", "e"]


def test_many_threads_leave_its_count_right() -> None:
    hot: HotSet[tuple[str, int], int] = HotSet(50 * 25)

    def work(seed: int) -> None:
        for turn in range(3000):
            key = ("name", (seed * 7919 + turn * 31) % 90)
            if hot.get(key) is None:
                hot.put(key, key[1], 20 + key[1] % 6)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    held = [value for number in range(90) if (value := hot.get(("name", number))) is not None]
    assert hot.bytes == sum(20 + value % 6 for value in held) <= 50 * 25
    assert len(held) > 40
