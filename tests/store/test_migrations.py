"""Upgrades keep what is stored, and end with the tables that the program has."""

from __future__ import annotations

import gzip
import hashlib
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text

from service.embeds.log_import import Importer
from service.store import Database, migrate, schema
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
