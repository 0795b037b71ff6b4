"""Entries: what is written to the ledger, in the transaction of the fact that it records."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import rfc8785
from sqlalchemy import BigInteger, Text, bindparam, cast, func, insert
from sqlalchemy.orm import Session

from ..clock import timestamp
from ..store.bulk import BulkInsert
from ..store.tables import LedgerEntry
from .kinds import Entry

_PLAIN = frozenset({str, bool, type(None)})
MAX_BYTES = 65_535  # an entry bundle writes the length of an entry in 16 bits

# Evaluated by PostgreSQL in the inserting transaction; see LedgerEntry for what it is for.
_XID = cast(cast(func.pg_current_xact_id(), Text), BigInteger)
_NAMES = ("id", "kind", "at", "body")
# Built once, and below the ORM: this runs with every download.
_INSERT = insert(LedgerEntry).values({name: bindparam(name) for name in _NAMES})
_INSERT_WITH_XID = _INSERT.values(xid=_XID)
_BULK = {
    "sqlite": BulkInsert(insert(LedgerEntry), _NAMES),
    "postgresql": BulkInsert(insert(LedgerEntry).inline(), _NAMES, {"xid": _XID}),
}
# The standard library's encoder, kept: ``json.dumps`` makes one for every call.
_encode = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode


def append(session: Session, entry: Entry, at: datetime) -> str:
    """Add one entry, made at the instant ``at``, to the session's transaction; return the entry's id.

    The entry's text is ``{v, kind, at, …facts}`` in canonical JSON (RFC 8785). ValueError for an entry of
    more than 65,535 bytes.
    """
    row = _row(entry, at, timestamp(at))
    session.connection().execute(_INSERT if session.get_bind().dialect.name == "sqlite" else _INSERT_WITH_XID, row)
    return str(row["id"])


def append_many(session: Session, entries: Iterable[Entry], at: datetime) -> int:
    """Add entries in bulk and return their number. Otherwise like ``append``."""
    written = timestamp(at)
    rows = [_row(entry, at, written) for entry in entries]
    connection = session.connection()
    _BULK[connection.dialect.name].run(connection, rows)
    return len(rows)


def _row(entry: Entry, at: datetime, written: str) -> dict[str, Any]:
    body = canonical({"v": entry.v, "kind": entry.kind, "at": written, **entry.facts()})
    if len(body) > MAX_BYTES:
        raise ValueError(f"the entry {entry.kind} has {len(body)} bytes, more than the log takes")
    return {"id": entry.id, "kind": entry.kind, "at": at, "body": body.decode()}


def canonical(value: dict[str, Any]) -> bytes:
    """RFC 8785 JSON of an object.

    Where all names are ASCII and all values text, small whole numbers, booleans and null, the standard
    library's sorted JSON is the same bytes, ten times as fast.
    """
    if not "".join(value).isascii():
        return rfc8785.dumps(value)
    for item in value.values():
        kind = type(item)
        if kind not in _PLAIN and not (kind is int and -(2**53) < item < 2**53):
            return rfc8785.dumps(value)
    return _encode(value).encode()


def new_salt() -> bytes:
    """32 random bytes: what binds a personal record, and what erasure erases."""
    return secrets.token_bytes(32)


def commitment(salt: bytes, record: Mapping[str, Any]) -> str:
    """SHA-256(salt ‖ RFC 8785 record), lower-case hex: binds a personal record without showing it."""
    return hashlib.sha256(salt + rfc8785.dumps(dict(record))).hexdigest()
