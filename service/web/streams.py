"""Bound how many bodies are on their way at once: slow readers never take every thread.

A download that is sent from here holds its thread for as long as its reader takes. So at most half of a process's
threads send; who comes then is told to come again, and everything else is answered. A proxy that takes the whole
answer at once, or ``x-accel`` and ``redirect``, frees the thread at once.
"""

from __future__ import annotations

import os
import threading

from ..problems import Unavailable

SMALL = 128 * 1024  # bytes that the system takes at once, however slowly they are read
_THREADS = 64  # of a server that is not ours, which does not say how many it has


class Streams:
    """Places of one process for bodies on their way. Safe to share between threads; empty after a fork."""

    def __init__(self, threads: int = _THREADS) -> None:
        self.limit = max(1, threads // 2)
        self._start_afresh()
        os.register_at_fork(after_in_child=self._start_afresh)

    def _start_afresh(self) -> None:
        self._lock = threading.Lock()
        self._taken = 0

    def take(self) -> None:
        """Take a place. Raises Unavailable where there is none."""
        with self._lock:
            if self._taken >= self.limit:
                raise Unavailable(
                    "Many downloads are on their way. Try again in a few seconds.",
                    headers={"Retry-After": "10"},
                    private=f"{self._taken} bodies are being sent",
                )
            self._taken += 1

    def give_back(self) -> None:
        """Leave a place that was taken."""
        with self._lock:
            self._taken -= 1
