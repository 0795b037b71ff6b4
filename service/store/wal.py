"""Commits of SQLite that are made durable afterwards, so that nobody waits for the disk with the writer's place taken.

With ``synchronous=FULL`` a commit holds SQLite's only place for a writer until the disk has written: while one process
waits for its flush, another cannot even run its statements. With ``NORMAL`` the same frames go to the write-ahead log
in the same order and only the flush is left out (https://sqlite.org/pragma.html#pragma_synchronous). It is made here,
of the same file and before anybody hears that the commit holds. A flush makes all earlier commits durable, whoever
made them, and an interrupted log is read as far as its last whole commit: what was answered is never behind a gap.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.engine import Connection

_PATIENCE = 1000  # milliseconds for which emptying the log waits for whoever reads it


class WriteAheadLog:
    """The write-ahead log of the SQLite database at ``path``; for one thread."""

    def __init__(self, path: Path) -> None:
        self._path = path.with_name(f"{path.name}-wal")
        self._descriptor: int | None = None
        self._file: tuple[int, int] | None = None  # device and number of the file that is open
        self._failed = False

    @contextmanager
    def unflushed(self, connection: Connection) -> Iterator[None]:
        """Have what the connection commits meanwhile left to ``flush``. Begin this outside of a transaction."""
        driver = connection.connection.driver_connection
        assert driver is not None
        driver.execute("pragma synchronous=NORMAL")
        try:
            yield
        finally:
            driver.execute("pragma synchronous=FULL")

    def flush(self) -> None:
        """Make every commit so far durable. Raises OSError where the disk does not; see ``recover``.

        The file stays open between flushes: Linux tells of a write that failed once to each that had it open.
        """
        try:
            found = self._path.stat()
            if self._descriptor is None or self._file != (found.st_dev, found.st_ino):  # such as after a restore
                self.close()
                self._descriptor = os.open(self._path, os.O_RDWR | os.O_CLOEXEC)
                found = os.fstat(self._descriptor)
                self._file = (found.st_dev, found.st_ino)
            os.fdatasync(self._descriptor)
        except FileNotFoundError:
            return  # the last connection was closed: SQLite has written all of it into the database, flushed
        except OSError:
            self._failed = True
            raise

    def recover(self, connection: Connection) -> None:
        """After a flush that failed, have SQLite write all that its log holds into the database, flushed; else nothing.

        The kernel takes the pages of a failed flush for written, so that the next one would pass over them: what
        is answered after that would stand behind a gap. Raises OSError where that cannot be done.
        """
        if self._failed:
            driver = connection.connection.driver_connection
            assert driver is not None
            waits = driver.execute("pragma busy_timeout").fetchone()[0]
            try:
                driver.execute(f"pragma busy_timeout={_PATIENCE}")
                busy, _frames, _moved = driver.execute("pragma wal_checkpoint(truncate)").fetchone()
            except sqlite3.Error as error:
                raise OSError(f"{self._path.name} could not be written into the database: {error}") from error
            finally:
                driver.execute(f"pragma busy_timeout={waits}")
            if busy:
                raise OSError(f"{self._path.name} could not be written into the database: others read it")
            self._failed = False

    def close(self) -> None:
        """Close the file; after a fork the child has to."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
