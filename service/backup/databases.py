"""The database's part of a backup: one snapshot of it as files, and back.

SQLite is copied page by page through its backup interface, inside one read transaction: writers go on, and the copy
needs no second try however much they write. PostgreSQL's tables go through COPY, as CSV with the names of the columns,
in one repeatable-read transaction, rather than through ``pg_dump``: that has to be installed beside the program, at
least as new as the server, and its file is read by ``pg_restore`` alone; the schema is in our migrations anyway, of
which the backup names the revision.
"""

from __future__ import annotations

import csv
import hashlib
import shutil
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import delete, func, inspect, literal_column, select, text
from sqlalchemy import table as sql_table
from sqlalchemy.engine import Connection, make_url
from sqlalchemy.exc import DBAPIError

from ..problems import Unavailable
from ..storage.durable import sync, sync_folder
from ..store import Database, migrate
from ..store.database import describe
from ..store.derived_tables import DERIVED
from ..store.schema import metadata
from ..store.tables import MailedLink, SignInSession
from .folder import DATABASE, BackupError, DamagedBackupError, File, digest

_FILE = "emblem.sqlite3"
_VERSION = "alembic_version"
_STEP = 4096  # pages of SQLite a step
_USED = "the database of EMBLEM_DATABASE_URL is in use: stop the service on every machine, and run the command again"


def save(database: Database, folder: Path) -> tuple[str, list[File]]:
    """Write a snapshot of the database into a folder; return its revision and the files."""
    folder.mkdir()
    try:
        return _save_sqlite(database, folder) if database.is_sqlite else _save_postgresql(database, folder)
    except (sqlite3.Error, DBAPIError) as error:
        raise Unavailable(private=describe(error)) from error


def newest_note(folder: Path, files: Sequence[File]) -> str | None:
    """Return the newest checkpoint of a saved database, None where nothing was sealed in it."""
    if any(file.path.endswith(_FILE) for file in files):
        with closing(sqlite3.connect(folder / _FILE)) as connection:
            row = connection.execute("select note from checkpoints order by size desc limit 1").fetchone()
        return row[0] if row else None
    with (folder / "checkpoints.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return max(rows, key=lambda row: int(row["size"]))["note"] if rows else None


def is_empty(database: Database) -> bool:
    """Tell whether there is nothing in a database yet. A file that is no database holds something."""
    try:
        with database.engine.connect() as connection:
            return not inspect(connection).get_table_names()
    except DBAPIError as error:
        if database.is_sqlite and "not a database" in str(error):
            return False
        raise Unavailable(private=describe(error)) from error


def load(database: Database, folder: Path, revision: str) -> None:
    """Put a saved database in the place of the one that is there, and bring it to the schema of this program.

    All or nothing. Everybody signs in again: a session that ended since the backup would go on otherwise. Raises
    BackupError where somebody uses the database.
    """
    try:
        if database.is_sqlite:
            _load_sqlite(database, folder)
        else:
            _load_postgresql(database, folder, revision)
        migrate.upgrade(database)
    except (sqlite3.Error, DBAPIError) as error:
        raise Unavailable(private=describe(error)) from error


# --- SQLite


def _path(database: Database) -> Path:
    return Path(make_url(database.url).database or "")


def _save_sqlite(database: Database, folder: Path) -> tuple[str, list[File]]:
    path = folder / _FILE
    with (
        closing(sqlite3.connect(_path(database), isolation_level=None, timeout=30)) as source,
        closing(sqlite3.connect(path, isolation_level=None)) as target,
    ):
        source.execute("begin")
        (revision,) = source.execute("select version_num from alembic_version").fetchone()  # the snapshot is of now
        source.backup(target, pages=_STEP)
        target.execute("pragma journal_mode=delete")  # one file, with nothing beside it that belongs to it
        _check(target, "the copy of the database")
    return revision, [File(f"{DATABASE}/{_FILE}", digest(path))]


def _check(connection: sqlite3.Connection, what: str) -> None:
    found = [row[0] for row in connection.execute("pragma quick_check(1)")]
    if found != ["ok"]:
        raise DamagedBackupError(f"{what} is damaged: {found[0]}")


def _load_sqlite(database: Database, folder: Path) -> None:
    path = _path(database)
    staged = path.with_name(f".{path.name}.restored")
    shutil.copyfile(folder / _FILE, staged)
    staged.chmod(0o600)
    with closing(sqlite3.connect(staged, isolation_level=None)) as connection:
        _check(connection, "the database of the backup")
        connection.execute("pragma secure_delete=on")
        connection.execute("delete from sessions")
        connection.execute("delete from mailed_links")
    with staged.open("rb") as file:
        sync(file.fileno())
    database.engine.dispose()
    _require_unused(path)
    # What lies beside the old file belongs to it: SQLite would replay it over the new one.
    for suffix in ("-wal", "-shm", "-journal"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    staged.replace(path)
    sync_folder(path.parent)


def _require_unused(path: Path) -> None:
    """Raise BackupError where another process has a database open: leaving WAL mode needs to be alone with it."""
    if not path.exists():
        return
    with closing(sqlite3.connect(path, isolation_level=None, timeout=1)) as connection:
        try:
            connection.execute("pragma journal_mode=delete")
        except sqlite3.OperationalError as error:
            if "locked" in str(error):
                raise BackupError(_USED) from error
        except sqlite3.DatabaseError:
            return  # it is damaged, so nobody works with it


# --- PostgreSQL


def _save_postgresql(database: Database, folder: Path) -> tuple[str, list[File]]:
    files = []
    with database.engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        connection.execute(text("set transaction read only"))
        connection.execute(text("set local statement_timeout = 0"))
        revision = str(connection.execute(text("select version_num from alembic_version")).scalar_one())
        for table in metadata.sorted_tables:
            if DERIVED in table.info:  # the database fills it again while the others are loaded
                continue
            path = folder / f"{table.name}.csv"
            sums = hashlib.sha256()
            statement = f'copy (select * from "{table.name}") to stdout with (format csv, header)'  # noqa: S608
            with path.open("wb") as file, _cursor(connection).copy(statement) as copy:
                for piece in copy:
                    file.write(piece)
                    sums.update(piece)
            files.append(File(f"{DATABASE}/{path.name}", sums.hexdigest()))
    return revision, files


def _load_postgresql(database: Database, folder: Path, revision: str) -> None:
    database.engine.dispose()
    with database.engine.connect() as connection:
        for limit in ("statement_timeout", "idle_in_transaction_session_timeout"):
            connection.execute(text(f"set local {limit} = 0"))
        others = "select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
        if connection.execute(text(f"{others} and backend_type = 'client backend'")).scalar_one():
            raise BackupError(_USED)
        for name in inspect(connection).get_table_names():
            if name in metadata.tables or name == _VERSION:
                connection.execute(text(f'drop table "{name}" cascade'))
        migrate.upgrade_on(connection, revision)
        order = {table.name: place for place, table in enumerate(metadata.sorted_tables)}
        for path in sorted(folder.glob("*.csv"), key=lambda path: order.get(path.stem, len(order))):
            with path.open("rb") as file:
                columns = ", ".join(f'"{name}"' for name in file.readline().decode().rstrip().split(","))
                with _cursor(connection).copy(f'copy "{path.stem}" ({columns}) from stdin with (format csv)') as copy:
                    while piece := file.read(1024 * 1024):
                        copy.write(piece)
        counted = "select table_name, column_name from information_schema.columns where column_default like 'nextval%'"
        for table, column in connection.execute(text(counted)).all():
            last: Any = select(func.coalesce(func.max(literal_column(f'"{column}"')), 0) + 1).select_from(
                sql_table(table)
            )
            sequence = func.pg_get_serial_sequence(table, column)
            connection.execute(select(func.setval(sequence, last.scalar_subquery(), False)))
        connection.execute(delete(SignInSession))
        connection.execute(delete(MailedLink))
        connection.commit()


def _cursor(connection: Connection) -> Any:
    return connection.connection.cursor()
