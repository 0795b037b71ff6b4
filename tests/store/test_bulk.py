"""Bulk inserts: rows come out as SQLAlchemy's own statements put them in, on each backend."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from service.store import Database
from service.store.bulk import BulkInsert
from service.store.tables import LedgerEntry, LinkClient, PublishedPolicy
from service.store.upsert import insert_or_update

NAMES = ("id", "kind", "at", "body")
WHEN = datetime(2026, 11, 25, 13, 0, 0, 250, tzinfo=timezone(timedelta(hours=1)))
HOUR = timedelta(hours=1)
ROWS = [
    {"id": "ent_1", "kind": "x", "at": WHEN, "body": "{}", "besides": "is left alone"},
    {"id": "ent_2", "kind": "ж%s:at?", "at": WHEN.astimezone(UTC), "body": "'\"\\"},
]


def test_rows_are_written_as_the_statement_itself_writes_them(database: Database) -> None:
    own = insert(LedgerEntry)
    columns = [getattr(LedgerEntry, name) for name in NAMES]

    def stored(session: Any) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in session.execute(select(*columns).order_by(LedgerEntry.seq))]

    def both(session: Any) -> None:
        connection = session.connection()
        BulkInsert(own, NAMES).run(connection, ROWS)
        connection.execute(own, [{name: row[name] for name in NAMES} for row in ROWS])

    database.write(both)
    with database.read() as session:
        rows = stored(session)
    assert rows[:2] == rows[2:]
    assert [row[2] for row in rows[:2]] == [WHEN, WHEN]


def test_any_number_of_rows_is_written_in_its_order(database: Database) -> None:
    statement = BulkInsert(insert(LedgerEntry), NAMES)
    counts = [1, 2, 3, 31, 64, 65, 150]
    rows = [
        [{"id": f"ent_{count}_{number}", "kind": "x", "at": WHEN, "body": "{}"} for number in range(count)]
        for count in counts
    ]
    for some in rows:
        database.write(lambda session, some=some: statement.run(session.connection(), some))  # type: ignore[misc]
    with database.read() as session:
        stored = session.scalars(select(LedgerEntry.id).order_by(LedgerEntry.seq)).all()
    assert stored == [row["id"] for some in rows for row in some]


def test_rows_that_are_there_are_changed_and_the_others_come_in(database: Database) -> None:
    changing = insert_or_update(PublishedPolicy, database.engine.dialect.name, ("at",))
    statement = BulkInsert(changing, ("digest", "at"))
    digests = [f"{number:02}" for number in range(21)]
    for some, at in ((digests[:9], WHEN), (digests[5:], WHEN + HOUR)):
        rows = [{"digest": digest, "at": at} for digest in some]
        database.write(lambda session, rows=rows: statement.run(session.connection(), rows))  # type: ignore[misc]
    with database.read() as session:
        stored = {row.digest: row.at for row in session.scalars(select(PublishedPolicy))}
    assert stored == dict.fromkeys(digests[:5], WHEN) | dict.fromkeys(digests[5:], WHEN + HOUR)


def test_nothing_is_written_for_no_rows(database: Database) -> None:
    statement = BulkInsert(insert(LedgerEntry), NAMES)
    database.write(lambda session: statement.run(session.connection(), []))
    with database.read() as session:
        assert session.scalar(select(LedgerEntry.seq)) is None


def test_a_refused_row_is_the_databases_own_error_and_nothing_stays(database: Database) -> None:
    statement = BulkInsert(insert(LedgerEntry), NAMES)
    with pytest.raises(IntegrityError):
        database.write(lambda session: statement.run(session.connection(), [ROWS[0], ROWS[1] | {"kind": None}]))
    with database.read() as session:
        assert session.scalar(select(LedgerEntry.seq)) is None


def test_a_default_of_a_column_that_would_be_lost_is_an_error(database: Database) -> None:
    statement = BulkInsert(insert(LinkClient), ("link", "client", "last_at"))
    row = {"link": "lnk_1", "client": "c", "last_at": WHEN}
    with pytest.raises(ValueError, match="counted"):
        database.write(lambda session: statement.run(session.connection(), [row]))
