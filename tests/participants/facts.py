"""What tests of this room look up behind the office's back."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import inspect, select, text

from service.store import Database, tables


def entries(database: Database, kind: str) -> list[dict[str, Any]]:
    """The ledger's entries of a kind, oldest first."""
    with database.read() as session:
        rows = session.scalars(select(tables.LedgerEntry).order_by(tables.LedgerEntry.seq))
        return [json.loads(row.body) for row in rows if row.kind == kind]


def everything(database: Database) -> str:
    """Every value of every table that the database has, as one text: nothing that was erased may be in it."""
    names = inspect(database.engine).get_table_names()
    assert "participants" in names
    with database.read() as session:
        rows = [row for name in names for row in session.execute(text(f'select * from "{name}"'))]
    return "\n".join(json.dumps([_plain(value) for value in row], ensure_ascii=False) for row in rows)


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.hex()
    return value if isinstance(value, (str, int, float, list, dict, type(None))) else str(value)
