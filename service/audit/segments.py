"""Segments: sealed entries as immutable Parquet files, by day, readable by any engine as they are.

A segment takes the leaves from the end of the one before it up to 65,536 more, or up to the last
checkpoint of the day, whichever is fewer. Its rows go into one file for each day on which its facts
happened: ``segments/day=YYYY-MM-DD/<first leaf>-<last leaf>.parquet``. Entries that are sealed and in no
segment yet are the tail, which is read from the database; it is bounded by the same rule.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from .. import private_files
from ..clock import Clock
from ..media_types import MEDIA_TYPES
from ..problems import LogDamaged
from ..storage import Storage
from ..store.audit_tables import Segment
from ..store.database import Database
from ..store.leadership import leadership
from ..store.tables import Checkpoint, LedgerEntry
from .entry_table import DERIVED, FIELDS, as_column, columns_of, connect, load_entries, select_files, write_segment

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

ROWS = 65_536  # leaves of a segment at most: 256 full tiles
_PARQUET = MEDIA_TYPES["parquet"]
_READ = 10_000  # rows read from the database at a time


@dataclass(frozen=True)
class SegmentFile:
    """A Parquet file of the entries of one day among the leaves ``first`` to ``last``."""

    first: int
    last: int
    day: str
    rows: int
    key: str
    sha256: str


class Segments:
    """Writes and reads the segments of one deployment."""

    def __init__(self, database: Database, storage: Storage, data_dir: Path, clock: Clock) -> None:
        self.database = database
        self.storage = storage
        self.data_dir = data_dir
        self.clock = clock
        self.rows = ROWS
        self._columns: dict[str, frozenset[str]] = {}  # of files by their key: a file never changes
        self._new = data_dir / "segments.new"  # where files are made, by one leader at a time
        self.step: Callable[[str], None] = lambda _name: None

    def end(self) -> int:
        """The first leaf that is in no segment."""
        with self.database.read() as session:
            last = session.scalar(select(func.max(Segment.last)))
        return 0 if last is None else last + 1

    def size(self) -> int:
        """The size of the newest checkpoint, 0 before the first."""
        with self.database.read() as session:
            return session.scalar(select(func.max(Checkpoint.size))) or 0

    def write(self) -> int:
        """Writes every segment that is due, and gives their number.

        Crash order: files are stored, then all of a segment become rows in one transaction. What a segment
        takes follows from the checkpoints alone, so after a crash the same files come out again; one that
        is there already is taken as it is if it says the same, and is ``LogDamaged`` if it does not.
        """
        count = 0
        with leadership(self.database, self.data_dir, name="segments") as held:
            if held is not None:
                self._clear()  # what is there is of a leader that was killed
            while held is not None and (due := self._due()):
                self._write(*due)
                count += 1
        return count

    def files(self, size: int) -> list[SegmentFile]:
        """The files with leaves below ``size``, in order."""
        with self.database.read() as session:
            rows = session.scalars(select(Segment).where(Segment.first < size).order_by(Segment.first, Segment.day))
            return [SegmentFile(row.first, row.last, row.day, row.rows, row.key, row.sha256) for row in rows]

    def local(self, file: SegmentFile) -> Path:
        """The file's path here; fetched once where storage is elsewhere: it never changes, so no copy goes stale."""
        path = self.storage.local_path(file.key)
        if path is not None:
            return path
        path = self.data_dir / "segments" / f"{file.sha256}.parquet"
        if not path.exists():
            data = self.storage.read(file.key)
            if hashlib.sha256(data).hexdigest() != file.sha256:
                raise LogDamaged(f"{file.key} is not the file that was written. Restore it from a copy of the storage.")
            private_files.make_folder(path.parent)
            with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as staged:
                staged.write(data)
            Path(staged.name).replace(path)
        return path

    def selected(self, connection: DuckDBPyConnection, files: Sequence[SegmentFile]) -> list[str]:
        """SQL for the rows of these files in the shape of ``COLUMNS``, one statement for files of one schema."""
        paths = {self.local(file): file.key for file in files}
        unseen = [path for path, key in paths.items() if key not in self._columns]
        for path, columns in columns_of(connection, unseen).items():
            self._columns[paths[path]] = columns
        alike: dict[frozenset[str], list[Path]] = {}
        for path, key in paths.items():
            alike.setdefault(self._columns[key], []).append(path)
        return [select_files(columns, some) for columns, some in alike.items()]

    def entries(self, first: int, end: int) -> Iterator[tuple[int, str]]:
        """Leaf and entry of the leaves ``first`` to ``end - 1`` from the database."""
        while first < end:
            statement = (
                select(LedgerEntry.leaf, LedgerEntry.body)
                .where(LedgerEntry.leaf >= first, LedgerEntry.leaf < min(first + _READ, end))
                .order_by(LedgerEntry.leaf)
            )
            with self.database.read() as session:
                rows = session.execute(statement).all()
            if len(rows) != min(_READ, end - first):
                raise LogDamaged(
                    f"Entries from leaf {first} on are gone from the database before they were in a segment. "
                    "Restore the database from a backup."
                )
            yield from ((leaf or 0, body) for leaf, body in rows)
            first += _READ

    def _due(self) -> tuple[int, int] | None:
        """First leaf and end of the next segment, None where none is due."""
        first = self.end()
        with self.database.read() as session:
            begun = session.scalar(
                select(Checkpoint.at).where(Checkpoint.size > first).order_by(Checkpoint.size).limit(1)
            )
            if begun is None:
                return None
            midnight = datetime.combine(begun.date() + timedelta(days=1), time(tzinfo=UTC))
            of_day = session.scalar(select(func.max(Checkpoint.size)).where(Checkpoint.at < midnight)) or 0
        if of_day >= first + self.rows:
            return first, first + self.rows
        # A minute after midnight, so that clocks of two machines that differ by seconds cannot disagree.
        if self.clock() >= midnight + timedelta(minutes=1):
            return first, of_day
        return None

    def _write(self, first: int, end: int) -> None:
        now = self.clock()
        with self._folder() as folder:
            connection = connect(threads=1)
            load_entries(connection, "segment", self.entries(first, end))
            found = []
            days = connection.execute(
                "select cast(happened_at as date)::varchar, count(*) from segment group by 1 order by 1"
            )
            for day, rows in days.fetchall():
                path = folder / f"{day}.parquet"
                write_segment(
                    connection, f"from segment where cast(happened_at as date) = date '{day}' order by leaf", path
                )
                key = f"segments/day={day}/{first:012d}-{end - 1:012d}.parquet"
                self.step("made")
                if not self.storage.put_new(key, path, _PARQUET):
                    self._adopt(connection, key, path)
                self.step("stored")
                data = path.read_bytes()
                found.append(
                    Segment(
                        first=first,
                        day=day,
                        last=end - 1,
                        rows=rows,
                        key=key,
                        bytes=len(data),
                        sha256=hashlib.sha256(data).hexdigest(),
                        at=now,
                    )
                )
            connection.close()
            self.database.write(lambda session: session.add_all(found))
            self.step("entered")

    def _adopt(self, connection: DuckDBPyConnection, key: str, made: Path) -> None:
        """Takes the file that is there in place of the one made, where both say the same."""
        there = made.with_suffix(".there")
        there.write_bytes(self.storage.read(key))
        try:
            rows = [
                f"({select_files(columns, [path])})" for path, columns in columns_of(connection, [made, there]).items()
            ]
            differ = sum(
                connection.execute(f"select count(*) from ({a} except all {b})").fetchall()[0][0]  # noqa: S608 - our names
                for a, b in (rows, rows[::-1])
            )
        except Exception as error:
            raise LogDamaged(
                f"{key} in storage is no segment that can be read. Remove it.", private=str(error)
            ) from error
        if differ:
            raise LogDamaged(
                f"{key} in storage does not say what the log says. Find out who changed it, then remove it."
            )
        there.replace(made)

    @contextmanager
    def _folder(self) -> Iterator[Path]:
        private_files.make_folder(self._new)
        try:
            yield self._new
        finally:
            self._clear()

    def _clear(self) -> None:
        shutil.rmtree(self._new, ignore_errors=True)


class Comparison:
    """Compares Parquet files with a verified log: every row with its leaf, and every leaf below ``end`` once.

    ``leaf_hash`` gives the hash of a leaf, nothing for one that the log does not have.
    """

    def __init__(self, leaf_hash: Callable[[int], bytes], end: int) -> None:
        self.leaf_hash = leaf_hash
        self.end = end
        self._seen = bytearray((end + 7) // 8)  # a bit a leaf
        self._connection = connect()

    def close(self) -> None:
        """Lets go of DuckDB."""
        self._connection.close()

    def add(self, path: Path) -> tuple[int | None, str] | None:
        """Find where a file first disagrees with the log, and how; None where all of it agrees.

        Each row's entry must have the hash of its leaf, each column must say what the entry says, and no
        leaf may stand there twice. The place is None where the file cannot be read as a segment.
        """
        import duckdb

        file = {"file": str(path)}
        stored = "from read_parquet($file, hive_partitioning=false)"
        try:
            (columns,) = columns_of(self._connection, [path]).values()
            differ = " or ".join(
                f"{as_column(name)} is distinct from {what}" for name, what in DERIVED.items() if name in columns
            )
            for leaf, entry in self._connection.execute(f"select leaf, entry {stored} order by leaf", file).fetchall():
                if not isinstance(leaf, int) or not isinstance(entry, str):
                    return None, "it has rows without a leaf or an entry"
                if hashlib.sha256(b"\x00" + entry.encode()).digest() != self.leaf_hash(leaf):
                    return leaf, "the row is not what the log says"
                if leaf < self.end and self._note(leaf):
                    return leaf, "the leaf is there twice"
            found = self._connection.execute(
                f"select min(leaf) from (select *, {FIELDS} as f {stored}) where {differ}",  # noqa: S608 - our names
                file,
            ).fetchall()
        except duckdb.Error:
            return None, "it cannot be read as a file of entries"
        return None if found[0][0] is None else (int(found[0][0]), "a column does not say what the entry says")

    def missing(self) -> int | None:
        """Find the first leaf below ``end`` that was in no file; None where all were."""
        for place, byte in enumerate(self._seen):
            if byte != 0xFF:
                found = 8 * place + next(bit for bit in range(8) if not byte >> bit & 1)
                return found if found < self.end else None
        return None

    def _note(self, leaf: int) -> bool:
        """Notes that a leaf was there, and says whether it had been before."""
        before = bool(self._seen[leaf >> 3] >> (leaf & 7) & 1)
        self._seen[leaf >> 3] |= 1 << (leaf & 7)
        return before
