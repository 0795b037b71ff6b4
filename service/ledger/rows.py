"""The sealer's SQL: bulk statements, the same meaning on SQLite and PostgreSQL."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Executable, func, insert, select, text, update
from sqlalchemy.orm import Session

from ..problems import Unavailable
from ..store.audit_tables import LogKey
from ..store.database import Database
from ..store.tables import Checkpoint, LedgerEntry

# A row is taken when its transaction ended before every one that still runs (id below the snapshot's
# oldest): whoever commits later has a higher id, so the order by (xid, seq) never changes behind us.
# Ids at or above the snapshot's end come from another cluster (a restored dump): those are committed too.
_UNSEALED = {
    "postgresql": """
        select seq, body from ledger_entries
        where leaf is null and (
            xid < pg_snapshot_xmin(pg_current_snapshot())::text::bigint
            or xid >= pg_snapshot_xmax(pg_current_snapshot())::text::bigint)
        order by xid, seq limit :limit""",
    # One writer at a time: the order of seq is the order of commits.
    "sqlite": "select seq, body from ledger_entries where leaf is null order by xid, seq limit :limit",
}


#: columns alone: a row of the ORM costs three times as much, and the newest checkpoint is asked for all the time
_CHECKPOINTS = select(Checkpoint.size, Checkpoint.root, Checkpoint.note, Checkpoint.at)


@dataclass(frozen=True)
class StoredCheckpoint:
    """A checkpoint as the database has it; ``root`` in hex."""

    size: int
    root: str
    note: str
    at: datetime


class Rows:
    """Reads and changes the rows of the ledger."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def newest(self) -> StoredCheckpoint | None:
        """The newest checkpoint, None before the first."""
        return self._one(_CHECKPOINTS.order_by(Checkpoint.size.desc()).limit(1))

    def checkpoint(self, size: int) -> StoredCheckpoint | None:
        """The checkpoint of exactly this size."""
        return self._one(_CHECKPOINTS.where(Checkpoint.size == size))

    def latest(self, count: int) -> list[StoredCheckpoint]:
        """The newest checkpoints, newest first."""
        with self.database.read() as session:
            rows = session.scalars(select(Checkpoint).order_by(Checkpoint.size.desc()).limit(count))
            return [StoredCheckpoint(row.size, row.root, row.note, row.at) for row in rows]

    def sizes_near(self, size: int) -> list[int]:
        """The sizes of the checkpoints just below and above ``size``."""
        below = select(func.max(Checkpoint.size)).where(Checkpoint.size < size)
        above = select(func.min(Checkpoint.size)).where(Checkpoint.size > size)
        with self.database.read() as session:
            return [found for found in (session.scalar(below), session.scalar(above)) if found is not None]

    def _one(self, statement: Executable) -> StoredCheckpoint | None:
        with self.database.read() as session:
            row = session.execute(statement).first()
            return StoredCheckpoint(row.size, row.root, row.note, row.at) if row else None

    def staged(self, size: int, limit: int) -> list[tuple[int, bytes]]:
        """Leaf and entry of rows with an index from ``size`` on, in order: what a crash left between stage and swap."""
        statement = text("select leaf, body from ledger_entries where leaf >= :size order by leaf limit :limit")
        with self.database.read() as session:
            rows = session.execute(statement, {"size": size, "limit": limit}).all()
        return [(leaf, body.encode()) for leaf, body in rows]

    def waiting(self) -> bool:
        """Tell whether there are rows without an index, or with one beyond the newest checkpoint."""
        statement = text(
            "select exists (select 1 from ledger_entries where leaf is null) or exists ("
            "select 1 from ledger_entries where leaf >= (select coalesce(max(size), 0) from checkpoints))"
        )
        with self.database.read() as session:
            return bool(session.scalar(statement))

    def oldest_unsealed(self) -> datetime | None:
        """Return when the oldest entry without an index was made; None where none waits."""
        with self.database.read() as session:
            return session.scalar(select(func.min(LedgerEntry.at)).where(LedgerEntry.leaf.is_(None)))

    def unsealed(self, limit: int) -> list[tuple[int, bytes]]:
        """Sequence number and entry of committed rows without an index, in the order in which they are sealed."""
        statement = text(_UNSEALED[self.database.engine.dialect.name])
        with self.database.read() as session:
            rows = session.execute(statement, {"limit": limit}).all()
        return [(seq, body.encode()) for seq, body in rows]

    def assign(self, session: Session, seqs: Sequence[int], first: int) -> None:
        """Gives the rows the indexes from ``first`` on. Unavailable where another sealer was quicker."""
        connection = session.connection()
        if self.database.is_sqlite:
            # One statement: the driver lets go of the interpreter's lock at each, and waits for it with the only
            # writer's place taken while other threads serve. The + keeps SQLite from looking each entry without an
            # index up among all of them.
            result = connection.exec_driver_sql(
                "update ledger_entries set leaf = ? + place.key from json_each(?) as place "
                "where ledger_entries.seq = place.value and +leaf is null",
                (first, json.dumps(list(seqs))),
            )
        else:
            result = connection.exec_driver_sql(
                "update ledger_entries e set leaf = s.leaf "
                "from unnest(%s::bigint[], %s::bigint[]) as s (seq, leaf) where e.seq = s.seq and e.leaf is null",
                (list(seqs), list(range(first, first + len(seqs)))),
            )
        if result.rowcount != len(seqs):
            raise Unavailable(private="another sealer gave these rows their indexes")

    @staticmethod
    def swap(session: Session, before: int | None, size: int, root: str, note: str, at: datetime) -> None:
        """Puts the new checkpoint after the one of size ``before``. Unavailable where that is no longer the newest."""
        newest = session.scalar(select(func.max(Checkpoint.size)))
        if newest == size:
            return  # a call that was reported as failed had succeeded; the caller compares the notes
        if newest != before:
            raise Unavailable(private=f"the newest checkpoint is {newest}, not {before}")
        session.execute(insert(Checkpoint).values(size=size, root=root, note=note, at=at))

    def rewrite_note(self, size: int, note: str) -> None:
        """Replaces the signatures of a checkpoint; its statement is the same."""
        self.database.write(
            lambda session: session.execute(update(Checkpoint).where(Checkpoint.size == size).values(note=note))
        )

    def vkeys(self) -> list[str]:
        """Every registered verifier key, newest first."""
        with self.database.read() as session:
            return list(session.scalars(select(LogKey.vkey).order_by(LogKey.number.desc())))

    @staticmethod
    def add_key(session: Session, vkey: str, at: datetime) -> None:
        """Registers a verifier key as the newest."""
        number = (session.scalar(select(func.max(LogKey.number))) or 0) + 1
        session.add(LogKey(number=number, vkey=vkey, added_at=at))
        session.flush()
