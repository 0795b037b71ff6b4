"""The whole record as files: the log's own tiles and bundles, and its entries as Parquet by day."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..ledger import tiles
from ..ledger.tree import levels
from ..problems import LogDamaged
from ..storage import ObjectMissing, Storage
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
    names = list(_names(checkpoint.size))
    files = reports.segments.files(checkpoint.size)
    total = len(names) + len(files) + 1
    for done, (level, index, width) in enumerate(names):
        _copy_tile(storage, folder, level, index, width)
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


def _names(size: int) -> list[tuple[int | str, int, int]]:
    """Level, number and width of every tile and bundle of a log."""
    found: list[tuple[int | str, int, int]] = []
    for level in range(levels(size)):
        kinds: list[int | str] = [level, "entries"] if level == 0 else [level]
        for kind in kinds:
            full = size >> (8 * (level + 1))
            found += [(kind, index, tiles.WIDTH) for index in range(full)]
            if width := tiles.partial_width(size, level):
                found.append((kind, full, width))
    return found


def _copy_tile(storage: Storage, folder: Path, level: int | str, index: int, width: int) -> None:
    key = tiles.key(level, index, width)
    path = folder / key.removeprefix(f"{tiles.ROOT}/")
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        data = storage.read(key)
    except ObjectMissing:
        try:
            whole = storage.read(tiles.key(level, index))  # it has become full since the checkpoint
        except ObjectMissing:
            raise LogDamaged(f"{key} is missing in storage. Restore it from a copy of the log.") from None
        data = tiles.bundle(tiles.unbundle(whole)[:width]) if level == "entries" else whole[: width * tiles.HASH]
    replace_file(path, data, mode=0o644)
    if width == tiles.WIDTH:  # unfinished tiles of an earlier export
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
