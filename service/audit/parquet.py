"""Write Parquet whose schema is what we say, not what happens to stand in one file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def write_parquet(
    connection: DuckDBPyConnection,
    query: str,
    path: Path,
    columns: Mapping[str, str],
    metadata: Mapping[str, str] | None = None,
) -> None:
    """Write the rows of a query to a file with exactly these columns, by name, each one nullable.

    ``columns`` has DuckDB's type of each; ``metadata`` goes into the file's footer. RuntimeError where the
    file has come out with another schema.
    """
    selected = ", ".join(f"cast({name} as {kind}) as {name}" for name, kind in columns.items())
    options = "format parquet, compression zstd, row_group_size 65536"
    if metadata:
        options += f", kv_metadata {{{', '.join(f'{name}: {quoted(text)}' for name, text in metadata.items())}}}"
    # DuckDB 2 marks a column as REQUIRED where the statistics of the rows at hand show no null, so that files
    # of one table differ, and other engines read the nulls of one as '' or 0 with the schema of another.
    connection.execute("set disabled_optimizers = 'statistics_propagation'")
    try:
        connection.execute(f"copy (select {selected} from ({query})) to {quoted(path)} ({options})")  # noqa: S608 - ours
    finally:
        connection.execute("reset disabled_optimizers")
    if not has_schema(connection, path, columns):
        raise RuntimeError(f"{path.name} was written with other columns than it should have")


def has_schema(connection: DuckDBPyConnection, path: Path, columns: Mapping[str, str]) -> bool:
    """Tell whether a file has exactly these columns, in this order and of these types, each one nullable."""
    typed = connection.execute(
        "select column_name, column_type from (describe select * from read_parquet($file, hive_partitioning=false))",
        {"file": str(path)},
    ).fetchall()
    stored = connection.execute(
        "select repetition_type from parquet_schema($file) where num_children is null or num_children = 0",
        {"file": str(path)},
    ).fetchall()
    return dict(typed) == dict(columns) and [*dict(typed)] == [*columns] and {("OPTIONAL",)} == set(stored)


def quoted(text: object) -> str:
    """A text or path as a literal of SQL."""
    escaped = str(text).replace("'", "''")
    return f"'{escaped}'"
