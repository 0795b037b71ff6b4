"""Folders and files of this machine that are the service's own: made for nobody else to read."""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO

FOLDER, FILE = 0o700, 0o600
SHARED_FOLDER, SHARED_FILE = 0o750, 0o640  # for a web server in the service's group that sends files itself


def make_folder(path: Path, mode: int = FOLDER) -> None:
    """Make a folder and those above it that are missing, all with this mode; nothing where it is there. OSError."""
    if path.is_dir():
        return
    if path.parent != path:
        make_folder(path.parent, mode)
    path.mkdir(mode=mode, exist_ok=True)


def make_file(path: Path, mode: int = FILE) -> None:
    """Make an empty file with this mode where there is none. Raises OSError."""
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, mode))


def create(path: Path, mode: int = FILE) -> BinaryIO:
    """Create a file with this mode and open it for writing. Raises FileExistsError or another OSError."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    return os.fdopen(descriptor, "wb")


def too_open(path: Path, allowed: int = FOLDER) -> bool:
    """Tell whether others may do more with this file or folder than ``allowed``; False where there is none."""
    try:
        return bool(path.stat().st_mode & 0o777 & ~allowed)
    except OSError:
        return False
