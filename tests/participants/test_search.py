"""Finding participants by parts of what is known of them, and lists that an index serves."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Select, select, text
from sqlalchemy.orm import Session

from service.participants import Participants, search
from service.privacy import Erasure
from service.store import Database, tables
from service.store.paging import after, encode_cursor

from ..conftest import NOON, FrozenClock
from .conftest import Make, Outbox


@pytest.fixture
def known(people: Participants, application: Make, clock: FrozenClock) -> dict[str, str]:
    """Three participants by a short name."""
    made = {
        "lake": application(name="Société du Lac", email="post@lac.example.org", website="https://lac.example.org/"),
        "hill": application(name="Hill & Dale 100 %", email="hill@example.net", website=None),
        "kim": application("individual", name="Kim Ödegård", email="kim_o@example.com", website=None),
    }
    ids = {}
    for name, said in made.items():
        ids[name] = people.joining.join(said, via="staff:cli").id
        clock.advance(1)
    return ids


@pytest.mark.parametrize("common", [0.2, 0.5])  # all trigrams of three rows are common, or those of two of them
def test_what_finds_whom(
    people: Participants, known: dict[str, str], common: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.store.word_search._COMMON", common)
    questions = {
        "societe LAC": ["lake"],
        "SOCIÉTÉ": ["lake"],
        "lac societe": ["lake"],
        "ill & Da": ["hill"],
        "100 %": ["hill"],
        "%": ["hill"],
        "kim_o": ["kim"],
        "m_o": ["kim"],
        "ødegård kim": [],
        "odegard": ["kim"],
        "hill@example.net": ["hill"],
        "ill@example.org": [],
        "https://lac": ["lake"],
        "example": ["kim", "hill", "lake"],
        "ex": ["kim", "hill", "lake"],
        'no "such" one': [],
        "AND OR NOT": [],
        "par_": ["kim", "hill", "lake"],
        known["hill"]: ["hill"],
        "\0": ["kim", "hill", "lake"],
        " ": ["kim", "hill", "lake"],
    }
    for question, expected in questions.items():
        found = [one.id for one in people.listing.list(q=question).items]
        assert found == [known[name] for name in expected], question


def test_what_many_hold_is_found_in_the_order_of_the_list(
    people: Participants, known: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.store.word_search.FEW", 1)
    found = [one.id for one in people.listing.list(q="example").items]
    assert found == [known[name] for name in ("kim", "hill", "lake")]
    assert not people.listing.list(q="example nowhere").items


def test_search_goes_with_filters_and_pages(people: Participants, known: dict[str, str]) -> None:
    assert [one.id for one in people.listing.list(q="example", kind="individual").items] == [known["kim"]]
    first = people.listing.list(q="example", limit=2)
    rest = people.listing.list(q="example", limit=2, cursor=first.next_cursor)
    assert [one.id for one in (*first.items, *rest.items)] == [known[name] for name in ("kim", "hill", "lake")]


def test_members_find_their_participant_until_they_go(
    people: Participants, known: dict[str, str], outbox: Outbox, erasure: Erasure
) -> None:
    member = people.members.invite(known["lake"], name="Robin Quillmarsh", email="robin@example.net", by="participant")
    for question in ("quillmarsh", "robin@"):
        assert [one.id for one in people.listing.list(q=question).items] == [known["lake"]]
    people.members.remove(known["lake"], member.id, by="participant")
    assert not people.listing.list(q="quillmarsh").items
    erasure.erase(known["lake"], reason="Asked for.", by="staff:cli")
    assert not people.listing.list(q="societe").items
    assert [one.id for one in people.listing.list(q="example").items] == [known["kim"], known["hill"]]


def _plan(session: Session, statement: Select[Any]) -> str:
    sqlite = session.get_bind().dialect.name == "sqlite"
    if not sqlite:
        session.execute(text("set local enable_seqscan = off"))
    written = statement.compile(session.get_bind(), compile_kwargs={"literal_binds": True})
    explain = "explain query plan " if sqlite else "explain "
    rows = session.connection().exec_driver_sql(explain + str(written).replace("%", "%%" if not sqlite else "%"))
    return "\n".join(str(row[-1]) for row in rows)


def test_an_index_finds_words(database: Database, known: dict[str, str]) -> None:
    with database.read() as session:
        plan = _plan(session, search.WORDS.hits(session, "odegard"))
    assert "participant_words_index VIRTUAL TABLE INDEX" in plan or "participant_words_trigrams" in plan


@pytest.mark.parametrize(
    ("filters", "index"),
    [
        ({"status": "approved"}, "ix_participants_status_created"),
        ({"kind": "individual"}, "ix_participants_kind_created"),
        ({"status": "approved", "kind": "individual"}, "ix_participants_status_kind"),
    ],
)
def test_an_index_serves_each_list_in_its_order(
    database: Database, known: dict[str, str], filters: dict[str, str], index: str
) -> None:
    table = tables.Participant
    conditions = [getattr(table, name) == value for name, value in filters.items()]
    conditions.append(after(table.created_at, table.id, encode_cursor(NOON, "par_x")))
    with database.read() as session:
        plan = _plan(session, select(table).where(*conditions).order_by(table.created_at.desc(), table.id).limit(51))
    assert index in plan
    assert "created_at<" in plan or "created_at <=" in plan
