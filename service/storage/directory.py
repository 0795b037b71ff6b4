"""Objects as files in a directory of the local file system."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

from .. import private_files
from ..problems import Unavailable
from .base import CHUNK, Content, ObjectChanged, ObjectMissing, Pieces, Storage, StoredObject
from .durable import sync, sync_folder

_STAGING = ".staging"  # beside the objects, so that a rename or link stays on one file system


class DirectoryStorage(Storage):
    """Files below ``root``; new ones are staged, synced, then linked or renamed into place.

    Crash order of a write: staged file (fsync) → link or rename → directory fsync. A crash before the
    second step leaves a file in the staging folder that nobody refers to.
    """

    remote = False

    def __init__(self, root: Path, *, shared: bool = False) -> None:
        """With ``shared`` the group may read what is written from now on, as a web server that sends files has to."""
        self.root = root
        self._folder_mode = private_files.SHARED_FOLDER if shared else private_files.FOLDER
        self._file_mode = private_files.SHARED_FILE if shared else private_files.FILE
        with _as_problem():
            private_files.make_folder(root, self._folder_mode)
            private_files.make_folder(root / _STAGING)

    def put_new(
        self, key: str, content: Content, media_type: str = "application/octet-stream", *, durable: bool = True
    ) -> bool:
        """See ``Storage.put_new``: a hard link fails where the name exists, which makes it atomic."""
        path = self._path(key)
        if path.exists():
            return False
        with _as_problem():
            staged = self._stage(content, path.parent, durable=durable)
            try:
                os.link(staged, path)
            except FileExistsError:
                return False
            finally:
                staged.unlink()
            if durable:
                sync_folder(path.parent)
        return True

    def replace(self, key: str, content: Content, media_type: str = "application/octet-stream") -> None:
        """See ``Storage.replace``: a rename."""
        path = self._path(key)
        with _as_problem():
            staged = self._stage(content, path.parent)
            staged.replace(path)
            sync_folder(path.parent)

    def read(self, key: str) -> bytes:
        """See ``Storage.read``."""
        with _as_problem(key):
            return self._path(key).read_bytes()

    def stream(self, key: str, start: int, length: int, *, version: str = "") -> Pieces:
        """See ``Storage.stream``."""
        with _as_problem(key):
            file = self._path(key).open("rb")
            if version and _version(os.fstat(file.fileno())) != version:
                file.close()
                raise ObjectChanged(key)
            file.seek(start)

        def pieces() -> Iterator[bytes]:
            left = length
            while left > 0:
                piece = file.read(min(CHUNK, left))
                if not piece:
                    raise Unavailable(private=f"{key} ends {left} bytes early")
                left -= len(piece)
                yield piece

        return Pieces(pieces(), file.close)

    def stat(self, key: str) -> StoredObject | None:
        """See ``Storage.stat``."""
        try:
            with _as_problem(key):
                status = self._path(key).stat()
        except ObjectMissing:
            return None
        return StoredObject(key, status.st_size, _version(status))

    def delete(self, key: str) -> None:
        """See ``Storage.delete``."""
        with _as_problem():
            self._path(key).unlink(missing_ok=True)

    def list(self, prefix: str) -> Iterator[StoredObject]:
        """See ``Storage.list``."""
        base = self.root / prefix.rpartition("/")[0] if "/" in prefix else self.root
        found = []
        with _as_problem():
            for folder, folders, files in os.walk(base):
                folders[:] = [name for name in folders if name != _STAGING]
                for name in files:
                    path = Path(folder) / name
                    key = path.relative_to(self.root).as_posix()
                    if key.startswith(prefix):
                        status = path.stat()
                        found.append(StoredObject(key, status.st_size, _version(status)))
        yield from sorted(found, key=lambda item: item.key.encode())

    def local_path(self, key: str) -> Path | None:
        """See ``Storage.local_path``."""
        return self._path(key)

    def signed_url(self, key: str, seconds: int, filename: str, media_type: str) -> str | None:
        """None: a directory has no URLs of its own."""
        return None

    def check(self) -> None:
        """See ``Storage.check``: writes and removes a small file."""
        with _as_problem():
            self._stage(b"emblem", self.root).unlink()

    def _path(self, key: str) -> Path:
        parts = key.split("/")
        if not key or any(part in ("", ".", "..", _STAGING) for part in parts) or "\0" in key:
            raise ValueError(f"{key!r} is not a storage key")
        return self.root.joinpath(*parts)

    def _stage(self, content: Content, folder: Path, *, durable: bool = True) -> Path:
        private_files.make_folder(folder, self._folder_mode)
        staging = self.root / _STAGING
        private_files.make_folder(staging)
        staged = staging / secrets.token_hex(12)
        try:
            with private_files.create(staged, self._file_mode) as file:
                if isinstance(content, Path):
                    with content.open("rb") as source:
                        shutil.copyfileobj(source, file, CHUNK)
                else:
                    file.write(content)
                file.flush()
                if durable:
                    sync(file.fileno())
        except BaseException:
            staged.unlink(missing_ok=True)
            raise
        return staged


class _as_problem:  # noqa: N801 - reads as a statement: with _as_problem():
    """Turns the file system's errors into the storage contract's: ObjectMissing, or Unavailable."""

    def __init__(self, key: str | None = None) -> None:
        self.key = key

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, FileNotFoundError | NotADirectoryError) and self.key is not None:
            raise ObjectMissing(self.key) from error
        if isinstance(error, OSError):
            full = error.errno in (errno.ENOSPC, errno.EDQUOT)
            raise Unavailable(
                "The storage is full; nothing was changed." if full else "",
                headers={"Retry-After": "30"},
                private=str(error),
            ) from error


def _version(status: os.stat_result) -> str:
    """The version of a file: the time of its last change of any kind is set by the kernel, and by nobody else."""
    return f"{status.st_ino:x}-{status.st_size:x}-{status.st_ctime_ns:x}"
