"""The hot set: what was asked for lately, in memory, bounded in bytes."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class HotSet(Generic[K, V]):
    """The least recently used leave first. Safe to share between threads."""

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self._items: OrderedDict[K, tuple[V, int]] = OrderedDict()
        self._bytes = 0
        # A key compares itself in Python, where another thread may come in between: so get takes the lock too.
        self._lock = threading.Lock()

    def get(self, key: K) -> V | None:
        """The value, or None."""
        with self._lock:
            item = self._items.get(key)
            if item is None:
                return None
            self._items.move_to_end(key)
            return item[0]

    def put(self, key: K, value: V, size: int) -> None:
        """Keeps a value of ``size`` bytes; one that is larger than a quarter of the set is not kept."""
        if size > self._most // 4:
            return
        with self._lock:
            old = self._items.pop(key, None)
            self._bytes += size - (old[1] if old else 0)
            self._items[key] = (value, size)
            while self._bytes > self._most:
                _, (_, gone) = self._items.popitem(last=False)
                self._bytes -= gone

    @property
    def bytes(self) -> int:
        """How many bytes are held."""
        return self._bytes
