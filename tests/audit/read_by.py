"""Read an export's table with an engine that is not ours: ``python -m tests.audit.read_by ENGINE FOLDER``.

Prints a JSON array with one object a row, sorted by leaf: every column that is asked for and the partition's
day, times as text in UTC, nulls as null. A process of its own, since each engine brings threads and handlers.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

COLUMNS = ("leaf", "kind", "recorded_at", "happened_at", "country", "counted", "bytes", "origin", "views", "day")
Row = dict[str, Any]


def duckdb(folder: Path) -> list[Row]:
    """DuckDB with nothing of ours set."""
    import duckdb

    connection = duckdb.connect()
    listed = ", ".join(COLUMNS)
    text = listed.replace("recorded_at", "epoch_us(recorded_at)").replace("happened_at", "epoch_us(happened_at)")
    found = connection.execute(
        f"select {text} from read_parquet('{folder}/*/*.parquet', hive_partitioning=true) order by leaf"
    ).fetchall()
    return [
        {**dict(zip(COLUMNS, row, strict=True)), "recorded_at": _instant(row[2]), "happened_at": _instant(row[3])}
        for row in found
    ]


def pyarrow(folder: Path) -> list[Row]:
    """Arrow's own reader of Parquet, over a partitioned data set."""
    import pyarrow.dataset

    table = pyarrow.dataset.dataset(folder, format="parquet", partitioning="hive").to_table(columns=list(COLUMNS))
    return [_plain(row) for row in table.sort_by("leaf").to_pylist()]


def polars(folder: Path) -> list[Row]:
    """Polars' own reader of Parquet."""
    import polars

    frame = polars.scan_parquet(folder / "**/*.parquet", hive_partitioning=True).select(COLUMNS).sort("leaf")
    return [_plain(row) for row in frame.collect().to_dicts()]


def fastparquet(folder: Path) -> list[Row]:
    """fastparquet, file by file: of many at once it reads texts of some as null (findings/fastparquet-encodings.sh)."""
    import fastparquet

    rows: list[Row] = []
    for path in folder.glob("*/*.parquet"):
        frame = fastparquet.ParquetFile(str(path)).to_pandas(columns=[name for name in COLUMNS if name != "day"])
        for name in ("recorded_at", "happened_at"):  # it reads the instants and leaves out that they are in UTC
            frame[name] = frame[name].dt.tz_localize("UTC")
        day = path.parent.name.removeprefix("day=")
        rows += [
            _plain({**{name: None if _missing(value) else value for name, value in row.items()}, "day": day})
            for row in frame.astype(object).to_dict("records")
        ]
    return sorted(rows, key=lambda row: int(row["leaf"]))


def chdb(folder: Path) -> list[Row]:
    """ClickHouse as a library."""
    import chdb

    listed = ", ".join(COLUMNS)
    text = listed.replace("recorded_at", "toUnixTimestamp64Micro(recorded_at) as recorded_at").replace(
        "happened_at", "toUnixTimestamp64Micro(happened_at) as happened_at"
    )
    answer = chdb.query(  # type: ignore[no-untyped-call]
        f"select {text} from file('{folder}/*/*.parquet', Parquet) order by leaf "
        "settings use_hive_partitioning = 1, output_format_json_quote_64bit_integers = 0",
        "JSONEachRow",
    )
    rows = [json.loads(line) for line in str(answer).splitlines()]
    return [
        {**row, "recorded_at": _instant(row["recorded_at"]), "happened_at": _instant(row["happened_at"])}
        for row in rows
    ]


def _instant(microseconds: int) -> str:
    seconds, rest = divmod(microseconds, 1_000_000)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest).isoformat(timespec="microseconds")


def _missing(value: Any) -> bool:
    return value is None or value != value or str(value) == "<NA>"  # noqa: PLR0124 - only what is no number differs


def _plain(row: Row) -> Row:
    """Times as text; a time without a zone stays one, and so differs."""
    made = {}
    for name, value in row.items():
        if isinstance(value, datetime):
            instant = value.astimezone(UTC) if value.tzinfo else value
            made[name] = datetime.isoformat(instant, timespec="microseconds")
        else:
            made[name] = value.item() if hasattr(value, "item") else value
    return made


ENGINES: dict[str, Callable[[Path], list[Row]]] = {
    "duckdb": duckdb,
    "pyarrow": pyarrow,
    "polars": polars,
    "fastparquet": fastparquet,
    "chdb": chdb,
}


if __name__ == "__main__":
    rows = ENGINES[sys.argv[1]](Path(sys.argv[2]))
    json.dump(
        [{name: str(row[name])[:10] if name == "day" else row[name] for name in COLUMNS} for row in rows], sys.stdout
    )
