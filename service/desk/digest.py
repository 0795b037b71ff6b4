"""The digest: who waits, mailed to each person of the staff once a working day, for the cases that are theirs.

Names stay in the console: the mail says kind, country and time of each case, and leads to it.
"""

from __future__ import annotations

from datetime import datetime
from functools import partial
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from .. import paths
from ..campaign import Campaign
from ..clock import Clock
from ..participants import Staff, StaffMemberView
from ..store import Database, tables
from ..store.desk_tables import Case, DeskDigest
from ..store.upsert import insert_new
from .letters import DeskMail
from .signed_links import SignedLinks
from .states import State
from .teams import Teams

_MOST = 20  # cases that a mail names


class Digest:
    """Mails staff who waits."""

    def __init__(
        self,
        database: Database,
        campaign: Campaign,
        clock: Clock,
        mail: DeskMail,
        staff: Staff,
        teams: Teams,
        links: SignedLinks,
    ) -> None:
        self._database = database
        self._policy = campaign.desk
        self._clock = clock
        self._mail = mail
        self._staff = staff
        self._teams = teams
        self._links = links

    def run(self) -> int:
        """Mail everybody for whom somebody waits, once a day; return how many. Any number of processes may do it."""
        now, hour = self._clock(), self._policy.digest.hour
        local = now.astimezone(ZoneInfo(self._policy.clock.zone))
        if hour is None or local.hour < hour or not self._policy.clock.works_on(local.date()):
            return 0
        day = local.date().isoformat()
        with self._database.read() as session:
            told = set(session.scalars(select(DeskDigest.staff).where(DeskDigest.day == day)))
            due = [one for one in self._staff.present(session) if one.digest and one.id not in told]
        sent = sum(self._database.write(partial(self._tell, member=member, day=day, now=now)) for member in due)
        if sent:
            self._mail.leave()
        return sent

    def reader(self, token: str) -> str:
        """Return the id of the person to whom this link was sent. Raises NotFound."""
        return self._links.reader(token)

    def off(self, token: str) -> None:
        """Mail whoever this link was sent to no more. Raises NotFound."""
        self._staff.digests(self.reader(token), wanted=False)

    def _tell(self, session: Session, member: StaffMemberView, day: str, now: datetime) -> bool:
        """Mark the day for a person, and add the mail where there is something to tell."""
        if not insert_new(session, DeskDigest, staff=member.id, day=day, at=now):
            return False
        person = tables.Participant
        statement = select(Case, person).outerjoin(person, person.id == Case.participant)
        statement = statement.where(Case.status == State.OPEN).order_by(Case.due_at, Case.id)
        scope = self._teams.scope(session, member.id)
        if scope is not None:
            statement = statement.where(scope.condition())
        waiting = [(case, owner) for case, owner in session.execute(statement)]
        if not waiting:
            return False
        late = sum(case.due_at < now for case, _ in waiting)
        off = paths.digest_end("en", self._links.digest(member.id))
        self._mail.digest(session, member.email, waiting[:_MOST], len(waiting), late, off)
        return True
