"""Processes that end (or stop) themselves at a chosen call: as a crash would, at every place where one can."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from functools import partial
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from service.storage import Storage
from service.store import Database


class Doom:
    """Counts the calls that change storage or database; the ``at``-th kills this process, before or after it.

    ``how`` is the signal: SIGSTOP makes it stand still there until somebody sends SIGCONT.
    """

    def __init__(self, at: int, *, after: bool, how: signal.Signals = signal.SIGKILL) -> None:
        self.left = at
        self.after = after
        self.how = how
        self._lock = threading.Lock()

    def hang_over(self, database: Database, storage: Storage) -> None:
        """From now on the changing calls of these two are counted, together."""
        for thing, name in (
            (database, "write"),
            (storage, "put_new"),
            (storage, "replace"),
            (storage, "delete"),
        ):
            setattr(thing, name, partial(self._call, getattr(thing, name)))

    def _call(self, work: Callable[..., Any], *args: Any) -> Any:
        with self._lock:  # tiles are stored by several threads
            self.left -= 1
            chosen = self.left == 0
        if chosen and not self.after:
            os.kill(os.getpid(), self.how)
        result = work(*args)
        if chosen and self.after:
            os.kill(os.getpid(), self.how)
        return result


def started(target: Callable[..., None], *args: Any) -> BaseProcess:
    """Runs ``target`` in a process of its own.

    It is a fresh one, forked from a server that has loaded the target's module and nothing else: no
    connection, thread or lock of the test is in it.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__, target.__module__])
    process = context.Process(target=target, args=args, daemon=True)
    process.start()
    return process


def ended_by_itself(target: Callable[..., None], *args: Any) -> bool:
    """Runs ``target`` like ``started``: True if it came to its end, False if it was killed.

    AssertionError where it failed in another way.
    """
    process = started(target, *args)
    process.join(60)
    assert process.exitcode in (0, -signal.SIGKILL), process.exitcode
    return process.exitcode == 0


def stands_still(process: BaseProcess) -> bool:
    """Whether a process was stopped by SIGSTOP."""
    try:
        return Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"
    except OSError:
        return False
