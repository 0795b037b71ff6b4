"""Files that are replaced as a whole and survive a power cut. The fsync rules of the program live here."""

from __future__ import annotations

import os
import secrets
from pathlib import Path


def replace_file(path: Path, content: bytes, *, mode: int = 0o600) -> None:
    """Write a file, or swap it for the new content, atomically and durably. Raises OSError.

    Crash order: a hidden file beside it (fsync) → rename → fsync of the folder. A reader sees the old content
    or the new one, whole; a crash before the rename leaves a hidden file that nobody refers to.
    """
    staged = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    descriptor = os.open(staged, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            sync(file.fileno())
        staged.replace(path)
    except BaseException:
        staged.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync(descriptor: int) -> None:
    """Make what was written to an open file durable."""
    os.fsync(descriptor)


def sync_folder(path: Path) -> None:
    """Make names that were added to, changed in or removed from a folder durable."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
