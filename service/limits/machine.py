"""Counts for all processes of one machine, in a file: of many at once no more get through than may.

For what happens seldom and must not be exceeded, such as forms that send mail. Each count is one transaction of
SQLite. What the file holds are keyed by digests and gone with their window; it may be deleted at any time.
"""

from __future__ import annotations

import hashlib
import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from .. import private_files

_WAIT = 5.0  # seconds for another process to finish its count
_TABLE = "CREATE TABLE IF NOT EXISTS hits (who BLOB NOT NULL, at REAL NOT NULL, until REAL NOT NULL)"
_INDEXES = (
    "CREATE INDEX IF NOT EXISTS hits_who ON hits (who, at)",
    "CREATE INDEX IF NOT EXISTS hits_until ON hits (until)",
)


@dataclass(frozen=True)
class Window:
    """State of a sliding window: whether one more was let through, how many may follow, and when it is free again."""

    allowed: bool
    remaining: int
    reset: float


class MachineCounter:
    """Counts in a file that the processes of a machine share."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def hit(self, name: str, who: str, *, amount: int, seconds: int, count: bool) -> Window:
        """Let one through where fewer than ``amount`` were in the last ``seconds``; without ``count`` only look.

        Raises OSError or sqlite3.Error where the file cannot be used.
        """
        digest = hashlib.sha256(f"{name}\0{who}".encode("utf-8", "surrogatepass")).digest()
        now = time.time()
        with closing(self._open()) as connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("DELETE FROM hits WHERE until <= ?", (now,))
            since = now - seconds
            row = connection.execute("SELECT count(*), min(at) FROM hits WHERE who = ? AND at > ?", (digest, since))
            used, oldest = row.fetchone()
            allowed = used < amount
            if allowed and count:
                connection.execute("INSERT INTO hits VALUES (?, ?, ?)", (digest, now, now + seconds))
                used, oldest = used + 1, now if oldest is None else oldest
            connection.execute("COMMIT")
        return Window(allowed, max(0, amount - used), (now if oldest is None else oldest) + seconds)

    def _open(self) -> sqlite3.Connection:
        if not self._file.exists():
            private_files.make_folder(self._file.parent)
            private_files.make_file(self._file)  # SQLite's other files take its mode
        connection = sqlite3.connect(self._file, timeout=_WAIT, isolation_level=None)
        try:
            connection.execute("PRAGMA synchronous = OFF")  # counts of the last hour need not outlive a power cut
            connection.execute(_TABLE)
            for index in _INDEXES:
                connection.execute(index)
        except BaseException:
            connection.close()
            raise
        return connection
