"""Statements that run for many rows at once, handed to the driver as it takes them.

SQLAlchemy builds the parameters of every row by name, which takes several times as long as the driver's own
``executemany``. Here a statement is compiled once for a backend, and a row is a tuple or a dict of the values
that the driver binds. The statement and the types of its columns are SQLAlchemy's, so both write the same.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, String, bindparam, func, select, tuple_
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.sql.dml import UpdateBase

Row = Mapping[str, Any]


def among(dialect: str, parameter: str, *columns: InstrumentedAttribute[Any]) -> ColumnElement[bool]:
    """Return the condition that the columns are one of the rows of text that ``parameter`` names: see ``given``.

    SQLAlchemy writes such a list into the statement anew for each execution. SQLite takes it as one value, so that
    the statement is compiled once. PostgreSQL plans by the number of rows, and has to see it.
    """
    key = tuple_(*columns)
    if dialect == "postgresql":
        return key.in_(bindparam(parameter, expanding=True))
    rows = func.json_each(bindparam(parameter, type_=String())).table_valued("value")
    return key.in_(select(*(func.json_extract(rows.c.value, f"$[{place}]") for place in range(len(columns)))))


def given(dialect: str, rows: Collection[tuple[str, ...]]) -> Any:
    """Return the value of the parameter of ``among``."""
    return list(rows) if dialect == "postgresql" else json.dumps(list(rows))


class BulkStatement:
    """A statement without a result, with a bound value for each of ``names``."""

    def __init__(self, statement: UpdateBase, names: Sequence[str]) -> None:
        self._statement = statement
        self._names = tuple(names)
        self._compiled: dict[str, tuple[str, Callable[[Sequence[Row]], Sequence[Any]]]] = {}

    def run(self, connection: Connection, rows: Sequence[Row]) -> None:
        """Run it for each row; a row has a value for each of the statement's names, and may have others."""
        if not rows:
            return
        compiled = self._compiled.get(connection.dialect.name)
        if compiled is None:
            compiled = self._compiled[connection.dialect.name] = self._compile(connection)
        text, bound = compiled
        connection.exec_driver_sql(text, bound(rows))

    def _compile(self, connection: Connection) -> tuple[str, Callable[[Sequence[Row]], Sequence[Any]]]:
        dialect = connection.dialect
        # An INSERT binds the columns that are named, an UPDATE the parameters that are written in it.
        keys = list(self._names) if self._statement.is_insert else None
        compiled = self._statement.compile(dialect=dialect, column_keys=keys)
        if missing := compiled.binds.keys() - set(self._names):
            raise ValueError(f"the statement also binds {sorted(missing)}: a column's default does not apply here")
        converters = {
            name: convert
            for name, bind in compiled.binds.items()
            if (convert := bind.type.dialect_impl(dialect).bind_processor(dialect)) is not None
        }
        positions = compiled.positiontup

        def columns(rows: Sequence[Row], names: Sequence[str]) -> list[list[Any]]:
            found = []
            for name in names:
                values = [row[name] for row in rows]
                if convert := converters.get(name):
                    # Rows of one batch share many values, such as their instant: each is converted once.
                    converted = {key: convert(value) for key, value in {id(value): value for value in values}.items()}
                    values = [converted[id(value)] for value in values]
                found.append(values)
            return found

        if positions is None:
            names = list(compiled.binds)
            return str(compiled), lambda rows: [
                dict(zip(names, row, strict=True)) for row in zip(*columns(rows, names), strict=True)
            ]
        return str(compiled), lambda rows: list(zip(*columns(rows, positions), strict=True))
