"""PNG made smaller without loss, in this process or in others.

oxipng keeps the interpreter's lock while it works, so that threads of a server would stand still and those that make
pictures would wait for one another; processes of its own do not. One reads pictures from standard input and writes them
to standard output, each after the effort (a byte) and its length (four bytes, big endian), and ends with whoever
started it.
"""

from __future__ import annotations

import atexit
import os
import struct
import subprocess
import sys
import threading
from contextlib import suppress
from enum import IntEnum
from typing import IO, Self

import oxipng

_HEAD = struct.Struct(">BI")


class Effort(IntEnum):
    """What is tried to make a picture smaller."""

    #: Flat drawings compress best unfiltered, and trying no other filter is ten times as fast.
    FLAT = 0
    #: Pictures of many colours that somebody waits for.
    QUICK = 1
    #: The same where nobody waits: neither of two searches always finds less.
    THOROUGH = 2


def optimised(png: bytes, effort: Effort = Effort.FLAT) -> bytes:
    """Return the same picture in fewer bytes; the same bytes on every machine."""
    if effort == Effort.FLAT:
        return oxipng.optimize_from_memory(
            png,
            level=1,
            filter=[oxipng.RowFilter.NoOp],
            deflate=oxipng.Deflaters.libdeflater(9),
            strip=oxipng.StripChunks.safe(),
            optimize_alpha=True,
        )
    levels = (2, 4) if effort == Effort.THOROUGH else (2,)
    tried = [
        oxipng.optimize_from_memory(png, level=level, strip=oxipng.StripChunks.safe(), optimize_alpha=True)
        for level in levels
    ]
    return min(tried, key=len)


class PngOptimisers:
    """Processes that do what ``optimised`` does, as many as threads ask at once. Thread-safe; a context manager."""

    def __init__(self, most_idle: int | None = None) -> None:
        """``most_idle`` processes are kept for the next picture, all if None."""
        self._most_idle = most_idle
        self.forget()

    def forget(self) -> None:
        """Know of no process: after a fork they are the other's."""
        self._idle: list[subprocess.Popen[bytes]] = []
        self._all: set[subprocess.Popen[bytes]] = set()
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        """Start nothing yet: the first picture does."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the processes."""
        self.close()

    def close(self) -> None:
        """End the processes."""
        with self._lock:
            ending, self._idle, self._all = self._all, [], set()
        for process in ending:
            _end(process)

    def __call__(self, png: bytes, effort: Effort = Effort.FLAT) -> bytes:
        """Return the picture in fewer bytes; made in this process where another ended early or cannot be had."""
        try:
            process = self._taken()
        except OSError:
            return optimised(png, effort)
        if (made := _asked(process, png, effort)) is None:
            with self._lock:
                self._all.discard(process)
            _end(process)
            return optimised(png, effort)
        self._give_back(process)
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
            self._all.add(process)
            return process

    def _give_back(self, process: subprocess.Popen[bytes]) -> None:
        with self._lock:
            if self._most_idle is None or len(self._idle) < self._most_idle:
                self._idle.append(process)
                return
            self._all.discard(process)
        _end(process)


def _asked(process: subprocess.Popen[bytes], png: bytes, effort: Effort) -> bytes | None:
    """Return the picture that the process made, None where it ended before."""
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        _write(process.stdin, png, effort)
        told = _read(process.stdout)
    except (OSError, ValueError):  # ValueError where close() was quicker
        return None
    return told and told[0]


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    with suppress(OSError):  # what it was not told any more
        process.communicate()


_shared = PngOptimisers(most_idle=1)
os.register_at_fork(after_in_child=_shared.forget)
atexit.register(_shared.close)


def optimised_apart(png: bytes, effort: Effort) -> bytes:
    """Return what ``optimised`` does, from another process where threads of this one would stand still meanwhile."""
    return optimised(png, effort) if threading.active_count() == 1 else _shared(png, effort)


def _write(stream: IO[bytes], picture: bytes, effort: Effort) -> None:
    stream.write(_HEAD.pack(effort, len(picture)) + picture)
    stream.flush()


def _read(stream: IO[bytes]) -> tuple[bytes, Effort] | None:
    """Return the next picture and the effort for it, None at the end."""
    head = stream.read(_HEAD.size)
    if len(head) < _HEAD.size:
        return None
    effort, length = _HEAD.unpack(head)
    picture = stream.read(length)
    return (picture, Effort(effort)) if len(picture) == length else None


def main() -> None:
    """Make each picture that comes in smaller, until no more come."""
    while (told := _read(sys.stdin.buffer)) is not None:
        picture, effort = told
        _write(sys.stdout.buffer, optimised(picture, effort), effort)


if __name__ == "__main__":
    main()
