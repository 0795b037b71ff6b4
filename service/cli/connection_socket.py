"""A connection's socket that gunicorn's threads call less often.

Each call of a socket lets go of the interpreter's lock, and on a machine with idle cores another thread takes it
meanwhile: of what a warm answer took, two thirds were such changes of threads. gunicorn makes eight calls a request,
five of which set a mode that nothing depends on, and two send head and body apart. Here they are two.
"""

from __future__ import annotations

import socket
import struct
import time
from contextlib import suppress
from typing import Any

_SENDING, _READING = 20, 60  # seconds that a client may send nothing of a request, or read nothing of an answer
_MOMENT = 0.002  # seconds in which who loads a page, and a proxy in front, sends the next request
_HEARD_OUT, _SILENT = 3.0, 0.5  # seconds that who was refused may go on sending, and may send nothing meanwhile
_LARGEST_READ = 8192  # bytes; gunicorn's own
_MOST_JOINED = 65_536  # bytes of a body that are copied behind their head; more is worth a call of its own


class ConnectionSocket:
    """Wraps a socket: a mode is set when something is read or written in it, and a head leaves with its body.

    What is not defined here is the socket's own, as it is after all that was asked for before. For one thread at a
    time, as connections are.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._timeout = self._wanted = sock.gettimeout()
        self._head = b""
        # The kernel's own limits, beside the mode that gunicorn sets.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, _timeval(_SENDING))
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, _timeval(_READING))

    def __getattr__(self, name: str) -> Any:
        self.flush()
        self._set_mode()
        return getattr(self._sock, name)

    def fileno(self) -> int:
        """Return the file descriptor."""
        return self._sock.fileno()

    def gettimeout(self) -> float | None:
        """Return the timeout in seconds that was set last; None waits for ever."""
        return self._wanted

    def settimeout(self, seconds: float | None) -> None:
        """Set the timeout of what is read and written from now on."""
        self._wanted = seconds

    def setblocking(self, flag: bool) -> None:
        """Set whether what is read and written from now on waits."""
        self._wanted = None if flag else 0.0

    def recv(self, size: int) -> bytes:
        """Read at most ``size`` bytes."""
        self._set_mode()
        return self._sock.recv(size)

    def recv_soon(self) -> bytes:
        """Read what comes within a moment; empty where nothing does, or the other side has closed or failed."""
        self.setblocking(True)
        try:
            self._set_mode()
            self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, _timeval(_MOMENT))
            try:
                return self._sock.recv(_LARGEST_READ)
            finally:
                self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, _timeval(_SENDING))
        except OSError:
            return b""

    def sendall(self, data: bytes) -> None:
        """Send all of it; the head of an answer whose body is of known length waits for what comes next."""
        if not self._head and data.startswith(b"HTTP/1.1 200 ") and b"\r\nContent-Length: " in data:
            self._head = data
            return
        head, self._head = self._head, b""
        self._set_mode()
        if len(data) > _MOST_JOINED:
            self._sock.sendall(head)
            self._sock.sendall(data)
        else:
            self._sock.sendall(head + data)

    def flush(self) -> None:
        """Send a head that waits: its answer has no body, or what comes next is not sent by ``sendall``."""
        head, self._head = self._head, b""
        if head:
            with suppress(OSError):  # who has gone away needs none
                self._set_mode()
                self._sock.sendall(head)

    def hear_out(self) -> None:
        """Read and drop what is still sent after the last answer, for a few seconds at most."""
        until = time.monotonic() + _HEARD_OUT
        with suppress(OSError):
            self._sock.shutdown(socket.SHUT_WR)
            self.settimeout(_SILENT)
            while self.recv(_MOST_JOINED) and time.monotonic() < until:
                pass

    def _set_mode(self) -> None:
        if self._timeout != self._wanted:
            self._sock.settimeout(self._wanted)
            self._timeout = self._wanted


def _timeval(seconds: float) -> bytes:
    """C's ``struct timeval``, as the kernel takes timeouts."""
    return struct.pack("ll", int(seconds), int(seconds % 1 * 1_000_000))
