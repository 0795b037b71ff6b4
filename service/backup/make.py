"""Make a backup while the service runs.

The order makes it consistent: first the database, in one snapshot; then, from the storage, a checkpoint of the log
that is not older, with exactly its tiles, and every other object. What the database names is in the storage by
then, and stays there. So the log is never older than the database, and putting both back is what ``recover`` does
with a database that is older than its log.
"""

from __future__ import annotations

import hashlib
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from .. import __version__
from ..clock import Clock, timestamp
from ..ledger import Sealer, notes, tiles
from ..ledger.copies import TileName, read_tile, tile_names
from ..problems import LogDamaged
from ..storage import ObjectChanged, ObjectMissing, Storage
from ..verification.log_reader import FolderSource
from ..verification.signed_note import parse_vkey
from ..verification.verifier import verify_log
from . import databases
from .folder import DATABASE, FORMAT, STORAGE, BackupError, File, Manifest, Progress, begun, finish

_LEFT_OUT = ("variants/", "check/", f"{tiles.ROOT}/")  # made anew; of no use; copied as of one checkpoint
_PARALLEL = 8
_PUBLISHED_WITHIN = 15.0  # seconds from a checkpoint's swap in the database to its publication, at most


def make(sealer: Sealer, clock: Clock, folder: Path, progress: Progress) -> Manifest:
    """Back a deployment up into an empty folder, and verify the log in it; return what the backup says of itself.

    Raises BackupError where the folder holds anything but an interrupted backup, Unavailable where database or
    storage do not answer, LogDamaged where the log does not verify. OSError where the folder cannot be written.
    """
    database, storage = sealer.database, sealer.storage
    with begun(folder):
        begun_at = clock()
        target = folder / STORAGE
        revision, saved = databases.save(database, folder / DATABASE)
        note = _checkpoint(sealer, databases.newest_note(folder / DATABASE, saved))
        head = notes.read(note)
        keys = sealer.vkeys()
        names = tile_names(head.size)
        objects = [found.key for found in storage.list("") if not found.key.startswith(_LEFT_OUT)]
        total, done = len(names) + len(objects) + 1, 0
        files = list(saved)
        with ThreadPoolExecutor(_PARALLEL) as pool:
            for file in pool.map(lambda name: _copy_tile(storage, target, name), names):
                files.append(file)
                progress(done := done + 1, total)
            for found in pool.map(lambda key: _copy_object(storage, target, key), objects):
                files += [found] if found else []
                progress(done := done + 1, total)
        files.append(_write(target, tiles.CHECKPOINT, note.encode()))
        verdict = verify_log(FolderSource(target / tiles.ROOT), [parse_vkey(vkey) for vkey in keys])
        if verdict.first is not None:
            raise LogDamaged(f"The log does not verify: {verdict.first.path}: {verdict.first.text}.")
        progress(total, total)
        return finish(
            folder,
            files,
            lambda count, size, sums: Manifest(
                format=FORMAT,
                program=__version__,
                begun_at=timestamp(begun_at),
                finished_at=timestamp(clock()),
                database="sqlite" if database.is_sqlite else "postgresql",
                revision=revision,
                log_origin=sealer.origin,
                log_size=head.size,
                log_root=head.root.hex(),
                log_keys=keys,
                files=count,
                bytes=size,
                sums_sha256=sums,
            ),
        )


def _checkpoint(sealer: Sealer, known: str | None) -> str:
    """Return a published checkpoint that is not older than the one in the saved database."""
    if known is None:
        raise BackupError("nothing is sealed yet: run `emblem audit seal` first, or start the service once")
    until = time.monotonic() + _PUBLISHED_WITHIN
    while True:
        found = sealer.storage.find(tiles.CHECKPOINT)
        if found is not None and notes.read(found.decode()).size >= notes.read(known).size:
            return found.decode()
        if time.monotonic() >= until:
            # Nobody publishes it now. It is signed, and its tiles were stored before it came into the database.
            return known
        time.sleep(0.2)


def _copy_tile(storage: Storage, target: Path, name: TileName) -> File:
    return _write(target, name.key, read_tile(storage, name))


def _copy_object(storage: Storage, target: Path, key: str) -> File | None:
    """Copy one object; None where it was deleted meanwhile, such as a file of an artwork check."""
    path = _path(target, key)
    while (found := storage.stat(key)) is not None:
        sums = hashlib.sha256()
        try:
            with path.open("wb") as file:
                for piece in storage.stream(key, 0, found.size, version=found.version):
                    file.write(piece)
                    sums.update(piece)
        except ObjectChanged:
            continue
        except ObjectMissing:
            break
        return File(f"{STORAGE}/{key}", sums.hexdigest())
    path.unlink(missing_ok=True)
    return None


def _write(target: Path, key: str, data: bytes) -> File:
    _path(target, key).write_bytes(data)
    return File(f"{STORAGE}/{key}", hashlib.sha256(data).hexdigest())


def _path(target: Path, key: str) -> Path:
    path = target.joinpath(*key.split("/"))
    path.parent.mkdir(parents=True, exist_ok=True)
    return path
