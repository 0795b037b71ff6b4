"""Export: all that is kept about a participant, as JSON, read from every table that knows it.

Tables are found by their columns, so that one which is added is in the export without anybody thinking of it. What is
left out says nothing about the participant: digests of secrets, salts, keyed hashes of clients, and what is derived.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Table, and_, or_, select
from sqlalchemy.orm import Session as Transaction

from ..clock import Clock, timestamp
from ..participants.members import addresses
from ..problems import NotFound
from ..store import Database, schema, tables

_SECRETS = frozenset({"secret_sha256", "previous_secret_sha256", "secret", "salt", "client_hash", "client"})
_LEFT_OUT = frozenset({"participants", "participant_words", "case_words", "link_clients"})
#: What staff alone see: how a case is being worked on, and reports about somebody by somebody else.
_STAFFS = {"case_events": None, "cases": ("pending", "pending_until", "first_by", "assignee", "report")}
#: What would let its reader act: mails hold links that sign in.
_HELD = {"outbox": frozenset({"payload"})}
#: Tables that know a person by the mailbox.
_BY_ADDRESS = {"mailed_links": "email", "outbox": "recipient"}
_STEP = 500


class Export:
    """Exports what is kept about one participant at a time."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def of(self, participant: str, *, staff: bool) -> Iterator[str]:
        """Return the export in pieces: ``{exported_at, participant, records: {table: [rows]}}``.

        Without ``staff`` it leaves out what is for staff alone: their notes, and reports of misuse. Raises NotFound
        before the first piece.
        """
        with self._database.read() as session:
            if session.get(tables.Participant, participant) is None:
                raise NotFound("There is no participant of this id.")
        return self._pieces(participant, staff)

    def _pieces(self, participant: str, staff: bool) -> Iterator[str]:
        table = tables.Participant.__table__
        assert isinstance(table, Table)
        with self._database.read() as session:
            row = session.execute(select(*_shown(table, staff)).where(table.c.id == participant)).one()
            yield f'{{"exported_at": {json.dumps(timestamp(self._clock()))}, "participant": {_as_json(row)}, '
            yield '"records": {'
            conditions = self._conditions(session, participant, staff)
            for place, (name, condition) in enumerate(sorted(conditions.items())):
                yield f"{', ' if place else ''}{json.dumps(name)}: ["
                found = schema.metadata.tables[name]
                query = select(*_shown(found, staff)).where(condition).order_by(*found.primary_key)
                rows = session.execute(query.execution_options(yield_per=_STEP))
                for number, one in enumerate(rows):
                    yield f"{', ' if number else ''}{_as_json(one)}"
                yield "]"
            yield "}}"

    def _conditions(self, session: Transaction, participant: str, staff: bool) -> dict[str, ColumnElement[bool]]:
        """Return, for each table that knows the participant, the condition for its rows."""
        owner = session.get_one(tables.Participant, participant)
        mailboxes = [*([owner.email] if owner.email else []), *addresses(session, participant)]
        found: dict[str, ColumnElement[bool]] = {}
        for table in schema.metadata.sorted_tables:  # a table comes after those that it refers to
            if table.name in _LEFT_OUT or (not staff and _STAFFS.get(table.name, ()) is None):
                continue
            known = _knows(table, participant, found, mailboxes)
            if known is None:
                continue
            if not staff and "visible" in table.c:
                known = and_(known, table.c.visible.is_(True))
            if not staff and table.name == "cases":
                known = and_(known, table.c.kind != "misuse")
            found[table.name] = known
        return found


def _knows(
    table: Table, participant: str, found: dict[str, ColumnElement[bool]], mailboxes: list[str]
) -> ColumnElement[bool] | None:
    """Return the condition for a table's rows: of the participant, of a row of it, or of its mailboxes."""
    if table.name in _BY_ADDRESS:
        column = table.c[_BY_ADDRESS[table.name]]
        mine = column.in_(mailboxes)
        return and_(mine, table.c.channel == "mail") if "channel" in table.c else mine
    if "participant" in table.c:
        return table.c.participant == participant
    parents = [
        key.parent.in_(select(key.column).where(found[key.column.table.name]))
        for key in table.foreign_keys
        if key.column.table.name in found
    ]
    return or_(*parents) if parents else None


def _shown(table: Table, staff: bool) -> list[ColumnElement[Any]]:
    hidden = _SECRETS | _HELD.get(table.name, frozenset())
    if not staff:
        hidden |= set(_STAFFS.get(table.name) or ())
    return [column for column in table.c if column.name not in hidden]


def _as_json(row: Row[Any]) -> str:
    return json.dumps(dict(row._mapping), ensure_ascii=False, default=_plain)


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return timestamp(value)
    raise TypeError(f"a column of {type(value).__name__} cannot be exported")
