"""PostgreSQL's advisory locks that the program takes: their numbers, all in one place so that none stands for two."""

from __future__ import annotations

import zlib

from sqlalchemy import text
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

_EMBLEM = 0x656D_626C  # "embl": any numbers will do that nothing else in the database uses

MIGRATION = _EMBLEM
USES = 0x656D_626C_656E << 16  # adding counts of views (shared), or entering them (alone)
MONTHS = 0x656D_626C_6D6F << 16  # making or dropping partitions of downloads


def leadership(name: str) -> int:
    """The number of the leadership of that name."""
    return (0x656D_626C_656D << 16) + zlib.crc32(name.encode()) % 65_536


def hold_until_end(session: Session | Connection, number: int, *, shared: bool = False) -> None:
    """Take a lock until the transaction ends. Nothing on SQLite, where there is one writer anyway."""
    connection = session.connection() if isinstance(session, Session) else session
    if connection.dialect.name == "postgresql":
        kind = "_shared" if shared else ""
        connection.execute(text(f"select pg_advisory_xact_lock{kind}(:number)"), {"number": number})
