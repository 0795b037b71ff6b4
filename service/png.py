"""PNG made smaller without loss, in this process or in others.

oxipng keeps the interpreter's lock while it works, so that threads which make pictures would wait for one another;
processes of its own do not. One reads pictures from standard input and writes them to standard output, each after its
length (four bytes, big endian), and ends with whoever started it.
"""

from __future__ import annotations

import os
import struct
import subprocess
import sys
import threading
from typing import IO, Self

import oxipng

_LENGTH = struct.Struct(">I")


def optimised(png: bytes) -> bytes:
    """Return the same picture in fewer bytes; the same bytes on every machine.

    Flat drawings compress best unfiltered, and trying no other filter is ten times as fast.
    """
    return oxipng.optimize_from_memory(
        png,
        level=1,
        filter=[oxipng.RowFilter.NoOp],
        deflate=oxipng.Deflaters.libdeflater(9),
        strip=oxipng.StripChunks.safe(),
        optimize_alpha=True,
    )


class PngOptimisers:
    """Processes that do what ``optimised`` does, as many as threads ask at once. Thread-safe; a context manager."""

    def __init__(self) -> None:
        self._idle: list[subprocess.Popen[bytes]] = []
        self._all: list[subprocess.Popen[bytes]] = []
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        """Start nothing yet: the first picture does."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the processes."""
        for process in self._all:
            process.kill()
            process.communicate()

    def __call__(self, png: bytes) -> bytes:
        """Return the picture in fewer bytes; made in this process where another ended early or cannot be had."""
        try:
            process = self._taken()
            assert process.stdin is not None
            assert process.stdout is not None
            _write(process.stdin, png)
            made = _read(process.stdout)
        except OSError:
            return optimised(png)
        if made is None:
            return optimised(png)
        with self._lock:
            self._idle.append(process)
        return made

    def _taken(self) -> subprocess.Popen[bytes]:
        with self._lock:
            if self._idle:
                return self._idle.pop()
            process = subprocess.Popen(  # noqa: S603 - our own module, and nothing that anyone sent
                [sys.executable, "-m", __name__],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=os.environ | {"RAYON_NUM_THREADS": "1"},  # there are others for the other cores
                process_group=0,  # Ctrl-C is for whoever started it
            )
            self._all.append(process)
            return process


def _write(stream: IO[bytes], picture: bytes) -> None:
    stream.write(_LENGTH.pack(len(picture)) + picture)
    stream.flush()


def _read(stream: IO[bytes]) -> bytes | None:
    """Return the next picture, None at the end."""
    head = stream.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack(head)
    picture = stream.read(length)
    return picture if len(picture) == length else None


def main() -> None:
    """Make each picture that comes in smaller, until no more come."""
    while (picture := _read(sys.stdin.buffer)) is not None:
        _write(sys.stdout.buffer, optimised(picture))


if __name__ == "__main__":
    main()
