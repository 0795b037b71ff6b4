from __future__ import annotations

import os
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.web.ranges import MOST_PARTS, evaluate

TAG = "a" * 64


def ask(header: str | None, size: int = 100, **more: str) -> tuple[int, tuple[tuple[int, int], ...]]:
    answer = evaluate(size, TAG, range_header=header, **more)
    return answer.status, answer.spans


@pytest.mark.parametrize(
    ("header", "spans"),
    [
        ("bytes=0-0", ((0, 1),)),
        ("bytes=0-", ((0, 100),)),
        ("bytes=90-1000", ((90, 100),)),
        ("bytes=-7", ((93, 100),)),
        ("bytes=-700", ((0, 100),)),
        ("bytes=0-4,20-24", ((0, 5), (20, 25))),
        ("bytes=0-4,500-600", ((0, 5),)),
        ("BYTES=0-4", ((0, 5),)),
    ],
)
def test_ranges_that_are_served(header: str, spans: tuple[tuple[int, int], ...]) -> None:
    assert ask(header) == (206, spans)


@pytest.mark.parametrize(
    "header",
    [None, "", "bytes", "bytes=", "bytes=5-2", "bytes=a-b", "items=0-4", "bytes=0-4,", "bytes=" + "0-0," * 8 + "9-9"],
)
def test_what_cannot_be_understood_is_ignored(header: str | None) -> None:
    assert ask(header)[0] in (200, 206)
    if header != "bytes=0-4,":
        assert ask(header) == (200, ((0, 100),))


def test_overlapping_parts_never_send_more_than_the_file() -> None:
    assert ask("bytes=0-99,0-99") == (200, ((0, 100),))


@pytest.mark.parametrize("header", ["bytes=100-", "bytes=100-200", "bytes=-0"])
def test_beyond_the_file_is_416(header: str) -> None:
    answer = evaluate(100, TAG, range_header=header)
    assert (answer.status, answer.headers) == (416, {"Content-Range": "bytes */100"})


def test_if_range_needs_the_strong_tag() -> None:
    assert ask("bytes=0-4", if_range=f'"{TAG}"')[0] == 206
    for other in ('"other"', f'W/"{TAG}"', "Wed, 25 Nov 2026 12:00:00 GMT", TAG):
        assert ask("bytes=0-4", if_range=other) == (200, ((0, 100),))


def test_if_none_match_comes_before_range() -> None:
    assert ask("bytes=0-4", if_none_match=f'"{TAG}"')[0] == 304
    assert ask("bytes=0-4", if_none_match=f'W/"{TAG}", "b"')[0] == 304
    for anything in ("*", " * "):
        assert ask("bytes=0-4", if_none_match=anything) == (304, ())
    assert ask("bytes=0-4", if_none_match='"b"')[0] == 206


def test_if_match_that_fails_is_412() -> None:
    assert ask(None, if_match='"b"')[0] == 412
    assert ask(None, if_match=f'W/"{TAG}"')[0] == 412
    for same in (f'"{TAG}"', f'"b", "{TAG}"', "*", " * "):
        assert ask(None, if_match=same)[0] == 200


def test_head_ignores_range() -> None:
    assert evaluate(100, TAG, method="HEAD", range_header="bytes=0-4").status == 200


@pytest.mark.parametrize("parts", range(1, 12))
def test_eight_parts_are_sent_and_more_are_not(parts: int) -> None:
    """Ranges in several parts: at most 8, else the whole file."""
    header = "bytes=" + ",".join(f"{10 * number}-{10 * number}" for number in range(parts))
    answer = evaluate(1000, "tag", range_header=header)
    if parts <= 8:
        assert (answer.status, len(answer.spans), answer.length) == (206, parts, parts)
    else:
        assert (answer.status, answer.spans) == (200, ((0, 1000),))


@pytest.mark.parametrize(
    ("header", "spans"),
    [
        ("bytes=0-0", ((0, 1),)),
        ("bytes=999-999", ((999, 1000),)),
        ("bytes=999-5000", ((999, 1000),)),
        ("bytes=-1", ((999, 1000),)),
        ("bytes=-1000", ((0, 1000),)),
        ("bytes=-5000", ((0, 1000),)),
        ("bytes=500-", ((500, 1000),)),
        ("bytes=0-999", ((0, 1000),)),
        ("bytes=0-499,500-999", ((0, 500), (500, 1000))),
        ("BYTES=1-2", ((1, 3),)),
    ],
)
def test_each_range_is_exactly_the_bytes_that_it_names(header: str, spans: tuple[tuple[int, int], ...]) -> None:
    answer = evaluate(1000, "tag", range_header=header)
    assert (answer.status, answer.spans) == (206, spans)
    first, stop = spans[0]
    # Of several parts each says in the body where it lies.
    said = {"Content-Range": f"bytes {first}-{stop - 1}/1000"} if len(spans) == 1 else {}
    assert answer.headers == said


@pytest.mark.parametrize("header", ["bytes=1000-", "bytes=1000-1000", "bytes=-0"])
def test_a_range_of_no_byte_cannot_be_satisfied(header: str) -> None:
    answer = evaluate(1000, "tag", range_header=header)
    assert (answer.status, answer.spans, answer.headers) == (416, (), {"Content-Range": "bytes */1000"})


@pytest.mark.parametrize("header", ["bytes=0-0,0-999", "bytes=0-599,400-999", "items=0-1", "bytes=a-b", "bytes=5-1"])
def test_a_range_that_sends_too_much_or_is_none_gets_the_whole_file(header: str) -> None:
    assert evaluate(1000, "tag", range_header=header).status == 200


def test_of_an_empty_file_there_is_nothing_to_send() -> None:
    assert evaluate(0, "tag").spans == ()
    assert evaluate(0, "tag", range_header="bytes=0-").status == 416


_EXAMPLES = int(os.environ.get("EMBLEM_RANGES", "100"))  # EMBLEM_RANGES=20000 tries as many
_PLACE = st.integers(0, 10**22).map(str) | st.integers(0, 120).map(str) | st.just("")
_SPEC = st.tuples(_PLACE, _PLACE).map("-".join)
_HEADERS = st.one_of(
    st.lists(_SPEC, min_size=1, max_size=MOST_PARTS + 2).map(lambda specs: "bytes=" + ",".join(specs)),
    st.tuples(
        st.sampled_from(["bytes=", "Bytes = ", "bytes", "items=", ""]), st.text("0123456789-,= \tb\u0661²", max_size=40)
    ).map("".join),
    st.text(max_size=60),
)


@settings(max_examples=_EXAMPLES, deadline=None)
@given(header=_HEADERS, size=st.integers(0, 100))
def test_whatever_is_asked_for_is_answered_from_within_the_file(header: str, size: int) -> None:
    answer = evaluate(size, TAG, range_header=header)
    assert answer.status in (200, 206, 416)
    assert all(0 <= start < stop <= size for start, stop in answer.spans)
    assert answer.length <= size, "no request makes more than the file leave"
    if answer.status == 200:
        assert answer.length == size
    elif answer.status == 416:
        assert answer.headers["Content-Range"] == f"bytes */{size}"
    else:
        assert 1 <= len(answer.spans) <= MOST_PARTS
        if plain := re.fullmatch(r"bytes=([0-9]+)-([0-9]+)", header):
            assert answer.spans == ((int(plain[1]), min(int(plain[2]) + 1, size)),)
