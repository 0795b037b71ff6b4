"""Forget people: a participant's links end, and downloads no longer say which client made them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, delete, func, select, tuple_, update
from sqlalchemy.orm import Session

from .. import ledger
from ..store import Database
from ..store.audit_tables import Segment
from ..store.batches import changed, until_none
from ..store.months import drop_months, months_of_downloads, next_month
from ..store.tables import Download, LedgerEntry, Link, LinkClient


def end_links(session: Session, participant: str, now: datetime, by: str) -> int:
    """Revoke the links of a participant that are not revoked yet; return how many."""
    changed(session, update(Link).where(Link.participant == participant).values(revoked_reason=None))  # typed text
    links = session.scalars(select(Link).where(Link.participant == participant, Link.revoked_at.is_(None))).all()
    for link in links:
        link.revoked_at, link.revoked_by = now, by
        ledger.append(session, ledger.LinkRevokedEntry(id=link.id, participant=participant, by=by), now)
    return len(links)


def forget_clients(session: Session, participant: str) -> int:
    """Drop what is known of the clients on a participant's links; return how many downloads lost it."""
    links = select(Link.id).where(Link.participant == participant)
    changed(session, delete(LinkClient).where(LinkClient.link.in_(links)))
    blank = update(Download).where(Download.participant == participant).values(client_hash=None, client_prefix=None)
    return changed(session, blank)


def drop_client_hashes(database: Database, before: datetime) -> int:
    """Drop the keyed client hash of downloads made before ``before``; return how many had one."""
    return _blank(database, (Download.at < before) & Download.client_hash.is_not(None), "client_hash")


def drop_client_prefixes(database: Database, before: datetime) -> int:
    """Drop the address prefix of downloads made before ``before``; return how many had one."""
    return _blank(database, (Download.at < before) & Download.client_prefix.is_not(None), "client_prefix")


def drop_downloads(database: Database, before: datetime) -> int:
    """Delete downloads made before ``before``, and return how many; links keep their counts, and the log its entries.

    One whose entry is not in a segment yet stays, so that what reports count can be looked up until then. On
    PostgreSQL whole months leave at once, when all of a month is old.
    """
    with database.read() as session:
        segmented = session.scalar(select(func.max(Segment.last)))
        waiting = (LedgerEntry.leaf.is_(None), LedgerEntry.leaf > (-1 if segmented is None else segmented))
        begun = [session.scalar(select(func.min(LedgerEntry.at)).where(one)) for one in waiting]
        months = months_of_downloads(session)
    until = min([before, *filter(None, begun)])
    dropped = drop_months(database, until)
    # What is in no month: all of it on SQLite, and what is older than the first of them on PostgreSQL.
    left = [month for month in months if next_month(month) > until]
    old = Download.at < min([until, *left[:1]])

    def some(session: Session, most: int) -> int:
        ids = list(session.scalars(select(Download.id).where(old).order_by(Download.at, Download.id).limit(most)))
        changed(session, delete(Download).where(old, Download.id.in_(ids)))
        return len(ids)

    return dropped + until_none(database, some)


def drop_clients(database: Database, before: datetime) -> int:
    """Delete clients of links that were last seen before ``before``; return how many."""
    key = tuple_(LinkClient.link, LinkClient.client)

    def some(session: Session, most: int) -> int:
        old = select(LinkClient.link, LinkClient.client).where(LinkClient.last_at < before).limit(most)
        return changed(session, delete(LinkClient).where(key.in_(old.with_for_update())))

    return until_none(database, some)


def _blank(database: Database, condition: ColumnElement[bool], column: str) -> int:
    def some(session: Session, most: int) -> int:
        ids = list(session.scalars(select(Download.id).where(condition).limit(most)))
        changed(session, update(Download).where(Download.id.in_(ids)).values({column: None}))
        return len(ids)

    return until_none(database, some)
