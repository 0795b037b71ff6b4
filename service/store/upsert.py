"""Inserting a row that another process may be inserting at the same moment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import inspect
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from .tables import Base


def insert_into(table: type[Base], dialect: str) -> postgresql.Insert | sqlite.Insert:
    """Return the insert of a database (``sqlite`` or ``postgresql``) that can say what happens to rows there."""
    return postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)


def insert_or_update(table: type[Base], dialect: str, changed: Sequence[str]) -> postgresql.Insert | sqlite.Insert:
    """Return the statement that inserts rows, or sets the columns ``changed`` of those whose primary key is there."""
    statement = insert_into(table, dialect)
    return statement.on_conflict_do_update(
        index_elements=list(inspect(table).primary_key),
        set_={name: statement.excluded[name] for name in changed},
    )


def insert_new(session: Session, table: type[Base], **values: Any) -> bool:
    """Insert a row unless one with its primary key or a unique value is there; True if this call inserted it.

    Of several transactions at once exactly one gets True; on PostgreSQL the others wait for its end first.
    """
    key = inspect(table).primary_key  # returned only where a row went in; a count of rows is not given by every driver
    statement = insert_into(table, session.get_bind().dialect.name)
    return session.execute(statement.values(**values).on_conflict_do_nothing().returning(*key)).first() is not None
