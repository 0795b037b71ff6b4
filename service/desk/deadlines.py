"""Tell both sides, once, of a case that waits for too long."""

from __future__ import annotations

from sqlalchemy.orm import Session

from ..clock import Clock
from ..store import Database
from .letters import DeskMail
from .reading import overdue
from .rows import locked
from .states import State
from .teams import Teams

_AT_ONCE = 100  # cases that a turn tells of


class Deadlines:
    """Tells applicants, and the staff whose cases they are, of cases whose time has passed."""

    def __init__(self, database: Database, clock: Clock, mail: DeskMail, teams: Teams) -> None:
        self._database = database
        self._clock = clock
        self._mail = mail
        self._teams = teams

    def tell(self) -> int:
        """Mail both sides of each case that has become overdue; return how many. What is told is marked with it."""
        with self._database.read() as session:
            late = overdue(session, self._clock(), _AT_ONCE)
        told = sum(self._database.write(lambda session, case=case: self._tell(session, case)) for case in late)  # type: ignore[misc]
        if told:
            self._mail.leave()
        return told

    def _tell(self, session: Session, case: str) -> bool:
        row, person = locked(session, case)
        now = self._clock()
        if row.status != State.OPEN or row.due_at >= now or row.overdue_told_at is not None:
            return False
        row.overdue_told_at = now
        self._mail.overdue(session, row, person, self._teams.hearers(session, row, person))
        return True
