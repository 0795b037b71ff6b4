"""Kept answers of requests with an ``Idempotency-Key``: how long they are kept, and their end."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Text, cast, delete, or_
from sqlalchemy.orm import Session

from .batches import changed
from .database import Database
from .tables import IdempotentRequest

KEPT = timedelta(hours=24)


def purge(database: Database, now: datetime) -> None:
    """Delete the answers that are kept no longer."""
    database.write(
        lambda session: session.execute(delete(IdempotentRequest).where(IdempotentRequest.created_at < now - KEPT))
    )


def forget_answers(session: Session, values: Sequence[str]) -> int:
    """Delete the kept answers that hold one of these values, in this transaction; return how many."""
    answer = cast(IdempotentRequest.answer, Text)
    # Stored as JSON, so that is how the values are written there.
    held = or_(*(answer.contains(json.dumps(value), autoescape=True) for value in values))
    return changed(session, delete(IdempotentRequest).where(held))
