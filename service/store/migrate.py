"""Schema migrations, by Alembic, one at a time also when several machines start at once.

Alembic is imported where it migrates: a start only compares two revisions, and would wait for it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import inspect, text

from ..problems import ConfigurationError
from . import advisory

if TYPE_CHECKING:
    from alembic.config import Config
    from sqlalchemy.engine import Connection

    from .database import Database


_MIGRATIONS = Path(__file__).parent / "migrations"


_AWAY = "The database does not answer. Start it, or correct EMBLEM_DATABASE_URL."


def _config() -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.set_main_option("path_separator", "os")
    return config


def revisions() -> list[str]:
    """The revisions that this program knows, oldest first: a migration's file is named ``{revision}_{what}.py``."""
    return sorted(path.name.partition("_")[0] for path in (_MIGRATIONS / "versions").glob("[0-9]*_*.py"))


def head() -> str:
    """The newest revision that this program knows."""
    return revisions()[-1]


def current(database: Database) -> str | None:
    """The revision that the database is at; None where it is empty."""
    with database.engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        found = connection.execute(text("select version_num from alembic_version")).scalar()
    return None if found is None else str(found)


def upgrade(database: Database, to: str = "head") -> None:
    """Bring the schema to the newest revision, or to another one. Safe to call at once from several processes."""
    with database.engine.connect() as connection:
        _lock(database, connection)
        upgrade_on(connection, to)
        connection.commit()


def upgrade_on(connection: Connection, to: str) -> None:
    """Build the schema of a revision on a connection, in its transaction, which the caller commits."""
    from alembic import command

    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, to)


def knows(revision: str) -> bool:
    """Tell whether a revision is one of this program's."""
    return revision in revisions()


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
