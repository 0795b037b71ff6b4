"""Reading, and changing, the rows of many keys by one statement, in the form that each backend looks up in an index.

What is asked is one value, so that the statement is compiled, and on PostgreSQL planned, once. SQLAlchemy writes a
list into the statement anew for each execution.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import (
    ARRAY,
    JSON,
    ColumnElement,
    Select,
    String,
    Text,
    any_,
    bindparam,
    cast,
    column,
    func,
    select,
    true,
    tuple_,
)
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.sql.selectable import TableValuedAlias
from sqlalchemy.types import TypeEngine


def among(dialect: str, parameter: str, key: InstrumentedAttribute[Any]) -> ColumnElement[bool]:
    """Return the condition that a column of text is one of those that ``parameter`` names: see ``given``."""
    if dialect == "postgresql":
        return key == any_(bindparam(parameter, type_=ARRAY(Text)))
    _rows, values = rows_of_json(parameter, 1)
    return key.in_(select(*values))


def given(dialect: str, values: Collection[str]) -> Any:
    """Return the value of the parameter of ``among``."""
    return list(values) if dialect == "postgresql" else as_json((value,) for value in values)


def looked_up(
    dialect: str, parameter: str, key: Sequence[InstrumentedAttribute[Any]], *others: InstrumentedAttribute[Any]
) -> Select[Any]:
    """Return the select of a unique key, columns of text, and others of the rows that ``parameter`` names.

    Its value is that of ``as_json``.

    PostgreSQL compares every row of the table, or of the key's first column, with each of a list of pairs: with
    thirty new clients of one link, each of the thousands that the link has is compared thirty times. A ``LATERAL``
    with a limit is planned by itself, and looks each pair up in the index of the key.
    """
    if dialect == "postgresql":
        rows = func.json_array_elements(cast(bindparam(parameter, type_=Text), JSON)).table_valued("value")
        asked = [rows.c.value.op("->>", return_type=Text())(place) for place in range(len(key))]
        found = (
            select(*key, *others)
            .where(*(one == value for one, value in zip(key, asked, strict=True)))
            .correlate(rows)
            .limit(1)
            .lateral()
        )
        return select(*found.c).select_from(rows.join(found, true()))
    _rows, values = rows_of_json(parameter, len(key))
    return select(*key, *others).where(tuple_(*key).in_(select(*values)))


def rows_of_json(parameter: str, width: int) -> tuple[TableValuedAlias, list[ColumnElement[Any]]]:
    """Return the rows of a list of lists, one value of an SQLite statement (see ``as_json``), and their columns."""
    rows = func.json_each(bindparam(parameter, type_=String())).table_valued("value")
    return rows, [func.json_extract(rows.c.value, f"$[{place}]") for place in range(width)]


def records_of_json(parameter: str, columns: Mapping[str, TypeEngine[Any]]) -> TableValuedAlias:
    """Return the records of a list of objects, one value of a PostgreSQL statement (see ``as_json``)."""
    rows = func.json_to_recordset(cast(bindparam(parameter, type_=Text), JSON))
    return rows.table_valued(*(column(name, kind) for name, kind in columns.items())).render_derived(
        name=parameter, with_types=True
    )


def as_json(rows: Iterable[Any]) -> str:
    """Return rows as one value of a statement; instants as ISO 8601."""
    return json.dumps(list(rows), default=str)
