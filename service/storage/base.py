"""The contract that every storage keeps; ``tests/storage`` runs one suite on all of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

Content = bytes | Path
CHUNK = 256 * 1024  # bytes read at a time: what one slow client holds in memory


class ObjectMissing(Exception):
    """There is no object of this key."""

    def __init__(self, key: str) -> None:
        super().__init__(f"there is no object {key}")
        self.key = key


@dataclass(frozen=True)
class StoredObject:
    """One object: its key and its size in bytes."""

    key: str
    size: int


class Storage(ABC):
    """Objects by key. A key is a relative POSIX path of URL-safe segments, such as ``packages/logo/1.0.0.zip``.

    Every method raises ``problems.Unavailable`` where the storage does not answer or is full, and
    ``ObjectMissing`` where an object that is to be read does not exist. All of them may be called from many
    threads and processes at once.
    """

    @abstractmethod
    def put_new(self, key: str, content: Content, media_type: str = "application/octet-stream") -> bool:
        """Stores an object that is not there yet; True if this call stored it, False if it was there.

        Atomic and durable: when it returns True the whole object survives a power cut, no reader ever
        sees a part of it, and of several callers at once exactly one gets True. What exists is not touched.
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
    def stream(self, key: str, start: int, length: int) -> Iterator[bytes]:
        """The bytes ``start`` to ``start + length - 1`` in pieces of at most ``CHUNK``.

        Opens the object before it returns, so that ObjectMissing and Unavailable are raised here and not later.
        """

    @abstractmethod
    def size(self, key: str) -> int | None:
        """The object's size in bytes, or None where it does not exist."""

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
