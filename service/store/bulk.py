"""Statements that run for many rows at once, handed to the driver as it takes them.

SQLAlchemy builds the parameters of every row by name, which takes several times as long as the driver's own
``executemany``. Here a statement is compiled once for a backend, and a row is a dict of the values that the driver
binds. The statement and the types of its columns are SQLAlchemy's, so both write the same.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Insert, String, bindparam, func, select, tuple_
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.dml import UpdateBase
from sqlalchemy.sql.selectable import TableValuedAlias

Row = Mapping[str, Any]

_WIDEST = 64  # rows of one INSERT


def among(dialect: str, parameter: str, *columns: InstrumentedAttribute[Any]) -> ColumnElement[bool]:
    """Return the condition that the columns are one of the rows of text that ``parameter`` names: see ``given``.

    SQLAlchemy writes such a list into the statement anew for each execution. SQLite takes it as one value, so that
    the statement is compiled once. PostgreSQL plans by the number of rows, and has to see it.
    """
    key = tuple_(*columns)
    if dialect == "postgresql":
        return key.in_(bindparam(parameter, expanding=True))
    _rows, values = rows_of_json(parameter, len(columns))
    return key.in_(select(*values))


def rows_of_json(parameter: str, width: int) -> tuple[TableValuedAlias, list[ColumnElement[Any]]]:
    """Return the rows of a JSON list of lists that is one value of an SQLite statement, and their columns."""
    rows = func.json_each(bindparam(parameter, type_=String())).table_valued("value")
    return rows, [func.json_extract(rows.c.value, f"$[{place}]") for place in range(width)]


def given(dialect: str, rows: Collection[tuple[str, ...]]) -> Any:
    """Return the value of the parameter of ``among``."""
    return list(rows) if dialect == "postgresql" else json.dumps(list(rows))


class BulkStatement:
    """A statement without a result, with a bound value for each of ``names``.

    ``computed`` are columns of an INSERT that the database gives a value itself.
    """

    def __init__(
        self, statement: UpdateBase, names: Sequence[str], computed: Mapping[str, ColumnElement[Any]] | None = None
    ) -> None:
        self._statement = statement
        self._names = tuple(names)
        self._computed = dict(computed or {})
        self._compiled: dict[tuple[str, int], _Compiled] = {}

    def run(self, connection: Connection, rows: Sequence[Row]) -> None:
        """Run it for each row; a row has a value for each of the statement's names, and may have others.

        An INSERT takes many rows by one call. SQLite's driver lets go of the interpreter's lock in each, two a row,
        and gets it back only when another thread has done its piece: the writer would wait for the threads of this
        process at every row, and the writers of others for this one. PostgreSQL begins and ends a statement for each.
        """
        if not rows:
            return
        if not isinstance(self._statement, Insert):
            self._for_width(connection.dialect, 1).run_many(connection, rows)
            return
        start = 0
        while left := len(rows) - start:
            width = min(_WIDEST, 1 << (left.bit_length() - 1))  # powers of two: few statements, whatever the number
            self._for_width(connection.dialect, width).run_once(connection, rows[start : start + width])
            start += width

    def _for_width(self, dialect: Dialect, width: int) -> _Compiled:
        """The statement for so many rows at once, compiled with its first use."""
        found = self._compiled.get((dialect.name, width))
        if found is None:
            found = _Compiled(self._statement, self._names, self._computed, dialect, width)
            self._compiled[dialect.name, width] = found
        return found


class _Compiled:
    """A statement as a driver takes it, for ``width`` rows at once."""

    def __init__(
        self,
        statement: UpdateBase,
        names: tuple[str, ...],
        computed: Mapping[str, ColumnElement[Any]],
        dialect: Dialect,
        width: int,
    ) -> None:
        # An INSERT binds the columns that are named, an UPDATE the parameters that are written in it.
        compiled = statement.compile(dialect=dialect, column_keys=list(names) if statement.is_insert else None)
        if missing := compiled.binds.keys() - set(names):
            raise ValueError(f"the statement also binds {sorted(missing)}: a column's default does not apply here")
        self._converters = {
            name: convert
            for name, bind in compiled.binds.items()
            if (convert := bind.type.dialect_impl(dialect).bind_processor(dialect)) is not None
        }
        self._order: Sequence[str] = compiled.positiontup or list(compiled.binds)
        if isinstance(statement, Insert):
            compiled = self._widened(statement, computed, dialect, width)
        self._text = str(compiled)
        #: names of the parameters, those of one row after the other; None where the driver goes by their places
        self._bound = None if compiled.positiontup is not None else list(compiled.binds)

    def _widened(
        self, statement: Insert, computed: Mapping[str, ColumnElement[Any]], dialect: Dialect, width: int
    ) -> SQLCompiler:
        """An INSERT of so many rows, whose parameters are those of one row after the other."""
        columns = statement.table.c
        rows = [
            {name: bindparam(f"{name}_of_{row}", type_=columns[name].type) for name in self._order} | dict(computed)
            for row in range(width)
        ]
        wide = statement.values(rows).compile(dialect=dialect)
        expected = [f"{name}_of_{row}" for row in range(width) for name in self._order]
        if sorted(wide.binds) != sorted(expected) or wide.positiontup not in (None, expected):
            raise ValueError("the statement binds more than the values of its rows")
        wide.binds = {name: wide.binds[name] for name in expected}
        return wide

    def run_once(self, connection: Connection, rows: Sequence[Row]) -> None:
        """Run it once, for as many rows as it was compiled for."""
        values = [value for row in zip(*self._columns(rows), strict=True) for value in row]
        bound = tuple(values) if self._bound is None else dict(zip(self._bound, values, strict=True))
        connection.exec_driver_sql(self._text, bound)

    def run_many(self, connection: Connection, rows: Sequence[Row]) -> None:
        """Run it for each row, by the driver's ``executemany``."""
        values = zip(*self._columns(rows), strict=True)
        if self._bound is None:
            connection.exec_driver_sql(self._text, list(values))
        else:
            connection.exec_driver_sql(self._text, [dict(zip(self._bound, row, strict=True)) for row in values])

    def _columns(self, rows: Sequence[Row]) -> list[list[Any]]:
        found = []
        for name in self._order:
            values = [row[name] for row in rows]
            if convert := self._converters.get(name):
                # Rows of one batch share many values, such as their instant: each is converted once.
                converted = {key: convert(value) for key, value in {id(value): value for value in values}.items()}
                values = [converted[id(value)] for value in values]
            found.append(values)
        return found
