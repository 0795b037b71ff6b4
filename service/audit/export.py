"""The whole record as files: the log's own tiles and bundles, and its entries as Parquet by day."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..ledger import tiles
from ..ledger.copies import TileName, read_tile, tile_names
from ..storage import Storage
from ..storage.durable import replace_file
from .entry_table import connect, is_current, load_entries, write_segment
from .reports import Reports
from .segments import SegmentFile

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Exported:
    """Counts of an export: leaves of the log, tiles and bundles, Parquet files."""

    size: int
    tiles: int
    files: int


def _silent(done: int, total: int) -> None:
    """No progress shown."""


def export(
    reports: Reports, storage: Storage, vkeys: list[str], folder: Path, progress: Progress = _silent
) -> Exported:
    """Writes everything of the newest checkpoint below a folder; what is there already is not read again.

    ``checkpoint`` and ``key`` are the last to be written, so a folder that has them is complete.
    """
    checkpoint = reports.checkpoint(None)
    names = tile_names(checkpoint.size)
    files = reports.segments.files(checkpoint.size)
    total = len(names) + len(files) + 1
    for done, name in enumerate(names):
        _copy_tile(storage, folder, name)
        progress(done + 1, total)
    entries = folder / "entries"
    for stale in entries.glob("day=*/tail-*.parquet"):
        stale.unlink()
    with closing(connect(threads=1)) as connection:
        for done, file in enumerate(files):
            path = entries / f"day={file.day}" / Path(file.key).name
            if not path.exists() or not is_current(connection, path):
                _copy_segment(reports, connection, file, path)
            progress(len(names) + done + 1, total)
        first = max((file.last + 1 for file in files), default=0)
        written = _write_tail(reports, connection, entries, first, checkpoint.size)
    (folder / "key").write_text("".join(f"{vkey}\n" for vkey in vkeys), encoding="utf-8")
    (folder / "checkpoint").write_text(checkpoint.note, encoding="utf-8", newline="")
    progress(total, total)
    return Exported(checkpoint.size, len(names), len(files) + written)


def _copy_tile(storage: Storage, folder: Path, name: TileName) -> None:
    path = folder / name.key.removeprefix(f"{tiles.ROOT}/")
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_file(path, read_tile(storage, name), mode=0o644)
    if name.width == tiles.WIDTH:  # unfinished tiles of an earlier export
        shutil.rmtree(path.with_name(f"{path.name}.p"), ignore_errors=True)


def _copy_segment(reports: Reports, connection: DuckDBPyConnection, file: SegmentFile, path: Path) -> None:
    """Copy a segment's file; one of an older schema is written anew, so that all files of an export are alike."""
    path.parent.mkdir(parents=True, exist_ok=True)
    source = reports.segments.local(file)
    if is_current(connection, source):
        replace_file(path, source.read_bytes(), mode=0o644)
        return
    staged = path.with_suffix(".part")
    (rows,) = reports.segments.selected(connection, [file])
    write_segment(connection, f"from ({rows}) order by leaf", staged)
    replace_file(path, staged.read_bytes(), mode=0o644)
    staged.unlink()


def _write_tail(reports: Reports, connection: DuckDBPyConnection, entries: Path, first: int, end: int) -> int:
    """Entries that are in no segment yet, as files named so that the next export replaces them."""
    if first >= end:
        return 0
    load_entries(connection, "tail", reports.segments.entries(first, end))
    days = connection.execute("select distinct cast(happened_at as date)::varchar from tail order by 1").fetchall()
    for (day,) in days:
        path = entries / f"day={day}" / f"tail-{first:012d}-{end - 1:012d}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_segment(connection, f"from tail where cast(happened_at as date) = date '{day}' order by leaf", path)
    return len(days)


def parquet_files(folder: Path) -> list[Path]:
    """The Parquet files of an export, in order."""
    return sorted((folder / "entries").glob("day=*/*.parquet"))
