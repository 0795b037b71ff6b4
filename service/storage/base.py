"""The contract that every storage keeps; ``tests/storage`` runs one suite on all of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

Content = bytes | Path
CHUNK = 256 * 1024  # bytes read at a time: what one slow client holds in memory


class ObjectMissing(Exception):
    """There is no object of this key."""

    def __init__(self, key: str) -> None:
        super().__init__(f"there is no object {key}")
        self.key = key


@dataclass(frozen=True)
class StoredObject:
    """One object: its key, its size in bytes, and its version, an opaque text that is another one once it changed."""

    key: str
    size: int
    version: str = ""


class Pieces(Iterator[bytes]):
    """The bytes of an opened object, in pieces of at most ``CHUNK``. Closed at its end, or before by ``close``."""

    def __init__(self, pieces: Iterator[bytes], close: Callable[[], object]) -> None:
        self._pieces = pieces
        self._close = close

    def __next__(self) -> bytes:
        """Return the next piece. Raises Unavailable where the storage ends early, or no longer answers."""
        try:
            return next(self._pieces)
        except BaseException:  # the end, too
            self.close()
            raise

    def close(self) -> None:
        """Let go of the file or connection; nothing happens where that was done."""
        self._close()


class ObjectChanged(Exception):
    """The object of this key is no longer of the version that was asked for."""


class Storage(ABC):
    """Objects by key. A key is a relative POSIX path of URL-safe segments, such as ``packages/logo/1.0.0.zip``.

    Every method raises ``problems.Unavailable`` where the storage does not answer or is full, and
    ``ObjectMissing`` where an object that is to be read does not exist. All of them may be called from many
    threads and processes at once.
    """

    #: Whether opening an object costs a request to another machine.
    remote: ClassVar[bool]

    @abstractmethod
    def put_new(
        self, key: str, content: Content, media_type: str = "application/octet-stream", *, durable: bool = True
    ) -> bool:
        """Stores an object that is not there yet; True if this call stored it, False if it was there.

        Atomic and durable: when it returns True the whole object survives a power cut, no reader ever
        sees a part of it, and of several callers at once exactly one gets True. What exists is not touched.

        Without ``durable`` a power cut may take the object or a part of it, and the disk is not waited for: for what
        can be made again, and carries the means to notice.
        """

    @abstractmethod
    def replace(self, key: str, content: Content, media_type: str = "application/octet-stream") -> None:
        """Stores an object, or swaps it atomically and durably for the new content."""

    @abstractmethod
    def read(self, key: str) -> bytes:
        """All bytes of an object."""

    def find(self, key: str) -> bytes | None:
        """All bytes of an object, or None where it does not exist."""
        try:
            return self.read(key)
        except ObjectMissing:
            return None

    @abstractmethod
    def stream(self, key: str, start: int, length: int, *, version: str = "") -> Pieces:
        """The bytes ``start`` to ``start + length - 1`` in pieces of at most ``CHUNK``.

        Opens the object before it returns, so that ObjectMissing and Unavailable are raised here and not later;
        so is ObjectChanged where a ``version`` is given and what was opened is another one.
        """

    @abstractmethod
    def stat(self, key: str) -> StoredObject | None:
        """Look an object up without reading it; None where it does not exist."""

    def size(self, key: str) -> int | None:
        """The object's size in bytes, or None where it does not exist."""
        found = self.stat(key)
        return None if found is None else found.size

    @abstractmethod
    def delete(self, key: str) -> None:
        """Removes an object; nothing happens where it does not exist."""

    @abstractmethod
    def list(self, prefix: str) -> Iterator[StoredObject]:
        """The objects whose key begins with ``prefix``, in the order of their keys' UTF-8 bytes."""

    @abstractmethod
    def local_path(self, key: str) -> Path | None:
        """The file that holds the object, where the storage is a local directory; else None."""

    @abstractmethod
    def signed_url(self, key: str, seconds: int, filename: str, media_type: str) -> str | None:
        """A URL that serves the object as an attachment for so many seconds; None where there is no such thing."""

    @abstractmethod
    def check(self) -> None:
        """Raises ``Unavailable`` where objects cannot be written and read."""
