"""Work on many rows in steps of bounded length, so that other writers get their turn between two of them."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic, sleep
from typing import Any, cast

from sqlalchemy import CursorResult, Delete, Update
from sqlalchemy.orm import Session

from .database import Database

_FIRST = 500  # rows of the first step
_FEWEST, _MOST = 50, 5_000
_AIM = 0.05  # seconds a step
_PAUSE = 0.005  # seconds between two steps: a lock's queue is not served in order, and whoever waits needs a moment


def until_none(database: Database, some: Callable[[Session, int], int]) -> int:
    """Call ``some``, which works on at most so many rows, in a transaction each, until it returns 0; the total.

    The number follows what the steps take, so that whoever writes meanwhile waits for a twentieth of a second,
    however large the rows' indexes and however slow or busy the machine.
    """
    total, most = 0, _FIRST
    took = 0.0

    def step(session: Session) -> int:
        nonlocal took
        begun = monotonic()
        done = some(session, most)
        session.flush()
        took = monotonic() - begun
        return done

    while done := database.write(step):
        total += done
        # At once to fewer rows, and by halves to more: a step that is too long holds up everybody.
        most = max(_FEWEST, min(_MOST, int(most * min(1.5, _AIM / max(took, 0.001)))))
        sleep(_PAUSE)
    return total


def changed(session: Session, statement: Delete | Update) -> int:
    """Run a statement on whole rows, past the objects of the session; return how many rows it changed."""
    result = session.execute(statement.execution_options(synchronize_session=False))
    return cast(CursorResult[Any], result).rowcount
