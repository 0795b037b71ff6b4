"""Terms of permission: approvals that end, reminders before the end, and what has lapsed.

When one ends follows from the day of its decision and the campaign's ``desk.yaml``; nothing is kept but that somebody
was reminded. A renewal is a new decision, and begins anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import select
from sqlalchemy.orm import Session as Transaction

from ..campaign import Campaign
from ..clock import Clock
from ..store import Database, tables
from ..store.upsert import insert_new
from .correspondence import Correspondence
from .decisions import Ruling, record
from .views import BY_RULE

REMINDED = (30, 7)  # days before the end
LAPSED = "lapsed"
RULE = "permission-ended"


def ends_at(
    campaign: Campaign, kind: str, purposes: Sequence[str], outcome: str, decided_at: datetime | None
) -> datetime | None:
    """Return when an approval of that day ends; None where it does not, or nothing is approved."""
    days = campaign.desk.permission_days(kind, tuple(purposes))
    if days is None or decided_at is None or outcome not in ("approved", LAPSED):
        return None
    return decided_at + timedelta(days=days)


class Permissions:
    """Reminds those whose permission ends, and ends it."""

    def __init__(self, database: Database, campaign: Campaign, clock: Clock, correspondence: Correspondence) -> None:
        self._database = database
        self._campaign = campaign
        self._clock = clock
        self._correspondence = correspondence

    def run(self) -> tuple[int, int]:
        """Lapse what has ended and remind of what ends soon; return how many of each. Any number of processes may."""
        shortest = self._campaign.desk.shortest_permission
        if shortest is None:
            return 0, 0
        now = self._clock()
        lapsed = reminded = 0
        for participant, end in self._ending(now, shortest):
            if end <= now:
                lapsed += self._database.write(partial(self._lapse, participant=participant))
            else:
                days = min(days for days in REMINDED if end - now <= timedelta(days=days))
                reminded += self._database.write(partial(self._remind, participant=participant, days=days))
        if lapsed or reminded:
            self._correspondence.leave()
        return lapsed, reminded

    def _ending(self, now: datetime, shortest: int) -> list[tuple[str, datetime]]:
        """Return the approved whose permission has ended or ends within the longest reminder."""
        row, soon = tables.Participant, now + timedelta(days=max(REMINDED))
        found = []
        with self._database.read() as session:
            columns = row.id, row.kind, row.purposes, row.outcome, row.decided_at
            query = select(*columns).where(row.status == "approved", row.decided_at <= soon - timedelta(days=shortest))
            for participant, kind, purposes, outcome, at in session.execute(query.execution_options(yield_per=1000)):
                end = ends_at(self._campaign, kind, purposes, outcome, at)
                if end is not None and end <= soon:
                    found.append((participant, end))
        return found

    def _end(self, row: tables.Participant | None) -> datetime | None:
        """Return when the permission of a locked row ends, if it is approved now."""
        if row is None or row.status != "approved":
            return None
        return ends_at(self._campaign, row.kind, row.purposes, row.outcome, row.decided_at)

    def _lapse(self, session: Transaction, participant: str) -> int:
        now, row = self._clock(), session.get(tables.Participant, participant, with_for_update=True)
        end = self._end(row)
        if row is None or end is None or end > now:
            return 0  # renewed meanwhile
        record(session, row, Ruling(LAPSED, (), RULE, self._campaign.digest, BY_RULE), now)
        if row.email:
            self._correspondence.add_permission_lapsed(session, row.email, row.language)
        return 1

    def _remind(self, session: Transaction, participant: str, days: int) -> int:
        now, row = self._clock(), session.get(tables.Participant, participant, with_for_update=True)
        end = self._end(row)
        if row is None or end is None or end - now > timedelta(days=days) or not row.email:
            return 0
        if not insert_new(session, tables.PermissionNotice, participant=participant, ends_at=end, days=days, at=now):
            return 0
        self._correspondence.add_permission_ends(session, row.email, row.language, end)
        return 1
