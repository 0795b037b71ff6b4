"""LRU cache of rendered variants, bounded by their total size in bytes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from cachetools import LRUCache

K = TypeVar("K")
V = TypeVar("V")


class VariantCache(Generic[K, V]):
    """LRU cache of at most ``most_bytes`` bytes, where ``size_of`` says how many a value takes. Thread-safe."""

    def __init__(self, most_bytes: int, size_of: Callable[[V], int]) -> None:
        self._largest = most_bytes // 4
        self._size_of = size_of
        self._items: LRUCache[K, V] = LRUCache(most_bytes, getsizeof=size_of)
        self._lock = threading.Lock()  # cachetools has none: reading a value changes the order in which they leave

    def get(self, key: K) -> V | None:
        """The value, or None."""
        with self._lock:
            try:
                return self._items[key]  # half the work of LRUCache.get
            except KeyError:
                return None

    def put(self, key: K, value: V) -> None:
        """Keep a value; one that is larger than a quarter of the cache would drive too many others out."""
        if self._size_of(value) <= self._largest:
            with self._lock:
                self._items[key] = value

    @property
    def bytes(self) -> int:
        """Return how many bytes are held."""
        return int(self._items.currsize)

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._items.clear()
