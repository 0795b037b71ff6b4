"""Proofs of single entries, found by their id or leaf index."""

from __future__ import annotations

import re

from sqlalchemy import select

from ..ledger.proofs import TileReader, receipt
from ..ledger.rows import Rows, StoredCheckpoint
from ..problems import NotFound, NotSealed
from ..storage import Storage
from ..store.database import Database
from ..store.tables import Acceptance, LedgerEntry
from ..verification.policy import Policy
from .reports import Reports

_LOOK_BACK = 12  # checkpoints: a minute of them, in which witnesses have been asked several times


class Receipts:
    """Makes C2SP tlog-proof files of one log."""

    def __init__(self, database: Database, storage: Storage, reports: Reports, policy: Policy | None = None) -> None:
        self.database = database
        self.storage = storage
        self.reports = reports
        self.policy = policy

    def make(self, name: str) -> str:
        """The proof of the entry with this id or leaf index, under the newest checkpoint.

        With a policy it is the newest one that the quorum of witnesses has cosigned, where one has the entry.
        NotFound where there is no such entry, NotSealed where it is written but not in a checkpoint yet.
        """
        leaf = int(name) if re.fullmatch(r"0|[1-9][0-9]{0,17}", name) else self.leaf(name)
        checkpoint = self.reports.checkpoint(None)
        if leaf >= checkpoint.size:
            raise NotSealed(headers={"Retry-After": "10"})
        checkpoint = self._cosigned(leaf) or checkpoint
        return receipt(TileReader(self.storage, checkpoint.size), leaf, checkpoint)

    def _cosigned(self, leaf: int) -> StoredCheckpoint | None:
        """The newest checkpoint with the leaf that the quorum has cosigned, of those of the last minute."""
        if self.policy is None or self.policy.quorum is None:
            return None
        for made in Rows(self.database).latest(_LOOK_BACK):
            seen = {item.witness for item in self.policy.cosignatures(made.note.encode())}
            if made.size > leaf and self.policy.met_by(seen):
                return made
        return None

    def leaf(self, entry: str) -> int:
        """The leaf index of an entry's id, from the database or, where it has left that, from the segments."""
        with self.database.read() as session:
            found = session.execute(
                select(LedgerEntry.leaf).where(LedgerEntry.id == entry).order_by(LedgerEntry.seq).limit(1)
            ).first()
        if found is None:
            return self._leaf_in_segments(entry)
        if found.leaf is None:
            raise NotSealed(headers={"Retry-After": "10"})
        return int(found.leaf)

    def _leaf_in_segments(self, entry: str) -> int:
        size = self.reports.segments.end()
        if re.fullmatch(r"[a-z]+_[A-Za-z0-9_-]{8,60}", entry) and size:
            with self.reports.opened(size) as (connection, source):
                query = f"select min(leaf) from {source} where id = $id"  # noqa: S608 - our own table
                leaf = connection.execute(query, {"id": entry}).fetchall()[0][0]
            if leaf is not None:
                return int(leaf)
        raise NotFound("The log has no entry with this id or index.")

    def owner(self, acceptance: str) -> str | None:
        """The participant whose acceptance this id is, None where it is none."""
        with self.database.read() as session:
            return session.scalar(select(Acceptance.participant).where(Acceptance.id == acceptance))
