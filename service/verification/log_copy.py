"""A monitor's own copy of a log: its checkpoint, tiles and entry bundles in a folder, laid out as the log itself."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from .log_reader import LogSource, SourceError
from .verifier import KEPT, LogFinding, LogVerdict, Stack, tile_name

_HASH = 32


def write_file(path: Path, data: bytes) -> None:
    """Write a file whole or not at all: durable under another name first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(path.name + ".new")
    with fresh.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


class LogCopy(LogSource):
    """Files of a log that were verified, below ``folder``; new ones wait in ``incoming`` until they are, too.

    Crash order: staged files move over before the checkpoint that needs them does, so what the kept checkpoint
    needs is always there. A tile that moved without its checkpoint was verified all the same.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._incoming = folder / "incoming"

    def read(self, path: str) -> bytes | None:
        """See ``LogSource.read``."""
        try:
            return (self.folder / path).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise SourceError(f"{self.folder / path} cannot be read: {error.strerror}.") from error

    def tile(self, level: int | str, index: int) -> bytes:
        """The longest form of a tile or bundle that is kept, nothing where none is."""
        path = f"tile/{level}/{tile_name(index)}"
        whole = self.read(path)
        if whole is None:
            parts = (self.folder / f"{path}.p").glob("*")
            widest = max((int(part.name) for part in parts if part.name.isdigit()), default=0)
            whole = self.read(f"{path}.p/{widest}") if widest else None
        return whole or b""

    def stack(self, size: int) -> Stack:
        """The tree over the first ``size`` leaves but those of its unfinished tile."""
        stack = Stack()
        done = 0
        for level in range(7, 0, -1):
            while size - done >= 256**level:
                place = done >> (8 * level)
                stack.add(8 * level, self.tile(level, place >> 8)[_HASH * (place & 255) :][:_HASH])
                done += 256**level
        return stack

    def root(self, size: int) -> bytes:
        """The root over the first ``size`` leaves, which have to be kept."""
        return self.stack(size).with_leaves(self.tile(0, size >> 8)[: _HASH * (size & 255)])

    # --- what comes in

    def stage(self, path: str, data: bytes) -> None:
        """Put a file aside that is not verified yet."""
        place = self._incoming / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)

    def staged(self) -> list[tuple[str, Path]]:
        """Paths in the log and files of what waits."""
        found = [file for file in self._incoming.rglob("*") if file.is_file()]
        return [(file.relative_to(self._incoming).as_posix(), file) for file in found]

    def drop(self) -> None:
        """Forget what waits."""
        shutil.rmtree(self._incoming, ignore_errors=True)

    def commit(self, note: bytes, size: int) -> None:
        """Take over what waits, under the checkpoint of ``size`` leaves that it was verified by."""
        for path, file in self.staged():
            place = self.folder / path
            place.parent.mkdir(parents=True, exist_ok=True)
            file.replace(place)
        write_file(self.folder / "checkpoint", note)
        self.drop()
        self._remove_partials(size)

    def _remove_partials(self, size: int) -> None:
        """Remove the narrower forms of unfinished tiles, and all of those that are finished."""
        for level in ("entries", *range(8)):
            shift = 0 if level == "entries" else 8 * int(level)
            count = size >> shift
            for index in {max(0, (count >> 8) - 1), count >> 8}:
                folder = self.folder / f"tile/{level}/{tile_name(index)}.p"
                keep = "" if index < count >> 8 else str(count & 255)
                for part in folder.glob("*"):
                    if part.name != keep:
                        part.unlink()


class CopyingSource(LogSource):
    """A log that is read through a copy: what the log gives is staged there."""

    def __init__(self, source: LogSource, copy: LogCopy) -> None:
        self._source = source
        self._copy = copy

    def read(self, path: str) -> bytes | None:
        """See ``LogSource.read``."""
        data = self._source.read(path)
        if data is not None and path.startswith("tile/"):
            self._copy.stage(path, data)
        return data


def shown_tile(source: LogSource, level: int | str, index: int, width: int) -> bytes:
    """A tile or bundle of a log in its full form or that of ``width``, nothing where the log has neither."""
    path = f"tile/{level}/{tile_name(index)}"
    whole = source.read(path) if width == 256 else source.read(f"{path}.p/{width}")
    return whole or (b"" if width == 256 else source.read(path) or b"")


def first_difference(kept: LogCopy, shown: LogSource, kept_size: int, shown_size: int) -> int | None:
    """The first leaf in which two logs differ; None where they differ nowhere below the smaller size.

    It goes down from the highest level, so it reads one tile of each level, not all leaves. Whether the tiles are
    those of the signed roots is for the caller to know.
    """
    common = min(kept_size, shown_size)
    level = 0
    while common >> (8 * (level + 1)):
        level += 1
    index = 0
    for height in range(level, -1, -1):
        width = min(256, (common >> (8 * height)) - index * 256)
        mine = kept.tile(height, index)
        theirs = shown_tile(shown, height, index, min(256, (shown_size >> (8 * height)) - index * 256))
        places = range(width)
        place = next((n for n in places if mine[_HASH * n :][:_HASH] != theirs[_HASH * n :][:_HASH]), width)
        index = index * 256 + place
    return index if index < common else None


def entry_of(bundle: bytes, place: int) -> bytes | None:
    """The entry at a place of a bundle, None where it has fewer."""
    at = 0
    for _ in range(place):
        if at + 2 > len(bundle):
            return None
        at += 2 + int.from_bytes(bundle[at : at + 2], "big")
    end = at + 2 + int.from_bytes(bundle[at : at + 2], "big")
    return bundle[at + 2 : end] if at + 2 <= len(bundle) and end <= len(bundle) else None


def locate_fork(verdict: LogVerdict, kept: LogCopy, shown: LogSource) -> None:
    """Say of a history that is not the kept one where the two part, in the finding that says so."""
    for number, found in enumerate(verdict.findings):
        if found.path == KEPT and verdict.since is not None:
            leaf = first_difference(kept, shown, verdict.since, verdict.size)
            if leaf is not None:
                text = f"{found.text}; the first leaf that differs is {leaf}"
                verdict.findings[number] = LogFinding(leaf, found.path, text)
