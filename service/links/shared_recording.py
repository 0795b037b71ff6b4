"""Recording by one process for all of a machine, seen from those that ask.

Where each process records its own downloads, the thread that writes waits at every statement for the threads that
serve, since the interpreter runs one of them at a time, and each process has transactions and flushes of its own. One
process that does nothing else writes what waits in all of them at once (``recording_process``).

Each thread that records has a connection of its own, one end of a pair of sockets whose other end it passes through a
door: a socket that all processes inherited. A connection is used once the other side has greeted. Until then, and when
the process has ended, a download is recorded where it is served.
"""

from __future__ import annotations

import fcntl
import pickle
import socket
import struct
import termios
import threading
from collections import deque
from contextlib import suppress
from time import monotonic, sleep
from typing import Any

from ..background import Background
from ..problems import Unavailable
from .decisions import RecordRequest
from .records import End, Recorded

GREETING = b"+"
LARGEST = 1 << 16  # bytes of a message
LONGEST_WAIT = 12.0  # seconds until a request that was not begun is given up
_LONGEST_TRUTH = 60.0  # seconds until one that was begun is given up: then nobody knows what became of it
_TICK = 1  # seconds between two looks at what became of a request
_LATER = 0.25  # seconds for which ends wait for a request to go with
_MOST_ENDS = 64  # a message


def new_pair() -> tuple[socket.socket, socket.socket]:
    """Return two ends of a connection that keeps messages apart."""
    return socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)


def message(deadline: float, request: RecordRequest | None, ends: list[End]) -> bytes:
    """Return what is sent: a request, which may not be begun after ``deadline`` (monotonic), and ends of others."""
    return pickle.dumps((deadline, request, ends), 5)


class SharedRecording:
    """The way to the process that records, where there is one. Safe to share between threads."""

    def __init__(self) -> None:
        """Lead nowhere until ``use``."""
        self._door: socket.socket | None = None
        self._of_thread = threading.local()
        self._ends: deque[End] = deque()
        self._due = False
        self._sending = Background("emblem-ends", self._send_ends)

    def use(self, door: socket.socket) -> None:
        """Record through a door from now on."""
        self._door = door
        self._sending.start()

    def record(self, request: RecordRequest) -> Recorded | None:
        """Record a download. None where nobody does it for us, and the caller has to.

        Raises the refusal, or Unavailable. Where the process ends before it has answered, the record may be there
        all the same: then the caller makes another, which does not count again.
        """
        connection = self._connection()
        if connection is None:
            return None
        ends = self._taken()
        try:
            answer = connection.ask(request, ends)
        except _Ended:
            self._lost(ends)
            return None
        except Unavailable:
            self._lost(ends)
            raise
        if isinstance(answer, BaseException):
            raise answer
        recorded: Recorded = answer
        return recorded

    def ended(self, end: End) -> bool:
        """Pass on how a download ended; False where nobody takes it. It goes with the next request, or soon."""
        connection: _Connection | None = getattr(self._of_thread, "connection", None)
        if connection is None or not connection.is_open():
            return False
        self._ends.append(end)
        if not self._due:
            self._due = True
            self._sending.wake()
        return True

    def close(self) -> list[End]:
        """Use the door no more; return the ends that were not passed on."""
        self._door = None
        self._sending.stop()
        left = list(self._ends)
        self._ends.clear()
        return left

    def _connection(self) -> _Connection | None:
        """The connection of this thread, where it is in use."""
        found: _Connection | None = getattr(self._of_thread, "connection", None)
        if found is None:
            if self._door is None:
                return None
            found = self._of_thread.connection = _Connection.through(self._door)
        return found if found is not None and found.is_open() else None

    def _lost(self, ends: list[End]) -> None:
        """Forget the connection of this thread; what went with it waits again, at worst to be written twice alike."""
        self._of_thread.connection = None
        self._ends.extendleft(reversed(ends))

    def _taken(self) -> list[End]:
        taken: list[End] = []
        with suppress(IndexError):
            while len(taken) < _MOST_ENDS:
                taken.append(self._ends.popleft())
        return taken

    def _send_ends(self) -> float | None:
        sleep(_LATER)
        self._due = False
        while self._ends:
            connection = self._connection()
            if connection is None:
                return _TICK  # another turn then, where no request takes them with it
            ends = self._taken()
            try:
                connection.tell(ends)
            except _Ended:
                self._lost(ends)
        return None


class _Ended(Exception):
    """The other side is gone."""


class _Connection:
    """The connection of one thread."""

    def __init__(self, ours: socket.socket) -> None:
        self._socket = ours
        self._greeted = False
        # Without a time limit of Python's own, which would wait and read by two calls of the system.
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", _TICK, 0))

    @classmethod
    def through(cls, door: socket.socket) -> _Connection | None:
        """A connection whose other end went through a door; None where the door takes no more."""
        ours, theirs = new_pair()
        with theirs:
            try:
                socket.send_fds(door, [GREETING], [theirs.fileno()], socket.MSG_DONTWAIT)
            except OSError:
                ours.close()
                return None
        return cls(ours)

    def is_open(self) -> bool:
        """Tell whether the other side has greeted. Where it is gone, ``ask`` tells."""
        if not self._greeted:
            with suppress(OSError):
                self._greeted = self._socket.recv(LARGEST, socket.MSG_DONTWAIT) in (GREETING, b"")
        return self._greeted

    def tell(self, ends: list[End]) -> None:
        """Pass on ends. Raises _Ended."""
        try:
            self._socket.send(message(0, None, ends))
        except OSError as error:
            raise _Ended from error

    def ask(self, request: RecordRequest, ends: list[End]) -> Any:
        """The answer to a request. Raises _Ended, or Unavailable where none comes."""
        deadline = monotonic() + LONGEST_WAIT
        try:
            self._socket.send(message(deadline, request, ends))
            while True:
                with suppress(BlockingIOError):
                    came = self._socket.recv(LARGEST)
                    break
                # What is read after the deadline is not begun: what is unread then never will be.
                late = monotonic() - deadline
                if late > _LONGEST_TRUTH or (late > 0 and self._unread()):
                    self._socket.close()
                    raise Unavailable(headers={"Retry-After": "5"}, private="the recorder is busy for too long")
        except OSError as error:
            raise _Ended from error
        if not came:
            raise _Ended
        return pickle.loads(came)  # noqa: S301 - of a process of ours, over a socket that nobody else has

    def _unread(self) -> bool:
        """Tell whether the other side has yet to read what was sent (unix(7), SIOCOUTQ)."""
        waiting = fcntl.ioctl(self._socket.fileno(), termios.TIOCOUTQ, bytes(4))
        return int.from_bytes(waiting, "little") > 0
