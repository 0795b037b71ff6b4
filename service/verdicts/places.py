"""The queue before the checks: at most one a core on a machine, and few that wait in each process."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from ..logos.locks import Locks
from ..problems import Unavailable

MOST_IN_PROCESS = 6  # requests that check or wait in one process; the threads of all others stay free
PATIENCE = 20.0  # seconds that a request waits for its place
_RETRY_AFTER = "10"  # seconds


class Places:
    """The places of a machine in which artwork is checked. Safe to share between threads and processes."""

    def __init__(
        self, data_dir: Path, at_once: int, *, most: int = MOST_IN_PROCESS, patience: float = PATIENCE
    ) -> None:
        """``at_once`` is how many checks may run, never more than cores; ``most`` how many requests a process holds."""
        self._at_once = max(1, min(at_once, len(os.sched_getaffinity(0))))
        self._locks = Locks(data_dir / "locks", self._at_once)
        self._patience = patience
        self._most = most
        self._start_anew()
        os.register_at_fork(after_in_child=self._start_anew)

    def _start_anew(self) -> None:
        self._held = threading.BoundedSemaphore(self._most)

    @contextmanager
    def one(self) -> Iterator[None]:
        """A place, as long as the block runs. Raises Unavailable with Retry-After where the queue is full or slow."""
        with ExitStack() as held:
            if not self._held.acquire(blocking=False):
                raise _busy()
            held.callback(self._held.release)
            try:
                held.enter_context(self._locks.place("artwork", self._at_once, self._patience))
            except Unavailable as error:
                raise _busy() from error
            yield


def _busy() -> Unavailable:
    return Unavailable(
        "Many files are being checked at the moment. Send it again in a few seconds.",
        headers={"Retry-After": _RETRY_AFTER},
    )
