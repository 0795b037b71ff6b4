"""DuckDB as the audit uses it: in memory, no network, and the one shape that sealed entries have in it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

#: Facts of entries that have a column of their own; everything else is in ``entry``, the canonical JSON.
FACTS = {
    "id": "VARCHAR",
    "link": "VARCHAR",
    "participant": "VARCHAR",
    "participant_kind": "VARCHAR",
    "country": "VARCHAR",
    "package": "VARCHAR",
    "version": "VARCHAR",
    "terms_version": "VARCHAR",
    "counted": "BOOLEAN",
    "client_kind": "VARCHAR",
    "bytes": "BIGINT",
    "embed": "VARCHAR",
    "logo": "VARCHAR",
    "variant": "VARCHAR",
    "origin": "VARCHAR",
    "views": "BIGINT",
}

#: The columns of a segment, in order. ``happened_at`` is the hour of logo uses, else when it was recorded.
COLUMNS = {
    "leaf": "BIGINT",
    "kind": "VARCHAR",
    "recorded_at": "TIMESTAMP",
    "happened_at": "TIMESTAMP",
    **FACTS,
    "entry": "VARCHAR",
}

_STRUCT = ", ".join(
    f'"{name}": "{kind}"' for name, kind in {"kind": "VARCHAR", "at": "VARCHAR", "hour": "VARCHAR", **FACTS}.items()
)
#: An entry taken apart, in SQL: what ``DERIVED`` calls ``f``.
FIELDS = f"from_json(entry, '{{{_STRUCT}}}')"
_RECORDED = "cast(rtrim(f.\"at\", 'Z') as timestamp)"
#: What each column holds, in SQL over ``leaf``, ``entry`` and ``f``.
DERIVED = {
    "leaf": "leaf",
    "kind": "f.kind",
    "recorded_at": _RECORDED,
    "happened_at": f"coalesce(try_cast(rtrim(f.hour, 'Z') as timestamp), {_RECORDED})",
    **{name: f"f.{name}" for name in FACTS},
    "entry": "entry",
}


def connect(threads: int | None = None) -> DuckDBPyConnection:
    """A fresh connection in memory that installs and loads nothing from anywhere."""
    import duckdb

    connection = duckdb.connect(
        config={
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "threads": threads or len(os.sched_getaffinity(0)),
            "temp_directory": tempfile.gettempdir(),
        }
    )
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute("SET enable_progress_bar = false")
    return connection


def load_entries(connection: DuckDBPyConnection, table: str, entries: Iterable[tuple[int, str]]) -> None:
    """Makes a table of the columns above from leaf indexes and entries.

    Through a file: DuckDB reads one much faster than it takes rows from Python. Canonical JSON has neither
    tabs nor line ends in it, so tab-separated lines need no quoting.
    """
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", suffix=".tsv", delete=False) as file:
        try:
            file.writelines(f"{leaf}\t{entry}\n" for leaf, entry in entries)
            file.close()
            connection.execute(
                f"""create temp table {table} as
                with raw as (
                    select leaf, entry, {FIELDS} as f
                    from read_csv($file, delim='\t', quote='', escape='', header=false, auto_detect=false,
                                  max_line_size=1000000, columns={{'leaf': 'BIGINT', 'entry': 'VARCHAR'}})
                )
                select {", ".join(f"{expression} as {name}" for name, expression in DERIVED.items())}
                from raw order by leaf""",  # noqa: S608 - names of our own, no input
                {"file": file.name},
            )
        finally:
            Path(file.name).unlink(missing_ok=True)
