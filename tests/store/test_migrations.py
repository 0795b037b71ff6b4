"""Upgrades keep what is stored, and end with the tables that the program has."""

from __future__ import annotations

import gzip
import hashlib
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text
from sqlalchemy.orm import Session

from service.embeds.log_import import Importer
from service.store import Database, migrate, schema
from service.store.desk_tables import Case
from service.store.tables import Acceptance, Participant
from tests.audit.conftest import add_embed
from tests.embeds.test_log_import import nginx
from tests.parts.postgres import Postgres

_TRIGRAMS = tuple(f"{table}_{what}" for table in ("participant_words", "case_words") for what in ("index", "trigrams"))
_OF_ONE = (*_TRIGRAMS, "downloads_past", "downloads_other", "downloads_y")  # partitions are PostgreSQL's alone


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database."""
    if request.param == "postgres":
        server: Postgres = request.getfixturevalue("postgres")
        return server.new_database()
    return f"sqlite:///{tmp_path / 'emblem.db'}"


def test_the_newest_revision_has_the_tables_of_the_program(url: str) -> None:
    database = Database(url)
    migrate.upgrade(database)
    with database.engine.connect() as connection:
        # Trigrams are what only one database or the other knows: FTS5's tables, and an index of an extension.
        own = {"compare_type": False, "include_name": lambda name, *_: not str(name).startswith(_OF_ONE)}
        context = MigrationContext.configure(connection, opts=own)
        assert compare_metadata(context, schema.metadata) == []
    database.close()


def test_a_log_that_was_imported_before_an_upgrade_is_known_after_it(url: str, tmp_path: Path) -> None:
    database = Database(url)
    migrate.upgrade(database, "0002")
    content = (nginx() * 3).encode()
    row = {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content), "finished": True}
    with database.engine.begin() as connection:
        connection.execute(
            text(
                "insert into log_imports (sha256, format, import_id, bytes, lines, bad, views, finished, at) "
                "values (:sha256, 'nginx', 'imp_one', :bytes, 3, 0, 3, :finished, '2026-11-01 00:00:00+00:00')"
            ),
            row,
        )
    migrate.upgrade(database)
    add_embed(database)
    importer = Importer(database, tmp_path, lambda: datetime(2026, 11, 25, 12, tzinfo=UTC))
    path = tmp_path / "access.log.gz"
    path.write_bytes(gzip.compress(content))
    again = importer.run(path, "nginx")
    assert (again.lines, again.before) == (0, 3)
    path.write_bytes(gzip.compress(content + nginx().encode()))
    grown = importer.run(path, "nginx")
    assert (grown.lines, grown.before, grown.views) == (1, 3, 1)
    database.close()


def test_what_the_database_keeps_itself_is_there_of_what_was_before(url: str) -> None:
    """Rows that triggers write from now on, made by the upgrade of what the release before wrote."""
    database = Database(url)
    migrate.upgrade(database, "0027")
    fill(database, "before")
    migrate.upgrade(database)
    before = [kept(database, statement) for statement in _KEPT]
    assert [len(rows) for rows in before] == [4, 1, 3]
    fill(database, "after")
    after = [kept(database, statement) for statement in _KEPT]
    for old, new in list(zip(before, after, strict=True))[:2]:
        others = [row for row in new if row not in old]
        assert new == sorted(old + others)
        assert [row.replace("after", "before") for row in others] == old
    assert after[2] == [row.replace(" 1", " 2") for row in before[2]]
    database.close()


def test_what_is_written_while_an_upgrade_fills_is_kept_too(postgres: Postgres) -> None:
    database = Database(postgres.new_database())
    migrate.upgrade(database, "0027")
    fill(database, "before")
    with ThreadPoolExecutor() as pool, Session(database.engine) as writer:
        writer.get_one(Participant, "par_before").status = "suspended"
        writer.get_one(Case, "cas_before").purposes = ["information"]
        writer.flush()
        upgraded = pool.submit(migrate.upgrade, database)
        while not kept(database, "select pid from pg_locks where not granted"):  # it has filled what it sees
            assert not upgraded.done(), upgraded.result()
            time.sleep(0.05)
        writer.commit()
        upgraded.result()
    assert [row.split()[1] for row in kept(database, _KEPT[0])] == [
        "country:AT",
        "participant_kind:civil_society",
        "purpose:information",
    ]
    assert [" False " in row for row in kept(database, _KEPT[1])] == [True]
    assert len(kept(database, _KEPT[2])) == 2
    database.close()


_KEPT = (
    'select "case", facet, due_at from case_facets',
    "select participant, terms, versions, approved, joined_at from terms_standings",
    "select terms, versions, day, sum(number) from terms_counts group by terms, versions, day having sum(number) <> 0",
)


def kept(database: Database, statement: str) -> list[str]:
    """Rows as texts, sorted."""
    with database.engine.connect() as connection:
        return sorted(" ".join(str(value) for value in row) for row in connection.execute(text(statement)))


def fill(database: Database, name: str) -> None:
    """An approved participant who accepted two versions, and a case about it."""
    at = datetime(2026, 11, 25, 23, 30, tzinfo=UTC)
    person = Participant(
        id=f"par_{name}",
        kind="civil_society",
        country="AT",
        language="en",
        answers={},
        purposes=[],
        status="approved",
        outcome="approved",
        rule="test",
        reasons=[],
        policy="0" * 64,
        joined_via="page",
        created_at=at,
    )
    values = {"terms": "logo-terms", "language": "en", "digest": "0" * 64, "via": "page", "commitment": "0" * 64}
    accepted = [
        Acceptance(id=f"acc_{name}{number}", participant=person.id, version=version, accepted_at=at, **values)
        for number, version in enumerate(("2026-03-01", "2024-07-30"))
    ]
    case = Case(
        id=f"cas_{name}",
        kind="joining",
        status="open",
        participant=person.id,
        purposes=["fundraising", "commercial", "fundraising"],
        opened_by="page",
        opened_at=at,
        due_at=at,
        changed_at=at,
        version=1,
    )
    with Session(database.engine) as session, session.begin():
        for row in (person, *accepted, case):
            session.add(row)
            session.flush()
