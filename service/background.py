"""A thread of a process that works in turns: started, woken and stopped in one way everywhere."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable

import structlog

log = structlog.get_logger()


class Background:
    """Daemon thread that calls ``turn`` when woken, and every ``every`` seconds where that is given.

    ``turn`` may return the seconds until the next turn instead of ``every``. A turn that raises is logged and
    the next one comes all the same. After a fork the child has no thread until ``start`` is called there.
    """

    def __init__(self, name: str, turn: Callable[[], float | None], every: float | None = None) -> None:
        self.name = name
        self._turn = turn
        self._every = every
        self._start_afresh()
        os.register_at_fork(after_in_child=self._start_afresh)

    def _start_afresh(self) -> None:
        self._lock = threading.Lock()
        self._woken = threading.Event()
        self._ending = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def running(self) -> bool:
        """Tell whether this process has the thread."""
        return self._thread is not None

    @property
    def ending(self) -> bool:
        """Tell whether ``stop`` was called: a long turn looks at it between its steps."""
        return self._ending.is_set()

    def start(self) -> None:
        """Start the thread; a second call changes nothing."""
        with self._lock:
            if self._thread is None:
                self._ending.clear()
                self._thread = threading.Thread(target=self._run, name=self.name, daemon=True)
                self._thread.start()

    def wake(self) -> None:
        """Let the next turn begin now; a turn that is under way is followed by another."""
        self._woken.set()

    def stop(self, timeout: float = 5.0) -> bool:
        """End the thread after the turn under way; False where it still runs after ``timeout`` seconds."""
        thread = self._thread
        if thread is None:
            return True
        self._ending.set()
        self._woken.set()
        thread.join(timeout)
        self._thread = None
        return not thread.is_alive()

    def _run(self) -> None:
        pause = self._every
        while True:
            self._woken.wait(pause)
            self._woken.clear()
            if self._ending.is_set():
                return
            try:
                said = self._turn()
            except Exception as error:
                log.error("background work failed; it is tried again", thread=self.name, exc_info=error)
                said = None
            pause = self._every if said is None else said
