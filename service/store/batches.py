"""Work on many rows in steps of bounded size, so that other writers get their turn between two of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from sqlalchemy import CursorResult, Delete, Update
from sqlalchemy.orm import Session

from .database import Database

STEP = 2_000  # rows a transaction


def until_none(database: Database, some: Callable[[Session], int]) -> int:
    """Call ``some``, which works on at most ``STEP`` rows, in a transaction each, until it returns 0; the total."""
    total = 0
    while done := database.write(some):
        total += done
    return total


def changed(session: Session, statement: Delete | Update) -> int:
    """Run a statement on whole rows, past the objects of the session; return how many rows it changed."""
    result = session.execute(statement.execution_options(synchronize_session=False))
    return cast(CursorResult[Any], result).rowcount
