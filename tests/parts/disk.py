"""A small file system in memory that a test can fill up or make read-only, for real."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from .system import strict


class SmallDisk:
    """A mounted tmpfs; what stands on it meets real ENOSPC and EROFS."""

    def __init__(self, path: Path, size: str) -> None:
        self.path = path
        self._filler = path / "filler"
        self.size = size

    def fill(self) -> None:
        """Leaves not one byte free."""
        with self._filler.open("wb", buffering=0) as file:
            for block in (1 << 16, 1 << 12, 1):
                try:
                    while file.write(b"\0" * block):
                        pass
                except OSError:
                    continue

    def free(self) -> None:
        """Gives back what ``fill`` took."""
        self._filler.unlink(missing_ok=True)

    def read_only(self, value: bool) -> None:
        """Makes it read-only for processes that open files from now on, or writable again."""
        subprocess.run(["mount", "-o", f"remount,{'ro' if value else 'rw'}", self.path], check=True)


@contextmanager
def small_disk(path: Path, size: str = "8m") -> Iterator[SmallDisk]:
    """Mounts a tmpfs of ``size`` on the new folder ``path``. Needs root; fails or skips without."""
    path.mkdir(parents=True)
    command: list[str | Path] = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", path]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        said = f"disk faults: mounting a tmpfs needs root ({done.stderr.strip() or f'user {os.geteuid()}'})"
        if strict():
            pytest.fail(said, pytrace=False)
        pytest.skip(said)
    try:
        yield SmallDisk(path, size)
    finally:
        subprocess.run(["umount", "--lazy", path], check=True)
