"""Lists of participants, page by page."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.participants import Participants, ParticipantView
from service.problems import InvalidRequest, NotFound
from service.store.paging import decode_cursor, encode_cursor

from ..conftest import FrozenClock
from .conftest import Make


def test_pages_are_newest_first_ties_by_id_and_hold_everybody_once(
    people: Participants, application: Make, portal: str, clock: FrozenClock
) -> None:
    joined = []
    for number in range(7):
        clock.advance(1 if number % 3 == 0 else 0)
        joined.append(people.joining.join(application(), via=portal))
    expected = sorted(joined, key=lambda found: (-found.created_at.timestamp(), found.id))
    for limit in (1, 2, 3, 7, 200):
        seen: list[ParticipantView] = []
        cursor = None
        while True:
            page = people.listing.list(cursor=cursor, limit=limit)
            assert len(page.items) <= limit
            seen += page.items
            cursor = page.next_cursor
            if cursor is None:
                break
        assert seen == expected


def test_the_page_after_a_full_last_one_is_not_offered(people: Participants, application: Make, portal: str) -> None:
    for _ in range(2):
        people.joining.join(application(), via=portal)
    assert people.listing.list(limit=2).next_cursor is None
    assert people.listing.list(limit=1).next_cursor is not None


def test_who_joins_meanwhile_moves_nobody(
    people: Participants, application: Make, portal: str, clock: FrozenClock
) -> None:
    old = [people.joining.join(application(), via=portal).id]
    clock.advance(1)
    new = people.joining.join(application(), via=portal).id
    first = people.listing.list(limit=1)
    clock.advance(1)
    people.joining.join(application(), via=portal)
    assert [found.id for found in first.items] == [new]
    assert [found.id for found in people.listing.list(cursor=first.next_cursor).items] == old


def test_filters(people: Participants, application: Make, portal: str) -> None:
    person = people.joining.join(application("individual"), via=portal)
    held = people.joining.join(application("intergovernmental_organization"), via=portal)
    assert [found.id for found in people.listing.list(status="under_review").items] == [held.id]
    assert [found.id for found in people.listing.list(kind="individual", status="approved").items] == [person.id]
    assert people.listing.list(kind="government").items == ()


def test_the_owner_sees_which_portals_may_act_and_ends_it(
    people: Participants, application: Make, portal: str, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    joined, other = (people.joining.join(application(), via=portal) for _ in range(2))
    (found,) = people.access.portals(joined.id)
    assert (found.name, found.granted_at) == ("Download page", clock())
    people.access.end_portal(joined.id, found.key)
    assert people.access.portals(joined.id) == ()
    assert [seen.id for seen in people.listing.list(portal=found.key).items] == [other.id]
    monkeypatch.setattr("service.participants.access.FEW", 0)  # as where it may act for many
    assert [seen.id for seen in people.listing.list(portal=found.key).items] == [other.id]
    people.api_keys.revoke(found.key, by="staff")
    assert people.access.portals(other.id) == ()


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ({"status": "gone"}, "?status"),
        ({"kind": "robot"}, "?kind"),
        ({"limit": 0}, "?limit"),
        ({"limit": 201}, "?limit"),
        ({"cursor": ""}, "?cursor"),
        ({"cursor": "AAAA"}, "?cursor"),
        ({"cursor": "é"}, "?cursor"),
        ({"cursor": "MTAwMA"}, "?cursor"),
        ({"cursor": encode_cursor(datetime(2026, 1, 1, tzinfo=UTC), "par_x") + "="}, "?cursor"),
        ({"cursor": "OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTkgeA"}, "?cursor"),
    ],
)
def test_bad_queries(people: Participants, query: dict[str, object], pointer: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        people.listing.list(**query)  # type: ignore[arg-type]
    assert [error.pointer for error in caught.value.errors] == [pointer]


def test_one_who_is_not_there(people: Participants) -> None:
    with pytest.raises(NotFound):
        people.listing.get("par_nobody")


@given(
    st.datetimes(datetime(1970, 1, 1), datetime(9999, 1, 1)),  # noqa: DTZ001  # made aware below
    st.text("abcdefXYZ019_-", min_size=1, max_size=40),
)
def test_a_cursor_says_exactly_where_it_goes_on(at: datetime, id: str) -> None:  # noqa: A002
    aware = at.replace(tzinfo=UTC)
    cursor = encode_cursor(aware, id)
    assert decode_cursor(cursor) == (aware, id)
    assert encode_cursor(aware + timedelta(microseconds=1), id) != cursor
