"""DuckDB as the audit uses it: in memory, no network, and the one shape that sealed entries have in it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from .dimensions import FACTS
from .parquet import has_schema, quoted, write_parquet

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

#: Raised where a column of segments changes its type or meaning; a new column does not raise it.
#: 1 (without a version in the file): times without a zone, columns of facts that a file has throughout marked
#: as required. 2: times with a zone, every column nullable.
SCHEMA_VERSION = 2

#: The columns of a segment's file, in order. ``happened_at`` is the hour of logo uses, else when it was recorded.
STORED = {
    "leaf": "BIGINT",
    "kind": "VARCHAR",
    "recorded_at": "TIMESTAMP WITH TIME ZONE",
    "happened_at": "TIMESTAMP WITH TIME ZONE",
    **{name: fact.type for name, fact in FACTS.items()},
    "entry": "VARCHAR",
}
#: The same in memory: there times are in UTC without a zone, with which DuckDB reckons ten times as fast.
COLUMNS = {name: "TIMESTAMP" if name in ("recorded_at", "happened_at") else kind for name, kind in STORED.items()}

_RAW = {"kind": "VARCHAR", "at": "VARCHAR", "hour": "VARCHAR", **{name: fact.type for name, fact in FACTS.items()}}
_STRUCT = ", ".join(f'"{name}": "{kind}"' for name, kind in _RAW.items())
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
    """Open a DuckDB in memory that installs and loads nothing from anywhere."""
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


def columns_of(connection: DuckDBPyConnection, paths: Sequence[Path]) -> dict[Path, frozenset[str]]:
    """Read the names of the columns of each of these Parquet files."""
    if not paths:
        return {}
    listed = [str(path) for path in paths]
    rows = connection.execute(
        "select file_name, list(name) from parquet_schema($files) where coalesce(num_children, 0) = 0 group by all",
        {"files": listed},
    ).fetchall()
    return {Path(name): frozenset(columns) for name, columns in rows}


def select_files(columns: frozenset[str], paths: Sequence[Path]) -> str:
    """SQL for the rows of segment files that have these columns, in the shape of ``COLUMNS``.

    A column that the files do not have, since they are older than it, is taken from the entries themselves.
    """
    listed = ", ".join(quoted(path) for path in paths)
    shown = ", ".join(f"{as_column(name) if name in columns else DERIVED[name]} as {name}" for name in COLUMNS)
    return (
        f"select {shown} from (select *, {FIELDS} as f "  # noqa: S608 - names and paths of our own
        f"from read_parquet([{listed}], hive_partitioning=false, union_by_name=true))"
    )


def as_column(name: str) -> str:
    """A file's column as it is in memory; times may have a zone in the file or not."""
    return f"make_timestamp(epoch_us({name}))" if COLUMNS[name] == "TIMESTAMP" else f"cast({name} as {COLUMNS[name]})"


def write_segment(connection: DuckDBPyConnection, query: str, path: Path) -> None:
    """Write rows in the shape of ``COLUMNS`` as the file of a segment."""
    shown = ", ".join(
        f"make_timestamptz(epoch_us({name})) as {name}" if kind == "TIMESTAMP" else name
        for name, kind in COLUMNS.items()
    )
    metadata = {"emblem_schema": str(SCHEMA_VERSION)}
    write_parquet(connection, f"select {shown} from ({query})", path, STORED, metadata)  # noqa: S608 - our names


def is_current(connection: DuckDBPyConnection, path: Path) -> bool:
    """Tell whether a segment's file has the columns that are written today."""
    return has_schema(connection, path, STORED)
