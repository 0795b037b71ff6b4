"""Turns of the processes that write to one SQLite database: the next is woken when the one before has committed.

SQLite itself lets a writer that finds another at work sleep and ask again, longer each time: under load one process
then waits for seconds while another commits again and again. ``flock`` on a file beside the database queues them up.
It is a courtesy: whoever writes without a turn, such as another program, still meets SQLite's own lock.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from .. import private_files


class Turns:
    """The queue of the writers of the database at ``path``, one writer a process. None: there are no others."""

    def __init__(self, path: Path | None) -> None:
        self._descriptor: int | None = None
        if path is not None:
            with suppress(OSError):  # a file system without room or locks: SQLite's own lock is enough to be right
                lock = path.with_name(f"{path.name}-writer")
                private_files.make_file(lock)
                self._descriptor = os.open(lock, os.O_RDWR | os.O_CLOEXEC)

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for one's turn, however long that takes, and pass it on at the end."""
        if self._descriptor is None:
            yield
            return
        with suppress(OSError):
            fcntl.flock(self._descriptor, fcntl.LOCK_EX)
        try:
            yield
        finally:
            with suppress(OSError):
                fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def close(self) -> None:
        """Leave the queue; after a fork the child has to, or it would hold its parent's turn after its end."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
