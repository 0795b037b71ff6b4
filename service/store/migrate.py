"""Schema migrations, by Alembic, one at a time also when several machines start at once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from ..problems import ConfigurationError
from . import advisory

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from .database import Database


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    return config


def head() -> str:
    """The newest revision that this program knows."""
    return str(ScriptDirectory.from_config(_config()).get_current_head())


def current(database: Database) -> str | None:
    """The revision that the database is at; None where it is empty."""
    with database.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def upgrade(database: Database, to: str = "head") -> None:
    """Bring the schema to the newest revision, or to another one. Safe to call at once from several processes."""
    config = _config()
    with database.engine.connect() as connection:
        _lock(database, connection)
        config.attributes["connection"] = connection
        command.upgrade(config, to)
        connection.commit()


def upgrade_on(connection: Connection, to: str) -> None:
    """Build the schema of a revision on a connection, in its transaction, which the caller commits."""
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, to)


def knows(revision: str) -> bool:
    """Tell whether a revision is one of this program's."""
    return revision in {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}


def require_current(database: Database) -> None:
    """ConfigurationError where the database is not at the revision of this program, with the fix."""
    found = current(database)
    if found == head():
        return
    if found is not None and not knows(found):
        raise ConfigurationError(
            [f"The database is at revision {found}, which is newer than this program: install the newer Emblem."]
        )
    at = f"at revision {found}" if found else "empty"
    raise ConfigurationError([f"The database is {at}, but revision {head()} is needed: run `emblem db upgrade`."])


def _lock(database: Database, connection: Connection) -> None:
    if database.is_sqlite:
        connection.execute(text("begin immediate"))
    else:
        # A migration may take as long as it takes, and waits for another one.
        connection.execute(text("set local statement_timeout = 0"))
        connection.execute(text("set local lock_timeout = 0"))
        advisory.hold_until_end(connection, advisory.MIGRATION)
