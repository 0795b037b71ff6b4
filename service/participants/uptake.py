"""Uptake of a version of terms: who accepted it day by day, who has yet to, and a reminder to those."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session as Transaction

from ..campaign import Campaign, TermsVersion
from ..clock import Clock
from ..store import Database, tables
from ..store.paging import Page, paginate
from ..store.upsert import insert_new
from .correspondence import Correspondence

PAUSE = timedelta(days=3)  # between two reminders of one version to one participant
MOST_REMINDED = 2000  # by one call
_AT_ONCE = 200  # in one transaction


@dataclass(frozen=True)
class Outstanding:
    """A participant who accepted an earlier version and not this one; ``told_at`` is when it was last reminded."""

    id: str
    told_at: datetime | None


@dataclass(frozen=True)
class Uptake:
    """Numbers of those who accepted a version, all in all and by day, and how many have yet to."""

    accepted: int
    outstanding: int
    by_day: tuple[tuple[str, int], ...]


class TermsUptake:
    """Follows how versions of terms are accepted."""

    def __init__(self, database: Database, campaign: Campaign, clock: Clock, correspondence: Correspondence) -> None:
        self._database = database
        self._campaign = campaign
        self._clock = clock
        self._correspondence = correspondence

    def of(self, version: TermsVersion) -> Uptake:
        """Count the acceptances of a version, and those who are still to accept it."""
        row = tables.Acceptance
        mine = (row.terms == version.id, row.version == version.version)
        with self._database.read() as session:
            day = func.date(row.accepted_at)
            days = session.execute(select(day, func.count()).where(*mine).group_by(day).order_by(day)).all()
            left = session.scalar(select(func.count()).select_from(self._outstanding(version).subquery()))
        by_day = tuple((str(on), int(number)) for on, number in days)
        return Uptake(sum(number for _, number in by_day), left or 0, by_day)

    def outstanding(self, version: TermsVersion, *, cursor: str | None, limit: int) -> Page[Outstanding]:
        """Return a page of those who are still to accept a version, who joined last first."""
        person, notice = tables.Participant, tables.TermsNotice
        with self._database.read() as session:
            statement = self._outstanding(version).add_columns(person)
            page = paginate(session, statement, person.created_at, person.id, cursor=cursor, limit=limit)
            ids = [row[0] for row in page.items]
            told = select(notice.participant, notice.at).where(notice.participant.in_(ids), *_of(version))
            at = {row.participant: row.at for row in session.execute(told)}
        return Page(tuple(Outstanding(name, at.get(name)) for name in ids), page.next_cursor)

    def remind(self, version: TermsVersion) -> int:
        """Mail those who are still to accept a version, nobody twice in three days; return how many, at most 2,000."""
        sent = 0
        while sent < MOST_REMINDED:
            some = self._database.write(lambda session: self._remind_some(session, version))
            sent += some
            if some < _AT_ONCE:
                break
        if sent:
            self._correspondence.leave()
        return sent

    def _remind_some(self, session: Transaction, version: TermsVersion) -> int:
        person, notice = tables.Participant, tables.TermsNotice
        now = self._clock()
        lately = select(notice.participant).where(*_of(version), notice.at > now - PAUSE)
        statement = self._outstanding(version).where(person.email.is_not(None), person.id.not_in(lately))
        ids = list(session.scalars(statement.order_by(person.created_at, person.id).limit(_AT_ONCE)))
        for row in self._locked(session, ids):
            known = session.get(notice, (row.id, version.id, version.version))
            if known is not None:
                known.at = now
            else:
                insert_new(session, notice, participant=row.id, terms=version.id, version=version.version, at=now)
            self._correspondence.add_terms_reminder(session, row, version)
        return len(ids)

    def _locked(self, session: Transaction, ids: list[str]) -> Iterator[tables.Participant]:
        person = tables.Participant
        yield from session.scalars(select(person).where(person.id.in_(ids)).order_by(person.id).with_for_update())

    def _outstanding(self, version: TermsVersion) -> Select[str]:
        """The approved who accepted another version of these terms and not this one."""
        person = tables.Participant
        return select(person.id).where(
            person.status == "approved",
            person.id.in_(_accepted(tables.Acceptance.terms == version.id)),
            person.id.not_in(
                _accepted(tables.Acceptance.terms == version.id, tables.Acceptance.version == version.version)
            ),
        )


def _accepted(*conditions: ColumnElement[bool]) -> Select[str]:
    return select(tables.Acceptance.participant).where(*conditions)


def _of(version: TermsVersion) -> tuple[ColumnElement[bool], ...]:
    notice = tables.TermsNotice
    return notice.terms == version.id, notice.version == version.version
