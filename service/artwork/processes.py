"""The process that files are checked in, seen from the one that asks: started when needed, and again when it ended."""

from __future__ import annotations

import os
import pickle
import signal
import socket
import subprocess
import sys
import threading
import weakref
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from ..problems import Unavailable

if TYPE_CHECKING:
    from .inspecting import Kit
    from .worker import Order

PROGRAM = ("-m", f"{__package__}.worker")
_CHUNK = 1 << 20  # bytes
_ENDING = 5.0  # seconds
_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "VIPS_CONCURRENCY")


class CheckProcesses:
    """A process with a kit loaded, which makes a copy of itself for each file. Safe to share between threads."""

    def __init__(self, kit: Callable[[], Kit]) -> None:
        """Start nothing yet: the first file does, for which ``kit`` is made."""
        self._kit = kit
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._orders: socket.socket | None = None
        self._owner = 0
        self._end: Callable[[], object] = lambda: None

    def answered(self, order: Order, data: bytes) -> bytes | None:
        """What is answered on a file; None where its process ended before: it took too much time or memory.

        Raises Unavailable where no process can be had.
        """
        from .worker import BEGUN

        for _ in range(2):
            # One that ended for want of work, just as it was asked, has not begun: then another is started.
            try:
                answer = self._asked(order, data)
            except OSError as error:
                reason = str(error)
                self._forget()
                continue
            if answer.startswith(BEGUN):
                return answer[len(BEGUN) :] or None
            reason = "the process ended before it began"
            self._forget()
        raise Unavailable(headers={"Retry-After": "30"}, private=f"no process to check in: {reason}")

    def _asked(self, order: Order, data: bytes) -> bytes:
        ours, theirs = socket.socketpair()
        with ours:
            with theirs:
                socket.send_fds(self._started(), [order.written()], [theirs.fileno()])
            with suppress(BrokenPipeError, ConnectionResetError):  # what it says, or does not say, is read all the same
                ours.sendall(data)
                ours.shutdown(socket.SHUT_WR)
            parts = []
            with suppress(ConnectionResetError):
                while part := ours.recv(_CHUNK):
                    parts.append(part)
            return b"".join(parts)

    def _started(self) -> socket.socket:
        """The socket for orders, of a process that is started where there is none of ours."""
        with self._lock:
            if self._orders is not None and self._owner == os.getpid():
                return self._orders
            ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            with theirs, os.fdopen(os.memfd_create("kit"), "w+b") as kit:
                pickle.dump(self._kit(), kit, protocol=5)
                kit.seek(0)
                process = subprocess.Popen(  # noqa: S603 - our own module; what was sent comes in as its input
                    [sys.executable, *PROGRAM, str(theirs.fileno())],
                    stdin=kit,
                    stdout=subprocess.DEVNULL,
                    pass_fds=[theirs.fileno()],
                    process_group=0,  # Ctrl-C is for us; its copies are of its group
                    env=os.environ | dict.fromkeys(_ONE_THREAD, "1"),
                )
            self._process, self._orders, self._owner = process, ours, os.getpid()
            self._end = weakref.finalize(self, _ended, process, ours)
            return ours

    def _forget(self) -> None:
        """End the process, which is of no use any more; files under way are finished."""
        with self._lock:
            end, self._end = self._end, lambda: None
            self._process = self._orders = None
        end()

    def close(self) -> None:
        """End the process and what it is doing."""
        with self._lock:
            process = self._process if self._owner == os.getpid() else None
        if process is not None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        self._forget()


def _ended(process: subprocess.Popen[bytes], orders: socket.socket) -> None:
    """Let a process end: it does where nobody holds its socket any more."""
    orders.close()
    with suppress(subprocess.TimeoutExpired):
        process.wait(_ENDING)
