"""Many rows inserted at once, handed to the driver as it takes them.

SQLAlchemy builds the parameters of every row by name, which takes several times as long as the driver's own
``executemany``. Here a statement is compiled once for a backend, and a row is a dict of the values that the driver
binds. The statement and the types of its columns are SQLAlchemy's, so both write the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from sqlalchemy import ColumnElement, Connection, Insert, bindparam, select
from sqlalchemy.engine import Dialect
from sqlalchemy.sql.compiler import SQLCompiler

from .many_keys import as_json, records_of_json

Row = Mapping[str, Any]

_WIDEST = 64  # rows of one statement of SQLite


class BulkInsert:
    """An INSERT without a result, with a value for each of ``names`` in a row.

    ``computed`` are columns that the database gives a value itself.
    """

    def __init__(
        self, statement: Insert, names: Sequence[str], computed: Mapping[str, ColumnElement[Any]] | None = None
    ) -> None:
        self._statement = statement
        self._names = tuple(names)
        self._computed = dict(computed or {})
        self._compiled: dict[str, _Compiled] = {}

    def run(self, connection: Connection, rows: Sequence[Row]) -> None:
        """Insert the rows, in their order; a row has a value for each of the statement's names, and may have others."""
        if not rows:
            return
        name = connection.dialect.name
        found = self._compiled.get(name)
        if found is None:
            made = _Records if name == "postgresql" else _Widths
            found = self._compiled[name] = made(self._statement, self._names, self._computed, connection.dialect)
        found.run(connection, rows)


class _Compiled(Protocol):
    """An INSERT as a driver takes it."""

    def run(self, connection: Connection, rows: Sequence[Row]) -> None:
        """Insert rows, at least one."""


class _Columns:
    """The values of rows as the driver binds them, column by column."""

    def __init__(self, statement: Insert, names: tuple[str, ...], dialect: Dialect) -> None:
        compiled = statement.compile(dialect=dialect, column_keys=list(names))
        if missing := compiled.binds.keys() - set(names):
            raise ValueError(f"the statement also binds {sorted(missing)}: a column's default does not apply here")
        self._converters = {
            name: convert
            for name, bind in compiled.binds.items()
            if (convert := bind.type.dialect_impl(dialect).bind_processor(dialect)) is not None
        }
        self.names: Sequence[str] = compiled.positiontup or list(compiled.binds)

    def of(self, rows: Sequence[Row]) -> list[list[Any]]:
        found = []
        for name in self.names:
            values = [row[name] for row in rows]
            if convert := self._converters.get(name):
                # Rows of one batch share many values, such as their instant: each is converted once.
                converted = {key: convert(value) for key, value in {id(value): value for value in values}.items()}
                values = [converted[id(value)] for value in values]
            found.append(values)
        return found


class _Widths:
    """For SQLite: many rows by one statement, of one that is compiled for so many.

    Its driver lets go of the interpreter's lock for each statement, twice a row, and gets it back only when another
    thread has done its piece: with a statement a row the writer would wait for the threads of this process at every
    row, and the writers of others for this one.
    """

    def __init__(
        self,
        statement: Insert,
        names: tuple[str, ...],
        computed: Mapping[str, ColumnElement[Any]],
        dialect: Dialect,
    ) -> None:
        self._statement = statement
        self._computed = computed
        self._dialect = dialect
        self._columns = _Columns(statement, names, dialect)
        self._texts: dict[int, str] = {}

    def run(self, connection: Connection, rows: Sequence[Row]) -> None:
        values = list(zip(*self._columns.of(rows), strict=True))
        start = 0
        while left := len(values) - start:
            width = min(_WIDEST, 1 << (left.bit_length() - 1))  # powers of two: few statements, whatever the number
            text = self._texts.get(width)
            if text is None:
                text = self._texts[width] = str(self._widened(width))
            connection.exec_driver_sql(text, tuple(value for row in values[start : start + width] for value in row))
            start += width

    def _widened(self, width: int) -> SQLCompiler:
        """An INSERT of so many rows, whose parameters are those of one row after the other."""
        columns, names = self._statement.table.c, self._columns.names
        rows = [
            {name: bindparam(f"{name}_of_{row}", type_=columns[name].type) for name in names} | dict(self._computed)
            for row in range(width)
        ]
        wide = self._statement.values(rows).compile(dialect=self._dialect)
        if wide.positiontup != [f"{name}_of_{row}" for row in range(width) for name in names]:
            raise ValueError("the statement binds other values than those of its rows")
        return wide


class _Records:
    """For PostgreSQL: the rows are one value, so that one statement is prepared once for any number of them.

    With a parameter for each value the driver takes longer to write them, and the server to plan, than to insert.
    """

    def __init__(
        self,
        statement: Insert,
        names: tuple[str, ...],
        computed: Mapping[str, ColumnElement[Any]],
        dialect: Dialect,
    ) -> None:
        self._columns = _Columns(statement, names, dialect)
        table = statement.table.c
        records = records_of_json("records", {name: table[name].type for name in self._columns.names})
        wanted = select(*records.c, *(value.label(name) for name, value in computed.items()))
        filled = statement.from_select([*self._columns.names, *computed], wanted, include_defaults=False)
        compiled = filled.compile(dialect=dialect)
        if set(compiled.binds) != {"records"}:
            raise ValueError("the statement binds other values than those of its rows")
        self._text = str(compiled)

    def run(self, connection: Connection, rows: Sequence[Row]) -> None:
        names = self._columns.names
        records = as_json(dict(zip(names, row, strict=True)) for row in zip(*self._columns.of(rows), strict=True))
        connection.exec_driver_sql(self._text, {"records": records})
