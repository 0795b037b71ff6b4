"""Forget: files whose time is over, checks of people who are not signed in, old checks, and those of the erased."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.orm import Session

from ..storage import Storage
from ..store import Database
from ..store.batches import changed
from ..store.tables import ArtworkCheck

NOBODY = "page"  # who has a file checked without being signed in
FOLDER = "artwork/"  # where files of checks lie in the storage
_STEP = 100  # checks whose files are deleted between two transactions


def file_key(secret: str, name: str) -> str:
    """Return where a file of a check lies in the storage."""
    return f"{FOLDER}{secret}/{name}"


def forget_checks(session: Session, participant: str) -> int:
    """Drop what staff wrote about a participant's checks, and let their files go at the next turn; return how many.

    Nobody is given a file whose time is over, whether it is deleted already or not.
    """
    table = ArtworkCheck
    mine = table.participant == participant
    changed(session, update(table).where(mine, table.files_until.is_not(None)).values(files_until=table.at))
    return changed(session, update(table).where(mine).values(overruled_reason=None))


def drop_files(database: Database, storage: Storage, now: datetime) -> int:
    """Delete files whose time is over, and the rows of people who were not signed in; return how many checks."""
    return _drop(database, storage, ArtworkCheck.files_until <= now, ArtworkCheck.by == NOBODY)


def drop_checks(database: Database, storage: Storage, before: datetime) -> int:
    """Delete checks that were made before ``before``, with their files; return how many. Their log entries stay."""
    return _drop(database, storage, ArtworkCheck.at < before, ArtworkCheck.at < before)


def _drop(database: Database, storage: Storage, due: ColumnElement[bool], whole: ColumnElement[bool]) -> int:
    """Delete the files of the rows that are ``due``, and the rows themselves where ``whole`` holds.

    Files first: a crash between the two is finished by the next turn.
    """
    table, total = ArtworkCheck, 0
    while True:
        with database.read() as session:
            rows = session.execute(select(table.id, table.secret, table.files).where(due).limit(_STEP)).all()
        for _, secret, files in rows:
            for name in files:
                storage.delete(file_key(secret, name))
        ids = [row.id for row in rows]
        if not ids:
            return total
        database.write(lambda session, ids=ids: _forget(session, ids, whole))  # type: ignore[misc]
        total += len(ids)


def _forget(session: Session, ids: Sequence[str], whole: ColumnElement[bool]) -> None:
    table = ArtworkCheck
    changed(session, delete(table).where(table.id.in_(ids), whole))
    changed(session, update(table).where(table.id.in_(ids)).values(files=[], files_until=None))
