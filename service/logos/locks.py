"""Locks between the processes of one machine, as files in the data directory.

The system lets go of them when a process ends, however it ends.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from .. import private_files
from ..problems import Unavailable

_STRIPES = 256  # lock files for variants: a fixed number, so that they do not gather
_PAUSE = 0.003  # seconds between two tries; a render takes ten times as long
_LONG_PAUSE = 0.05  # the same for work of seconds


class Locks:
    """The locks of one data directory."""

    def __init__(self, folder: Path, slots: int, large: int = 1) -> None:
        """``slots`` is how many renders may run at once on this machine, and ``large`` how many large ones of them."""
        self._folder = folder
        self._slots = slots
        self._large = large

    @contextmanager
    def of(self, digest: str, seconds: float) -> Iterator[None]:
        """The lock of one variant (by a hex digest): whoever waits for it finds the variant made."""
        with self._first([f"variant-{int(digest[:8], 16) % _STRIPES}"], seconds):
            yield

    @contextmanager
    def slot(self, seconds: float) -> Iterator[None]:
        """One of the machine's places to render."""
        with self._one_of("render", self._slots, seconds):
            yield

    @contextmanager
    def large(self, seconds: float) -> Iterator[None]:
        """One of the machine's places for pictures that take much memory; to be had before a place to render."""
        with self._one_of("large", self._large, seconds):
            yield

    def place(self, name: str, places: int, seconds: float) -> AbstractContextManager[None]:
        """One of so many places of this name on the machine. Raises Unavailable where none gets free in time."""
        return self._one_of(name, places, seconds, pause=_LONG_PAUSE)

    @contextmanager
    def alone(self, name: str) -> Iterator[bool]:
        """True for one process of the machine at a time; the others get False at once."""
        descriptor = self._try(name)
        try:
            yield descriptor is not None
        finally:
            if descriptor is not None:
                os.close(descriptor)

    def _one_of(self, name: str, places: int, seconds: float, pause: float = _PAUSE) -> AbstractContextManager[None]:
        first = os.getpid() % places
        return self._first([f"{name}-{(first + number) % places}" for number in range(places)], seconds, pause)

    @contextmanager
    def _first(self, names: list[str], seconds: float, pause: float = _PAUSE) -> Iterator[None]:
        until = time.monotonic() + seconds
        while True:
            for name in names:
                descriptor = self._try(name)
                if descriptor is not None:
                    try:
                        yield
                    finally:
                        os.close(descriptor)
                    return
            if time.monotonic() > until:
                raise Unavailable("Too much is being done at the moment.", headers={"Retry-After": "2"})
            time.sleep(pause)

    def _try(self, name: str) -> int | None:
        path = self._folder / f"{name}.lock"
        try:
            private_files.make_folder(self._folder)
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, private_files.FILE)
        except OSError as error:
            raise Unavailable(headers={"Retry-After": "30"}, private=f"{path}: {error}") from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        return descriptor
