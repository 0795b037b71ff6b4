"""Move objects from one storage to another: copied, read back, compared, and never copied twice.

Safe to stop at any moment and to run again, also while the source is in use: what is there and the same stays. So
a large storage is copied while the service runs, and once more, in a moment, while it stands still.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ..media_types import media_type_of
from ..problems import Unavailable
from .base import ObjectChanged, ObjectMissing, Storage

_PARALLEL = 8
_NOT_MOVED = "check/"  # what a look at the storage writes

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Moved:
    """Numbers of objects ``copied``, found the ``same``, and ``deleted`` at the target; the bytes that were copied.

    ``complete`` is false where the source changed meanwhile: then run it again.
    """

    copied: int
    same: int
    deleted: int
    bytes: int
    complete: bool


def move(
    source: Storage, target: Storage, progress: Progress, *, last: Sequence[str] = (), mirrored: Sequence[str] = ()
) -> Moved:
    """Copy every object to the target, and compare what is there with the source by SHA-256; the source stays.

    The keys in ``last`` are copied behind all others. Objects of the target whose keys begin with one of
    ``mirrored`` are deleted where the source has none of that key: what was deleted here must not live on there.
    Raises Unavailable where one of them does not answer, or what was written is not what comes back.
    """
    before = {found.key: found.version for found in source.list("") if not found.key.startswith(_NOT_MOVED)}
    there = {found.key: found.size for found in target.list("")}
    keys = [key for key in before if key not in last] + [key for key in last if key in before]
    copied = same = size = done = 0
    with tempfile.TemporaryDirectory(prefix="emblem-move-") as folder, ThreadPoolExecutor(_PARALLEL) as pool:
        waiting = [key for key in keys if key not in last]
        for part in (waiting, [key for key in keys if key in last]):
            for moved in pool.map(lambda key: _copy(source, target, key, there.get(key), Path(folder)), part):
                copied += moved is not None and moved >= 0
                same += moved == _SAME
                size += max(moved or 0, 0)
                progress(done := done + 1, len(keys))
    stale = [key for key in there if key not in before and key.startswith(tuple(mirrored))] if mirrored else []
    for key in stale:
        target.delete(key)
    after = {found.key: found.version for found in source.list("") if not found.key.startswith(_NOT_MOVED)}
    return Moved(copied, same, len(stale), size, complete=before == after)


_SAME = -1


def _copy(source: Storage, target: Storage, key: str, known: int | None, folder: Path) -> int | None:
    """Return the bytes copied, ``_SAME`` where nothing had to be, or None where the source has it no more."""
    found = source.stat(key)
    if found is None:
        return None
    try:
        path, digest = _local(source, key, found.size, found.version, folder)
    except (ObjectMissing, ObjectChanged):
        return None  # the next run has it as it is then
    try:
        if known == found.size and _digest(target, key, known) == digest:
            return _SAME
        media_type = media_type_of(key)
        if known is not None or not target.put_new(key, path, media_type):
            target.replace(key, path, media_type)
        if _digest(target, key, found.size) != digest:
            raise Unavailable(f"{key} comes back from the new storage otherwise than it was written.")
        return found.size
    finally:
        if path.parent == folder:
            path.unlink()


def _local(source: Storage, key: str, size: int, version: str, folder: Path) -> tuple[Path, str]:
    """A file with the object's bytes, and their digest."""
    there, sums = source.local_path(key), hashlib.sha256()
    if there is not None:
        for piece in source.stream(key, 0, size, version=version):
            sums.update(piece)
        return there, sums.hexdigest()
    with tempfile.NamedTemporaryFile(dir=folder, delete=False) as file:
        for piece in source.stream(key, 0, size, version=version):
            file.write(piece)
            sums.update(piece)
    return Path(file.name), sums.hexdigest()


def _digest(storage: Storage, key: str, size: int) -> str:
    sums = hashlib.sha256()
    with suppress(ObjectMissing):
        for piece in storage.stream(key, 0, size):
            sums.update(piece)
    return sums.hexdigest()
