"""Rows that tests write and read, each known by its digest."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select

from service.store import Database
from service.store.tables import PublishedPolicy

AT = datetime(2026, 11, 25, 12, 0, 0, 123456, tzinfo=UTC)


def add(digest: str) -> Any:
    return lambda session: session.add(PublishedPolicy(digest=digest, at=AT))


def digests(database: Database) -> list[str]:
    with database.read() as session:
        return list(session.scalars(select(PublishedPolicy.digest).order_by(PublishedPolicy.digest)))
