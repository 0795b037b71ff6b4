"""Each day's last checkpoint, mailed to the auditors: what they keep, nobody can rewrite unseen."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..clock import Clock
from ..mail import Mailer
from ..store.audit_tables import MailedCheckpoint
from ..store.database import Database
from ..store.tables import Checkpoint
from ..store.upsert import insert_new
from ..verification.signed_note import MARK

_TEXT = """The log's last checkpoint of {day} ({size} entries) is below. Keep this mail.

With it, nothing that was recorded until then can be removed or changed without your seeing it. To check
that the log of today still continues it, save this mail, or the lines between the marks, and run

    emblem audit verify --url {base_url} --since FILE

{mark}
{note}{mark}
"""


class DailyCheckpoint:
    """Mails the last checkpoint of each day that is over, once."""

    def __init__(
        self, database: Database, clock: Clock, mailer: Mailer, auditors: Sequence[str], base_url: str
    ) -> None:
        self.database = database
        self.clock = clock
        self.mailer = mailer
        self.auditors = auditors
        self.base_url = base_url

    def run(self) -> bool:
        """Mails what is due; True where this call did. Of several processes exactly one does."""
        now = self.clock()
        midnight = datetime.combine(now.date(), time(tzinfo=UTC))
        if not self.auditors or now < midnight + timedelta(minutes=1):
            return False
        with self.database.read() as session:
            last = session.scalar(
                select(Checkpoint).where(Checkpoint.at < midnight).order_by(Checkpoint.size.desc()).limit(1)
            )
            if last is None:
                return False
            day, size, note = last.at.date().isoformat(), last.size, last.note
            if session.get(MailedCheckpoint, day) is not None:
                return False
        text = _TEXT.format(mark=MARK, day=day, size=size, note=note, base_url=self.base_url)

        def work(session: Session) -> bool:
            if not insert_new(session, MailedCheckpoint, day=day, size=size, at=now):
                return False
            for address in self.auditors:
                self.mailer.add(session, address, f"Checkpoint of {day}: {size} entries", text)
            return True

        if not self.database.write(work):
            return False
        self.mailer.leave()
        return True
