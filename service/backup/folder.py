"""The folder of a backup: where its parts lie, how it says that it is whole, and what it holds."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from ..storage.durable import replace_file

FORMAT = 1
MANIFEST = "backup.json"
SUMS = "SHA256SUMS"  # as `sha256sum --check` reads it
UNFINISHED = "unfinished"
DATABASE = "database"
STORAGE = "storage"
_CHUNK = 1024 * 1024

Progress = Callable[[int, int], None]


class BackupError(Exception):
    """A backup cannot be made or put back; the text says why, and what to do."""


class DamagedBackupError(BackupError):
    """A backup is not whole, or not what was saved."""


@dataclass(frozen=True)
class Manifest:
    """Manifest of a backup; instants as RFC 3339 texts, ``database`` is ``sqlite`` or ``postgresql``."""

    format: int
    program: str
    begun_at: str
    finished_at: str
    database: str
    revision: str
    log_origin: str
    log_size: int
    log_root: str
    log_keys: list[str]
    files: int
    bytes: int
    sums_sha256: str


@dataclass(frozen=True)
class File:
    """A file of a backup: its path in the folder, and its SHA-256 in hex."""

    path: str
    sha256: str


def digest(path: Path) -> str:
    """Return the SHA-256 of a file in hex."""
    found = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_CHUNK):
            found.update(piece)
    return found.hexdigest()


@contextmanager
def begun(folder: Path) -> Iterator[None]:
    """Hold an empty folder, or one of a backup that was interrupted, which is emptied. Raises BackupError, OSError."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    there = {path.name for path in folder.iterdir()}
    if MANIFEST in there:
        raise BackupError(f"{folder} holds a backup already; name another folder")
    if there and UNFINISHED not in there:
        raise BackupError(f"{folder} is not empty; name a new folder")
    with (folder / UNFINISHED).open("a", encoding="utf-8") as mark:
        try:
            fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BackupError(f"another backup is being written to {folder}; name another folder") from None
        for name in there & {DATABASE, STORAGE}:
            shutil.rmtree(folder / name)
        (folder / SUMS).unlink(missing_ok=True)
        yield
        (folder / UNFINISHED).unlink()


def finish(folder: Path, files: Iterable[File], manifest: Callable[[int, int, str], Manifest]) -> Manifest:
    """Make everything durable, then write the manifest, after which the backup is whole.

    ``manifest`` is called with the number of files, their bytes, and the digest of their sums.
    """
    known = sorted(files, key=lambda file: file.path)
    sums = "".join(f"{file.sha256}  {file.path}\n" for file in known).encode()
    (folder / SUMS).write_bytes(sums)
    os.sync()  # one for all files, in place of one each
    size = sum((folder / file.path).stat().st_size for file in known)
    made = manifest(len(known), size, hashlib.sha256(sums).hexdigest())
    replace_file(folder / MANIFEST, (json.dumps(asdict(made), indent=2) + "\n").encode())
    return made


def read_manifest(folder: Path) -> Manifest:
    """Return what a backup says of itself. Raises DamagedBackupError where there is none, or it is not whole."""
    try:
        facts = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        if facts.get("format") != FORMAT:
            raise BackupError(f"{folder} is a backup of another format; restore it with the Emblem that made it")
        return Manifest(**facts)
    except FileNotFoundError:
        if (folder / UNFINISHED).exists():
            raise DamagedBackupError(
                f"the backup in {folder} was interrupted before its end; use another one"
            ) from None
        raise DamagedBackupError(f"{folder} holds no backup: there is no {MANIFEST}") from None
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise DamagedBackupError(f"{folder / MANIFEST} cannot be read; use another backup") from error


def checked_files(folder: Path, manifest: Manifest, progress: Progress) -> list[File]:
    """Return the files of a backup, each as it was saved. Raises DamagedBackupError for the first that is not."""
    try:
        sums = (folder / SUMS).read_bytes()
    except OSError as error:
        raise DamagedBackupError(f"{folder / SUMS} cannot be read; use another backup") from error
    if hashlib.sha256(sums).hexdigest() != manifest.sums_sha256:
        raise DamagedBackupError(f"{folder / SUMS} was changed; use another backup")
    files = [File(line[66:], line[:64]) for line in sums.decode().splitlines()]
    for done, file in enumerate(files):
        try:
            whole = digest(folder / file.path) == file.sha256
        except FileNotFoundError:
            raise DamagedBackupError(f"{folder / file.path} is missing; use another backup") from None
        if not whole:
            raise DamagedBackupError(f"{folder / file.path} is damaged; use another backup")
        progress(done + 1, len(files))
    return files
