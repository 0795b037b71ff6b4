"""Months of downloads on PostgreSQL: what stood stays, each month has a partition in time, and old ones are dropped."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert, inspect, select, text

from service.links.forgetting import drop_downloads
from service.store import Database, migrate
from service.store.months import AHEAD, make_months_ahead, months_of_downloads, next_month
from service.store.tables import Download, Link, Participant
from tests.parts.postgres import Postgres

NOW = datetime.now(UTC)  # of which the migration makes its months


@pytest.fixture
def database(postgres: Postgres) -> Iterator[Database]:
    url = postgres.new_database()
    made = Database(url)
    yield made
    made.close()
    postgres.drop(url)


def fill(database: Database, *instants: datetime) -> list[str]:
    """A download at each instant; returns their ids."""
    names = [f"dl_{at:%Y%m%d%H%M%S}" for at in instants]
    person: dict[str, Any] = dict.fromkeys(("kind", "outcome", "rule", "policy", "joined_via"), "x")
    person |= {"id": "par_one", "language": "en", "purposes": [], "reasons": [], "status": "approved"}
    link = {"id": "lnk_one", "participant": "par_one", "package": "logo", "version": "1.0.0", "issued_by": "x"}
    rows = [
        {"id": name, "at": at, "link": "lnk_one", "participant": "par_one", "package": "logo", "version": "1.0.0",
         "counted": True, "status": 200, "client_kind": "browser", "client_hash": "h", "bytes": 1}
        for name, at in zip(names, instants, strict=True)
    ]  # fmt: skip
    with database.engine.begin() as connection:
        if not connection.scalar(text("select count(*) from links")):
            connection.execute(insert(Participant), person | {"created_at": NOW})
            connection.execute(insert(Link), link | {"created_at": NOW, "expires_at": NOW, "counted": 0})
        connection.execute(insert(Download), rows)
    return names


def where(database: Database) -> dict[str, str]:
    """The partition of each download by its id."""
    with database.engine.connect() as connection:
        rows = connection.execute(text("select id, tableoid::regclass::text from downloads")).all()
    return {row[0]: row[1] for row in rows}


def name(at: datetime) -> str:
    return f"downloads_y{at:%Y}m{at:%m}"


def months(database: Database) -> list[datetime]:
    with database.read() as session:
        return months_of_downloads(session)


def test_what_stood_before_stays_with_its_indexes_and_nothing_is_copied(database: Database) -> None:
    migrate.upgrade(database, "0024")
    coming = next_month(NOW)
    early, late, ahead, far = fill(
        database, NOW - timedelta(days=900), NOW, coming + timedelta(days=2), NOW + timedelta(days=4000)
    )
    with database.engine.connect() as connection:
        files = "select relname, relfilenode from pg_class where relname like '%downloads%' and relkind in ('i', 'r')"
        before = dict(tuple(row) for row in connection.execute(text(files)))
    migrate.upgrade(database)
    with database.engine.connect() as connection:
        after = dict(tuple(row) for row in connection.execute(text(files)))
        unique = text("select conname from pg_constraint where contype = 'f' and conrelid = 'downloads_past'::regclass")
        assert len(connection.execute(unique).all()) == 1
    assert after["downloads_past"] == before["downloads"]
    assert {after[f"{index}_past"] for index in before if index != "downloads"} <= set(before.values())
    assert where(database) == {
        early: "downloads_past", late: "downloads_past", ahead: name(coming), far: "downloads_other",
    }  # fmt: skip
    indexes = {index["name"] for index in inspect(database.engine).get_indexes("downloads")}
    assert {index.name for index in Download.__table__.indexes} == indexes  # type: ignore[attr-defined]
    assert len(months(database)) == AHEAD


def test_the_release_before_writes_and_reads_it_by_its_name(database: Database) -> None:
    migrate.upgrade(database)
    (one,) = fill(database, next_month(NOW))
    with database.engine.begin() as connection:
        connection.execute(text("update downloads set ended = 'complete' where id = :id"), {"id": one})
        ended = connection.scalar(text("select ended from downloads where id = :id"), {"id": one})
    assert ended == "complete"


def test_going_back_keeps_every_download(database: Database) -> None:
    from alembic import command

    migrate.upgrade(database)
    names = fill(database, NOW, next_month(NOW), NOW + timedelta(days=4000))
    with database.engine.begin() as connection:
        config = migrate._config()
        config.attributes["connection"] = connection
        command.downgrade(config, "0024")
    assert where(database) == dict.fromkeys(names, "downloads")
    migrate.upgrade(database)
    assert where(database).keys() == set(names)


def test_months_are_made_in_time_and_take_over_what_came_before_them(database: Database) -> None:
    migrate.upgrade(database)
    assert make_months_ahead(database, NOW) == 0, "the migration has made them"
    there = months(database)
    later = next_month(there[-1]) + timedelta(days=3)
    (strayed,) = fill(database, later)
    assert where(database)[strayed] == "downloads_other"
    assert make_months_ahead(database, later) == AHEAD + 1
    assert where(database)[strayed] == name(later)
    assert months(database) == sorted({*there, *months(database)})
    (again,) = fill(database, later + timedelta(days=1))
    assert where(database)[again] == name(later)
    assert make_months_ahead(database, NOW) == 0, "a clock that goes back makes none"


def test_whole_months_are_dropped_and_rows_of_none_are_deleted(database: Database) -> None:
    migrate.upgrade(database)
    first = next_month(NOW)
    second = next_month(first)
    past, one, two = fill(database, NOW - timedelta(days=40), first + timedelta(days=1), second + timedelta(days=1))
    assert drop_downloads(database, NOW) == 1
    assert where(database).keys() == {one, two}
    assert drop_downloads(database, first + timedelta(days=20)) == 0, "the month is not over"
    assert drop_downloads(database, second + timedelta(days=20)) == 1
    assert where(database) == {two: name(second)}
    assert months(database)[0] == second
    assert past not in where(database)
    with database.read() as session:
        assert list(session.scalars(select(Download.id))) == [two]
