"""A TCP relay between two parts, that a test can break: refuse, cut in the middle of what is sent, or slow down."""

from __future__ import annotations

import random
import socket
import struct
import threading
import time
from contextlib import suppress

_BLOCK = 16 * 1024


class Relay:
    """Relays what comes to ``port`` to another port of this machine. What is set holds for open connections too.

    ``refusing`` closes each connection at once, ``cutting`` resets one after as many bytes from the far end, at most
    (a random number up to that), ``pause`` is the seconds that each block of 16 KiB from there waits.
    """

    def __init__(self, to: int, seed: int = 0) -> None:
        self.to = to
        self.refusing = False
        self.cutting = 0
        self.pause = 0.0
        self._random = random.Random(seed)
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Takes no more connections."""
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            if self.refusing:
                _reset(near)
                continue
            try:
                far = socket.create_connection(("127.0.0.1", self.to), timeout=5)
            except OSError:
                _reset(near)
                continue
            far.settimeout(None)
            for work in ((near, far, False), (far, near, True)):
                threading.Thread(target=self._pass_on, args=work, daemon=True).start()

    def _pass_on(self, source: socket.socket, target: socket.socket, answers: bool) -> None:
        left: int | None = None
        with suppress(OSError):
            while block := source.recv(_BLOCK):
                if self.refusing:
                    break
                if answers:
                    if not self.cutting:
                        left = None
                    elif left is None:
                        left = self._random.randrange(self.cutting)
                    if left is not None and len(block) > left:
                        target.sendall(block[:left])
                        break
                    left = None if left is None else left - len(block)
                    if self.pause:
                        time.sleep(self.pause)
                target.sendall(block)
            else:
                target.shutdown(socket.SHUT_WR)
                return
        _reset(target)
        _reset(source)


def _reset(connection: socket.socket) -> None:
    """Ends a connection by RST, as a peer that is gone; whoever reads from it in another thread stops too."""
    with suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()
