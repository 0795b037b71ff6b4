"""Kept answers of requests with an ``Idempotency-Key``: how long they are kept, and their end."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import delete

from .database import Database
from .tables import IdempotentRequest

KEPT = timedelta(hours=24)


def purge(database: Database, now: datetime) -> None:
    """Delete the answers that are kept no longer."""
    database.write(
        lambda session: session.execute(delete(IdempotentRequest).where(IdempotentRequest.created_at < now - KEPT))
    )
