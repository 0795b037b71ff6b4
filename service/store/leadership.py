"""Choose who seals: one leader at a time over all threads, processes and machines of a deployment."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

from .. import private_files
from ..problems import Unavailable
from . import advisory
from .database import Database, describe

#: Says whether the lock is still ours; a connection to PostgreSQL can break, a file be removed, and the lock with it.
StillHeld = Callable[[], bool]


@contextmanager
def leadership(database: Database, data_dir: Path, wait: float = 0, name: str = "seal") -> Iterator[StillHeld | None]:
    """Holds the lock ``name``, or gives None where another holds it for longer than ``wait`` seconds.

    SQLite: ``flock`` on a file in the data directory, which the system releases when the process dies.
    PostgreSQL: a session's advisory lock, which the server releases when the connection ends. Unavailable
    where the server does not answer.
    """
    until = time.monotonic() + wait
    with _file(data_dir / f"{name}.lock") if database.is_sqlite else _advisory(database, name) as take:
        while not (held := take()):
            if time.monotonic() >= until:
                break
            time.sleep(0.05)
        yield held


Take = Callable[[], "StillHeld | None"]


@contextmanager
def _file(path: Path) -> Iterator[Take]:
    private_files.make_folder(path.parent)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def take() -> StillHeld | None:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return None
        return still_held

    def still_held() -> bool:
        try:
            return os.path.samestat(os.fstat(descriptor), path.stat())
        except OSError:
            return False

    try:
        yield take
    finally:
        os.close(descriptor)


@contextmanager
def _advisory(database: Database, name: str) -> Iterator[Take]:
    key = {"key": advisory.leadership(name)}
    with _session(database) as connection:
        taken = False

        def take() -> StillHeld | None:
            nonlocal taken
            try:
                taken = bool(connection.execute(text("select pg_try_advisory_lock(:key)"), key).scalar())
            except DBAPIError as error:
                raise Unavailable(private=describe(error)) from error
            return still_held if taken else None

        def still_held() -> bool:
            try:
                return connection.execute(text("select 1")).scalar() == 1
            except DBAPIError:
                return False

        try:
            yield take
        finally:
            with suppress(DBAPIError):  # a connection that is cut has let go of the lock
                if taken and not connection.closed and not connection.invalidated:
                    connection.execute(text("select pg_advisory_unlock(:key)"), key)


@contextmanager
def _session(database: Database) -> Iterator[Connection]:
    try:
        connection = database.engine.connect().execution_options(isolation_level="AUTOCOMMIT")
    except DBAPIError as error:
        raise Unavailable(headers={"Retry-After": "5"}, private=describe(error)) from error
    with connection:
        yield connection
