"""Forget people: what was written in the cases of a participant goes, with the files; that there were cases stays.

Whoever reported a misuse is forgotten some time after it was decided.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from ..store import Database
from ..store.batches import until_none
from ..store.desk_tables import Case, CaseMessage
from . import search
from .endings import forget_endings
from .files import forget_files
from .rows import OPEN, note
from .states import CaseAction, follow


def drop_reporters(database: Database, before: datetime) -> int:
    """Drop the mailbox of who reported a misuse from cases that ended before ``before``; return how many had one."""
    due = (
        Case.kind == "misuse",
        Case.status.not_in(OPEN),
        Case.changed_at < before,
        Case.report["email"].as_string().is_not(None),
    )

    def some(session: Session, most: int) -> int:
        rows = session.scalars(select(Case).where(*due).order_by(Case.id).limit(most).with_for_update()).all()
        for row in rows:
            row.report = {**(row.report or {}), "email": None}
        return len(rows)

    return until_none(database, some)


def forget_cases(session: Session, participant: str, now: datetime, by: str) -> int:
    """Empty the cases of a participant of everything that somebody wrote, and close those that wait; return how many.

    The caller holds the participant's row.
    """
    rows = list(session.scalars(select(Case).where(Case.participant == participant).with_for_update()))
    ids = [row.id for row in rows]
    forget_files(session, ids, now)
    forget_endings(session, participant)
    search.forget(session, ids)
    session.execute(update(CaseMessage).where(CaseMessage.case.in_(ids)).values(text=""))
    for row in rows:
        row.reason = row.answers = row.before = row.report = None
        row.pending = row.pending_until = None
        if row.status in OPEN:
            row.status = follow(row.status, CaseAction.CLOSE).value
        note(session, row, CaseAction.CLOSE, by, now)
    return len(rows)
