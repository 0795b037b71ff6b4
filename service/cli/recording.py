"""The process that records the downloads of all workers of a server (``links.recording_process``)."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from select import select

import structlog

from ..clock import now
from ..links.recording_process import serve
from ..links.records import Records
from ..links.shared_recording import new_pair
from ..settings import Settings
from ..store import Database

_PAUSE = 1.0  # seconds between two starts
_OF_THE_SERVER = tuple(
    getattr(signal, f"SIG{name}") for name in ("TERM", "INT", "QUIT", "HUP", "USR1", "USR2", "TTIN", "TTOU", "WINCH")
)
_ENDING = 2.0  # seconds that it has to write what it has, when the workers have ended

log = structlog.get_logger()


class RecordingProcess:
    """A child of the process that watches the workers. It ends by itself when all who may ask it have ended.

    Signals that end a server are for the workers, which have downloads to finish: it ignores them.
    """

    def __init__(self, settings: Settings) -> None:
        """Make the door; ``keep`` starts the process."""
        self._settings = settings
        self._inside, self.door = new_pair()
        self._alive: int | None = None  # a pipe that ends with the process
        self._started = 0.0

    def keep(self, let_go: Callable[[], object]) -> None:
        """Start the process where it does not run. ``let_go`` closes in it what is the server's alone."""
        if self._alive is not None:
            if not select([self._alive], [], [], 0)[0]:
                return
            os.close(self._alive)
            self._alive = None
            log.error("the process that records has ended; workers record for themselves until the next is there")
        if time.monotonic() - self._started < _PAUSE:
            return
        self._started = time.monotonic()
        alive, held = os.pipe()
        try:
            child = os.fork()
        except OSError as error:
            os.close(alive)
            os.close(held)
            log.error("no process can be had that records; it is tried again", reason=error.strerror)
            return
        if child:
            os.close(held)
            self._alive = alive
            return
        status = 1
        try:
            for number in _OF_THE_SERVER:
                signal.signal(number, signal.SIG_IGN)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            let_go()
            self.door.close()
            os.close(alive)
            database = Database(self._settings.database_url)
            serve(self._inside, database, Records(now, self._settings.base_url))
            database.close()
            status = 0
        except BaseException as error:
            log.error("the process that records fails", exc_info=error)
        finally:
            with suppress(OSError):
                sys.stderr.flush()
            os._exit(status)  # nothing of the server's own end

    def end(self) -> None:
        """Let the process end, when the workers have; wait for it a moment."""
        self.door.close()
        if self._alive is not None:
            select([self._alive], [], [], _ENDING)
