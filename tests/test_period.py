"""``from`` and ``to`` mean the same wherever they are taken: dates are both included, of instants the second is not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.clock import timestamp
from service.period import Period, parse_period
from service.problems import InvalidRequest

EIGHT = datetime(2026, 11, 25, 8, tzinfo=UTC)
instants = st.timedeltas(timedelta(0), timedelta(days=365 * 9990)).map(datetime(2, 1, 1, tzinfo=UTC).__add__)


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-25T08:00:00Z",
        "2026-11-25t08:00:00z",
        "2026-11-25T08:00:00.000Z",
        "2026-11-25T08:00:00.000000000Z",
        "2026-11-25T08:00Z",
        "2026-11-25T09:00:00+01:00",
        "2026-11-25T09:00+01:00",
        "2026-11-25t09:00:00 01:00",  # a plus sign that was not encoded
        "2026-11-25T02:30:00-05:30",
        "2026-11-26T00:00:00+16:00",
    ],
)
def test_one_instant_may_be_written_in_many_ways(text: str) -> None:
    found = parse_period(text, None)
    assert (found.start, found.from_text) == (EIGHT, "2026-11-25T08:00:00.000000Z")
    assert parse_period(None, text).end == EIGHT
    assert found.start is not None
    assert found.start.tzinfo is UTC  # what is kept of it elsewhere is its date and time alone


def test_dates_are_both_included() -> None:
    assert parse_period("2026-11-25", "2026-11-25") == Period(
        datetime(2026, 11, 25, tzinfo=UTC), datetime(2026, 11, 26, tzinfo=UTC), "2026-11-25", "2026-11-25"
    )


def test_no_text_is_no_limit() -> None:
    assert parse_period(None, "") == parse_period("", None) == Period()
    assert Period().previous() is None
    assert parse_period("2026-11-25", None).previous() is None


@pytest.mark.parametrize(
    "text",
    ["yesterday", "2026-02-30", "2026-11-25T12:00:00", "2026-11-25 12:00:00Z", "2026-W48", "20261125", "2026-11-25T",
     "2026-11-25T25:00Z", "2026-11-25T08:00:00+1:00", "2026-11-25T08:00:00+01", "٢٠٢٦-11-25", " 2026-11-25",
     "2026-11-25T08:00:00.Z", "2026-11-25T08Z", "2026-11-25T08:00:00Z\n", "0000-01-01", "0001-01-01T00:00:00+01:00",
     "9999-12-31T23:59:59-01:00"],
)  # fmt: skip
def test_what_is_neither_a_date_nor_an_instant_is_named(text: str) -> None:
    for given_as, pointer in (((text, None), "?from"), ((None, text), "?to")):
        with pytest.raises(InvalidRequest) as caught:
            parse_period(*given_as)
        (error,) = caught.value.errors
        assert error.pointer == pointer
        assert "2026-11-25T12:00:00Z" in error.detail


@pytest.mark.parametrize(
    ("begin", "end"),
    [
        ("2026-11-25", "2026-11-24"),
        ("2026-11-25T08:00:00Z", "2026-11-25T08:00:00Z"),
        ("2026-11-25T08:00:00Z", "2026-11-25T09:00:00+01:00"),
        ("2026-11-26T00:00:00Z", "2026-11-25"),
    ],
)
def test_a_span_that_is_empty_or_turned_is_a_mistake(begin: str, end: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        parse_period(begin, end)
    assert [(error.pointer, error.detail) for error in caught.value.errors] == [
        ("?to", "The span ends before it has begun; give a later end.")
    ]


def test_both_mistakes_are_named_at_once() -> None:
    with pytest.raises(InvalidRequest) as caught:
        parse_period("x", "y")
    assert [error.pointer for error in caught.value.errors] == ["?from", "?to"]


@given(instants, st.integers(min_value=-720, max_value=720))
def test_what_is_written_back_is_read_again(at: datetime, minutes: int) -> None:
    shown = at.astimezone(timezone(timedelta(minutes=minutes))).isoformat()
    found = parse_period(shown, None)
    assert (found.start, found.from_text) == (at, timestamp(at))
    assert parse_period(found.from_text, None) == found


def test_the_time_before_is_as_long_and_written_alike() -> None:
    assert parse_period("2026-11-22", "2026-11-23").previous() == parse_period("2026-11-20", "2026-11-21")
    hours = parse_period("2026-11-22T06:00:00Z", "2026-11-22T12:00:00Z").previous()
    assert hours == parse_period("2026-11-22T00:00:00Z", "2026-11-22T06:00:00Z")
    mixed = parse_period("2026-11-22", "2026-11-22T12:00:00Z").previous()
    assert mixed == parse_period("2026-11-21T12:00:00Z", "2026-11-22T00:00:00Z")


def test_there_may_be_no_time_before() -> None:
    assert parse_period("0001-01-01", "2026-11-25").previous() is None
