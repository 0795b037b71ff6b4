"""Keep the database small: entries that are many leave it some days after a segment holds them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from ..store import Database
from ..store.audit_tables import Segment
from ..store.batches import changed, until_none
from ..store.tables import Checkpoint, LedgerEntry

#: Kinds that are many and are found in segments; the others stay, so that receipts are quick.
_MANY = ("download", "logo.used")


def drop_entries(database: Database, before: datetime) -> int:
    """Delete rows of entries that are in a segment and were sealed before ``before``; return how many."""
    with database.read() as session:
        segmented = session.scalar(select(Segment.last).order_by(Segment.last.desc()).limit(1))
        old = select(Checkpoint.size).where(Checkpoint.at < before)
        sealed = session.scalar(old.order_by(Checkpoint.size.desc()).limit(1))
    if segmented is None or sealed is None:
        return 0
    condition = (LedgerEntry.leaf < min(segmented + 1, sealed)) & LedgerEntry.kind.in_(_MANY)

    def some(session: Session, most: int) -> int:
        rows = list(session.scalars(select(LedgerEntry.seq).where(condition).limit(most)))
        changed(session, delete(LedgerEntry).where(LedgerEntry.seq.in_(rows)))
        return len(rows)

    return until_none(database, some)
