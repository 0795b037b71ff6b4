"""Months of downloads on PostgreSQL: a partition for each, made ahead, and dropped whole when it is old.

A download goes into the partition of the month of its instant (UTC). What was there before months were kept apart is
``downloads_past``, and what no month takes, such as of a clock that is years ahead, is in ``downloads_other``, so that
a download is recorded whatever happens. SQLite has one table, and none of this does anything there.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from . import advisory
from .database import Database

AHEAD = 3  # months after this one that are always there
_OTHER = "downloads_other"
_PARTITIONS = text("select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid "
                   "where i.inhparent = 'downloads'::regclass")  # fmt: skip
#: What a change of the partitions waits for at most: others wait behind it.
_PATIENCE = text("set local lock_timeout = '2s'")


def next_month(month: datetime) -> datetime:
    """The beginning of the month after the one that holds an instant, in UTC."""
    at = month.astimezone(UTC)
    return datetime(at.year + at.month // 12, at.month % 12 + 1, 1, tzinfo=UTC)


def months_of_downloads(session: Session) -> list[datetime]:
    """The beginnings of the months that have a partition, oldest first; none on SQLite."""
    if session.get_bind().dialect.name != "postgresql":
        return []
    names = (re.fullmatch(r"downloads_y(\d{4})m(\d{2})", name) for name in session.scalars(_PARTITIONS))
    return sorted(datetime(int(found[1]), int(found[2]), 1, tzinfo=UTC) for found in names if found)


def make_months_ahead(database: Database, now: datetime) -> int:
    """Make the partitions of this month and of the next three that are not there; return how many.

    Rows of such a month that went into ``downloads_other`` meanwhile move into it.
    """
    if database.is_sqlite:
        return 0
    with database.read() as session:
        if not _missing(months_of_downloads(session), now):
            return 0

    def work(session: Session) -> int:
        session.execute(_PATIENCE)
        advisory.hold_until_end(session, advisory.MONTHS)
        missing = _missing(months_of_downloads(session), now)
        if missing:
            session.execute(text(f"lock table {_OTHER} in access exclusive mode"))
        for month in missing:
            _make(session, month)
        return len(missing)

    return database.write(work)


def drop_months(database: Database, before: datetime) -> int:
    """Drop the partitions of months that ended before an instant; return how many downloads were in them."""
    if database.is_sqlite:
        return 0
    dropped = 0
    with database.read() as session:
        over = [month for month in months_of_downloads(session) if next_month(month) <= before]

    def work(session: Session, month: datetime) -> int:
        session.execute(_PATIENCE)
        advisory.hold_until_end(session, advisory.MONTHS)
        if month not in months_of_downloads(session):
            return 0  # another process was first
        count = session.scalar(text(f"select count(*) from {_name(month)}"))  # noqa: S608
        session.execute(text(f"drop table {_name(month)}"))
        return count or 0

    for month in over:
        dropped += database.write(lambda session, month=month: work(session, month))  # type: ignore[misc]
    return dropped


def _missing(there: list[datetime], now: datetime) -> list[datetime]:
    # A month before the first partition has its downloads in ``downloads_past``.
    at = now.astimezone(UTC)
    month, missing = datetime(at.year, at.month, 1, tzinfo=UTC), []
    for _ in range(AHEAD + 1):
        if month not in there and (not there or month > there[0]):
            missing.append(month)
        month = next_month(month)
    return missing


def _make(session: Session, month: datetime) -> None:
    """Make a partition apart and attach it: that holds up nobody who reads or writes the other months."""
    name, begin, end = _name(month), month.isoformat(), next_month(month).isoformat()
    session.execute(text(f"create table {name} (like downloads including defaults, primary key (id))"))
    session.execute(
        text(
            f"with found as (delete from {_OTHER} where at >= '{begin}' and at < '{end}' returning *) "  # noqa: S608
            f"insert into {name} select * from found"
        )
    )
    session.execute(text(f"alter table downloads attach partition {name} for values from ('{begin}') to ('{end}')"))


def _name(month: datetime) -> str:
    return f"downloads_y{month:%Y}m{month:%m}"
