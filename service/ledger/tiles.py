"""Storage keys and contents of tiles and entry bundles (C2SP tlog-tiles)."""

from __future__ import annotations

from collections.abc import Sequence

ROOT = "log"  # the folder of the log in storage: what a web server may serve as it is
CHECKPOINT = f"{ROOT}/checkpoint"
HASH = 32  # bytes of a hash
WIDTH = 256  # hashes of a full tile
FULL = WIDTH * HASH


def number(index: int) -> str:
    """A tile's number in groups of three digits, all but the last with ``x`` before: 1234067 is ``x001/x234/067``."""
    parts = [f"{index % 1000:03d}"]
    while index >= 1000:
        index //= 1000
        parts.append(f"x{index % 1000:03d}")
    return "/".join(reversed(parts))


def key(level: int | str, index: int, width: int = WIDTH) -> str:
    """The storage key of a tile (``level`` a number) or an entry bundle (``level`` is ``entries``)."""
    full = f"{ROOT}/tile/{level}/{number(index)}"
    return full if width == WIDTH else f"{full}.p/{width}"


def partial_width(size: int, level: int) -> int:
    """Number of hashes in the unfinished tile of a level, in a tree of ``size`` leaves; 0 for none."""
    return (size >> (8 * level)) % WIDTH


def bundle(entries: Sequence[bytes]) -> bytes:
    """Entries, each with its length in 16 bits big-endian before it. OverflowError for one that is too long."""
    return b"".join([len(entry).to_bytes(2, "big") + entry for entry in entries])


def unbundle(data: bytes) -> list[bytes]:
    """The entries of a bundle; ValueError where it is cut off."""
    found = []
    position = 0
    while position < len(data):
        end = position + 2 + int.from_bytes(data[position : position + 2], "big")
        if end > len(data):
            raise ValueError("the entry bundle is cut off")
        found.append(data[position + 2 : end])
        position = end
    return found
