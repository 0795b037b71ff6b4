"""Memory that pictures took goes back to the system when they are done."""

from __future__ import annotations

import ctypes
from contextlib import suppress

_M_MMAP_THRESHOLD = -3  # of glibc's malloc.h
_SIZE = 512 * 1024  # bytes


def give_back_large() -> None:
    """From now on, in this whole process: a buffer of half a megabyte or more is given back when it is freed.

    glibc begins like this, and keeps ever larger buffers for itself once such have been freed. Encoders free many
    on several threads, and a server would keep a hundred megabytes for good. Other C libraries are left as they are.
    """
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, _SIZE)
