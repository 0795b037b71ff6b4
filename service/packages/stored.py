"""Guards the stored files of published packages: what leaves is what was published, or nothing.

An object is read whole once a process, before its first use, and its SHA-256 compared; from then on the
storage's version of the object, which changes with its content, says that it is still the same. So a file
that was damaged, cut short, replaced or lost is noticed by the next request, and no request reads it twice.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterable
from dataclasses import dataclass

from ..problems import PackageDamaged
from ..storage import ObjectChanged, ObjectMissing, Pieces, Storage, StoredObject
from .published import PublishedFile

_PREFIX = "packages/"


@dataclass(frozen=True)
class Damage:
    """A stored file that is not the published one; ``reason`` completes "its stored file …"."""

    package: str
    version: str
    storage_key: str
    reason: str

    def __str__(self) -> str:
        return f"{self.package} {self.version}: its stored file {self.reason} ({self.storage_key})"


class StoredPackages:
    """The stored archives of published packages. Safe to share between threads."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._intact: dict[str, str] = {}  # by key: the version of the object that was read and is the published file
        self._damaged: dict[str, tuple[str | None, Damage]] = {}  # by key: the version that is not, None where lost
        self._reading: dict[str, threading.Lock] = {}
        self._lock = threading.Lock()

    def stream(self, package: PublishedFile, start: int, length: int) -> Pieces:
        """Open the bytes ``start`` to ``start + length - 1``. Raises PackageDamaged, or Unavailable."""
        key = package.storage_key
        version = self._intact.get(key) or self._verify(package)
        try:
            return self._storage.stream(key, start, length, version=version)
        except (ObjectMissing, ObjectChanged):
            version = self._verify(package)  # it may have been put back, which is another version of the object
        try:
            return self._storage.stream(key, start, length, version=version)
        except (ObjectMissing, ObjectChanged) as error:
            raise PackageDamaged(private=f"{key} changes while it is read") from error

    def require(self, package: PublishedFile) -> None:
        """Raise PackageDamaged where the stored file is not the published one; for those who send it without us."""
        found = self._storage.stat(package.storage_key)
        if found is None or self._intact.get(package.storage_key) != found.version:
            self._verify(package)

    def examine(self, packages: Iterable[PublishedFile], *, most: int | None = None) -> list[Damage]:
        """Return what is damaged of these packages, after one look at the names and versions of all stored objects.

        Objects that this process has not read yet, or that changed since, are read; where ``most`` is given only
        so many bytes of them, the rest at the next call.
        """
        stored = {found.key: found for found in self._storage.list(_PREFIX)}
        damaged, read = [], 0
        for package in packages:
            found = stored.get(package.storage_key)
            if found is not None and self._intact.get(package.storage_key) == found.version:
                continue
            known = self._damaged.get(package.storage_key)
            if known is None or known[0] != (found and found.version):
                if found is not None and found.size == package.bytes:
                    if most is not None and read and read + found.size > most:
                        continue
                    read += found.size
                try:
                    self._verify(package)
                except PackageDamaged:
                    known = self._damaged.get(package.storage_key)
                else:
                    known = None
            if known is not None:
                damaged.append(known[1])
        return damaged

    def _verify(self, package: PublishedFile) -> str:
        """Return the stored object's version once it is known to be the published file; else raise PackageDamaged."""
        key = package.storage_key
        with self._lock:
            reading = self._reading.setdefault(key, threading.Lock())
        with reading:
            found = self._storage.stat(key)
            if found is not None and self._intact.get(key) == found.version:
                return found.version  # another thread has read it meanwhile
            known = self._damaged.get(key)
            version = None if found is None else found.version
            if known is None or known[0] != version:
                reason = self._compare(package, found)
                if found is not None and not reason:
                    self._damaged.pop(key, None)
                    self._intact[key] = found.version
                    return found.version
                known = (version, Damage(package.id, package.version, key, reason))
                self._intact.pop(key, None)
                self._damaged[key] = known
        raise PackageDamaged(headers={"Retry-After": "300"}, private=str(known[1]))

    def _compare(self, package: PublishedFile, found: StoredObject | None) -> str:
        """Return what is wrong with an object, read whole; an empty text where it is the published file."""
        if found is None:
            return "is missing"
        if found.size != package.bytes:
            return f"has {found.size:,} bytes instead of {package.bytes:,}"
        digest = hashlib.sha256()
        try:
            for piece in self._storage.stream(found.key, 0, found.size, version=found.version):
                digest.update(piece)
        except ObjectMissing:
            return "is missing"
        except ObjectChanged:
            return "changes while it is read"
        return "" if digest.hexdigest() == package.sha256 else "has other bytes than were published"
