from __future__ import annotations

import pytest

from service.web.ranges import evaluate

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
    assert ask("bytes=0-4", if_none_match="*")[0] == 304
    assert ask("bytes=0-4", if_none_match='"b"')[0] == 206


def test_if_match_that_fails_is_412() -> None:
    assert ask(None, if_match='"b"')[0] == 412
    assert ask(None, if_match=f'W/"{TAG}"')[0] == 412
    assert ask(None, if_match=f'"{TAG}"')[0] == 200


def test_head_ignores_range() -> None:
    assert evaluate(100, TAG, method="HEAD", range_header="bytes=0-4").status == 200
