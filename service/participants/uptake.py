"""Uptake of a version of terms: who accepted it day by day, who has yet to, and a reminder to those.

The database keeps count while people accept (``TermsCount``), and who holds which versions (``TermsStanding``): there
are few sets of versions, however many people, so that nothing here reads all of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, false, func, insert, or_, select
from sqlalchemy.orm import Session as Transaction

from ..campaign import Campaign, TermsVersion
from ..clock import Clock
from ..store import Database, tables
from ..store.derived_tables import TermsCount, TermsStanding
from ..store.paging import Page, encode_cursor, paginate
from ..store.upsert import insert_new
from .correspondence import Correspondence

PAUSE = timedelta(days=3)  # between two reminders of one version to one participant
MOST_REMINDED = 2000  # by one call
_AT_ONCE = 200  # in one transaction
_MANY = 2000  # rows of counts more than there are counts, which is when they are summed
_STEP = 20_000  # rows that are summed in one transaction


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
        count = TermsCount
        mine = (count.terms == version.id, count.versions == version.version, count.day != "")
        with self._database.read() as session:
            numbers = session.execute(
                select(count.day, func.sum(count.number)).where(*mine).group_by(count.day).order_by(count.day)
            ).all()
            left = sum(number for _, number in self._outstanding(session, version))
        by_day = tuple((day, int(number)) for day, number in numbers)
        return Uptake(sum(number for _, number in by_day), left, by_day)

    def outstanding(self, version: TermsVersion, *, cursor: str | None, limit: int) -> Page[Outstanding]:
        """Return a page of those who are still to accept a version, who joined last first."""
        standing, notice = TermsStanding, tables.TermsNotice
        with self._database.read() as session:
            found: list[tuple[datetime, str]] = []
            goes_on = False
            columns: list[Any] = [standing.joined_at, standing.participant]
            for versions, _ in self._outstanding(session, version):
                theirs = select(*columns).where(*of_those(version.id, [versions]))
                page = paginate(session, theirs, standing.joined_at, standing.participant, cursor=cursor, limit=limit)
                found += ((at, name) for at, name in page.items)
                goes_on = goes_on or page.next_cursor is not None
            found.sort(key=lambda one: one[1])
            found.sort(key=lambda one: one[0], reverse=True)
            shown = found[:limit]
            ids = [name for _, name in shown]
            told = select(notice.participant, notice.at).where(notice.participant.in_(ids), *_of(version))
            at = {row.participant: row.at for row in session.execute(told)}
        following = encode_cursor(*shown[-1]) if goes_on or len(found) > limit else None
        return Page(tuple(Outstanding(name, at.get(name)) for name in ids), following)

    def fold(self) -> None:
        """Sum the counts where many rows have come, in steps, so that reading them stays short."""
        count = TermsCount
        sums = select(count.terms).group_by(count.terms, count.versions, count.day).subquery()
        with self._database.read() as session:
            first, last, rows = session.execute(select(func.min(count.id), func.max(count.id), func.count())).one()
            fewest = session.scalar(select(func.count()).select_from(sums)) or 0
        if rows - fewest < _MANY:
            return
        for start in range(first, last + 1, _STEP):
            self._database.write(partial(_sum, first=start, last=min(last, start + _STEP - 1)))

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
        left = [versions for versions, _ in self._outstanding(session, version)]
        standing = TermsStanding
        statement = (
            select(person.id)
            .join(standing, standing.participant == person.id)
            .where(*of_those(version.id, left), person.email.is_not(None), person.id.not_in(lately))
        )
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

    def _outstanding(self, session: Transaction, version: TermsVersion) -> list[tuple[str, int]]:
        """The sets of versions of those who accepted an earlier version and not this one, with how many that are.

        Whoever has accepted a later one that is in force is asked for none of before.
        """
        newest_first = self._campaign.terms.versions(version.id)
        place = [one.version for one in newest_first].index(version.version)
        now = self._clock()
        enough = {version.version, *(one.version for one in newest_first[:place] if one.effective <= now)}
        earlier = {one.version for one in newest_first[place + 1 :]}
        held = [({*versions.split()}, versions, number) for versions, number in holders(session, version.id)]
        return [(versions, number) for some, versions, number in held if some & earlier and not some & enough]


def holders(session: Transaction, terms: str) -> list[tuple[str, int]]:
    """Return the sets of versions that approved participants have accepted, each with how many have just that."""
    count = TermsCount
    numbers = select(count.versions, func.sum(count.number)).where(count.terms == terms, count.day == "")
    found = session.execute(numbers.group_by(count.versions).order_by(count.versions))
    return [(versions, int(number)) for versions, number in found if number]


def held_by(session: Transaction, sets: Mapping[str, Collection[str]]) -> int:
    """Count approved participants who hold one of these sets of versions, by the id of the terms."""
    if len(sets) == 1:
        ((terms, wanted),) = sets.items()
        return sum(number for versions, number in holders(session, terms) if versions in wanted)
    conditions = [and_(*of_those(terms, wanted)) for terms, wanted in sets.items()]
    distinct = select(func.count(TermsStanding.participant.distinct()))
    return session.scalar(distinct.where(or_(false(), *conditions))) or 0


def of_those(terms: str, sets: Collection[str]) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions of those who are approved and hold just one of these sets of versions."""
    standing = TermsStanding
    return standing.terms == terms, standing.approved.is_(True), standing.versions.in_(sets)


def _sum(session: Transaction, first: int, last: int) -> None:
    """Put the sums of some rows in their place. Of two at once each sums what it deletes."""
    count = TermsCount
    gone = delete(count).where(count.id.between(first, last))
    rows = session.execute(gone.returning(count.terms, count.versions, count.day, count.number)).all()
    sums: Counter[tuple[str, str, str]] = Counter()
    for terms, versions, day, number in rows:
        sums[terms, versions, day] += number
    made = [
        {"terms": terms, "versions": versions, "day": day, "number": number}
        for (terms, versions, day), number in sums.items()
        if number
    ]
    if made:
        session.execute(insert(count), made)


def _of(version: TermsVersion) -> tuple[ColumnElement[bool], ...]:
    notice = tables.TermsNotice
    return notice.terms == version.id, notice.version == version.version
