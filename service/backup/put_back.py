"""Put a backup back, over nothing or, if told, over what is there. A published log never gets shorter.

Order: everything is checked before anything is changed; objects; the log; the database, all or nothing; then the
caller runs ``ledger.recovery.recover``, by which the database takes over what the log has and it does not. A mark in
the data directory says from the first change to the end that a restore is under way: the service does not start
while it is there, and the command run again finishes it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from .. import private_files
from ..ledger import Sealer, notes, tiles
from ..ledger.copies import TileName, tile_names
from ..media_types import media_type_of
from ..problems import ConfigurationError
from ..storage import Storage
from ..storage.durable import replace_file, sync_folder
from ..store import migrate
from ..verification.log_reader import FolderSource, LogSource, PinnedSource, SourceError, StorageSource
from ..verification.signed_note import BadFormError, parse_vkey
from ..verification.verifier import verify_log
from . import databases
from .folder import DATABASE, STORAGE, BackupError, File, Manifest, Progress, checked_files, read_manifest

_MARK = "restore-unfinished"
_PARALLEL = 8


@dataclass(frozen=True)
class PutBack:
    """Account of what was put back: the backup's words, objects stored (others were there), the newest log."""

    manifest: Manifest
    objects: int
    log: str
    log_size: int


@dataclass(frozen=True)
class _Log:
    """A copy of the log: what it is called, its checkpoint, and where its tiles are read."""

    name: str
    note: bytes
    head: notes.Head
    source: LogSource


def require_finished(data_dir: Path) -> None:
    """Raise ConfigurationError where a restore was begun on this machine and did not come to its end."""
    if (data_dir / _MARK).exists():
        raise ConfigurationError(["A restore was interrupted: run `emblem restore` with the same backup again."])


@contextmanager
def put_back(
    sealer: Sealer,
    folder: Path,
    progress: Callable[[str], Progress],
    *,
    replace: bool = False,
    log: Path | None = None,
    kept: bytes | None = None,
) -> Iterator[PutBack]:
    """Put a backup back into the sealer's database and storage; inside, the caller recovers, which ends the restore.

    ``replace`` allows a database or storage that is not empty; ``log`` is a newer copy of the log in a folder, such
    as an export; ``kept`` is the newest checkpoint that somebody outside has. ``progress`` is called with what is
    being done. Raises BackupError, with nothing changed, where the backup is not whole or does not fit.
    """
    manifest = read_manifest(folder)
    _require_fit(sealer, manifest)
    mark = sealer.data_dir / _MARK
    if not replace and not mark.exists():
        _require_empty(sealer)
    files = checked_files(folder, manifest, progress("Checking"))
    newest = _newest_log(sealer, folder, manifest, log, kept)
    private_files.make_folder(sealer.data_dir)
    replace_file(mark, f"{folder}\n".encode())
    objects = _put_objects(sealer.storage, folder, files, progress("Storage"))
    _put_log(sealer.storage, newest, progress("Log"))
    databases.load(sealer.database, folder / DATABASE, manifest.revision)
    yield PutBack(manifest, objects, newest.name, newest.head.size)
    mark.unlink()
    sync_folder(sealer.data_dir)


def _require_fit(sealer: Sealer, manifest: Manifest) -> None:
    kind = "sqlite" if sealer.database.is_sqlite else "postgresql"
    if manifest.database != kind:
        raise BackupError(
            f"the backup is of a {manifest.database} database, and EMBLEM_DATABASE_URL names another kind"
        )
    if not migrate.knows(manifest.revision):
        raise BackupError(f"the backup is at revision {manifest.revision}: restore it with the newer Emblem")
    if manifest.log_origin != sealer.origin:
        raise BackupError(f"the log of the backup is {manifest.log_origin}: set EMBLEM_LOG_ORIGIN to that")
    if not {signer.verifier.vkey for signer in sealer.signers()} & set(manifest.log_keys):
        raise BackupError("EMBLEM_LOG_KEY is not that of the backup's log: restore with the configuration it had")


def _require_empty(sealer: Sealer) -> None:
    if not databases.is_empty(sealer.database):
        raise BackupError("the database of EMBLEM_DATABASE_URL is not empty: --replace puts the backup in its place")
    if next(iter(sealer.storage.list("")), None) is not None:
        raise BackupError("the storage of EMBLEM_STORAGE_URL is not empty: --replace puts the backup over it")


# --- the log


def _newest_log(sealer: Sealer, folder: Path, manifest: Manifest, given: Path | None, kept: bytes | None) -> _Log:
    """Return the longest of the copies of the log, of which every other one, and what was kept, is a beginning."""
    keys = list(dict.fromkeys([*manifest.log_keys, *(signer.verifier.vkey for signer in sealer.signers())]))
    try:
        copies = [_log("the backup", FolderSource(folder / STORAGE / tiles.ROOT))]
        if given is not None:
            copies.append(_log(f"the log in {given}", FolderSource(given)))
        if sealer.storage.size(tiles.CHECKPOINT) is not None:
            copies.append(_log("the storage", StorageSource(sealer.storage.find, keys)))
    except (SourceError, ValueError) as error:
        raise BackupError(f"a copy of the log cannot be read: {error}") from error
    newest = max(reversed(copies), key=lambda copy: copy.head.size)
    seen = [copy.note for copy in copies if copy is not newest] + ([kept] if kept else [])
    mark = sealer.newest_published()
    if mark is not None and mark.origin == sealer.origin:
        seen.append((sealer.data_dir / "newest-checkpoint").read_bytes())
    public = [parse_vkey(vkey) for vkey in keys]
    to_compare: list[bytes | None] = [*seen] or [None]
    for note in to_compare:
        try:
            verdict = verify_log(PinnedSource(newest.source, newest.note), public, note)
        except (SourceError, BadFormError) as error:
            raise BackupError(f"{newest.name} cannot be read: {error}") from error
        if (first := verdict.first) is not None:
            rewound = verdict.since is not None and verdict.since > newest.head.size
            raise BackupError(
                f"the log would go back to {newest.head.size} leaves, and {verdict.since} were published: give the "
                "newest copy of the log, such as an export, by --log DIR"
                if rewound
                else f"the log of {newest.name} does not verify: {first.path}: {first.text}"
            )
    return newest


def _log(name: str, source: LogSource) -> _Log:
    note = source.read("checkpoint") or b""
    return _Log(name, note, notes.read(note.decode()), source)


def _put_log(storage: Storage, newest: _Log, progress: Progress) -> None:
    """Store the tiles of the newest log, then its checkpoint; nothing where it lies in the storage already."""
    if storage.find(tiles.CHECKPOINT) == newest.note:
        return
    names = tile_names(newest.head.size)

    def put(name: TileName) -> None:
        data = newest.source.read(name.key.removeprefix(f"{tiles.ROOT}/"))
        assert data is not None, name  # it was verified
        if not storage.put_new(name.key, data) and storage.read(name.key) != data:
            storage.replace(name.key, data)

    with ThreadPoolExecutor(_PARALLEL) as pool:
        for done, _ in enumerate(pool.map(put, names)):
            progress(done + 1, len(names))
    storage.replace(tiles.CHECKPOINT, newest.note, "text/plain; charset=utf-8")


# --- every other object


def _put_objects(storage: Storage, folder: Path, files: list[File], progress: Progress) -> int:
    """Store the objects that are missing or otherwise; return how many. Nothing is deleted: others may need it."""
    keys = {file.path.removeprefix(f"{STORAGE}/"): file for file in files if file.path.startswith(f"{STORAGE}/")}
    wanted = [key for key in keys if not key.startswith(f"{tiles.ROOT}/")]

    def put(key: str) -> bool:
        path = folder / keys[key].path
        media_type = media_type_of(path.name)
        there = storage.stat(key)
        if there is None:
            return storage.put_new(key, path, media_type)
        if there.size == path.stat().st_size and _digest(storage, key, there.size) == keys[key].sha256:
            return False
        storage.replace(key, path, media_type)
        return True

    stored = 0
    with ThreadPoolExecutor(_PARALLEL) as pool:
        for done, new in enumerate(pool.map(put, wanted)):
            stored += new
            progress(done + 1, len(wanted))
    return stored


def _digest(storage: Storage, key: str, size: int) -> str:
    import hashlib

    found = hashlib.sha256()
    for piece in storage.stream(key, 0, size):
        found.update(piece)
    return found.hexdigest()
