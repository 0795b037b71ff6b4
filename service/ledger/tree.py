"""Merkle tree of RFC 6962 over SHA-256, kept as its right edge, which is enough to grow it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256

from .tiles import FULL, HASH, WIDTH, partial_width

EMPTY_ROOT = sha256(b"").digest()


def leaf_hash(entry: bytes) -> bytes:
    """The hash of a leaf."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node."""
    return sha256(b"\x01" + left + right).digest()


def perfect_root(hashes: bytes) -> bytes:
    """The root over a power of two of concatenated hashes."""
    while len(hashes) > HASH:
        hashes = b"".join(
            [sha256(b"\x01" + hashes[start : start + 64]).digest() for start in range(0, len(hashes), 64)]
        )
    return hashes


def split(count: int) -> int:
    """The largest power of two smaller than ``count`` (which is at least 2): where RFC 6962 splits a tree."""
    return 1 << ((count - 1).bit_length() - 1)


def root_of(hashes: Sequence[bytes]) -> bytes:
    """The root over hashes of which the last may stand for a smaller subtree than the equal ones before it."""
    if len(hashes) == 1:
        return hashes[0]
    middle = split(len(hashes))
    return node_hash(root_of(hashes[:middle]), root_of(hashes[middle:]))


@dataclass(frozen=True)
class Tile:
    """A tile to store: level, number, and 1 to 256 hashes of 32 bytes each."""

    level: int
    index: int
    data: bytes

    @property
    def width(self) -> int:
        """Number of its hashes."""
        return len(self.data) // HASH


class Edge:
    """The right edge of a tree: its size, and the hashes of the unfinished tile of each level.

    Memory grows with the logarithm of the size: at most 8 KiB a level.
    """

    def __init__(self, size: int = 0, partials: Iterable[bytes] = ()) -> None:
        self.size = size
        self.partials = list(partials)
        for level, data in enumerate(self.partials):
            if len(data) != HASH * partial_width(size, level):
                raise ValueError(f"the unfinished tile of level {level} does not fit a tree of {size} leaves")

    @property
    def root(self) -> bytes:
        """The tree's root hash."""
        rest: list[bytes] = []
        for data in self.partials:
            hashes = [data[start : start + HASH] for start in range(0, len(data), HASH)]
            if hashes or rest:
                rest = [root_of(hashes + rest)]
        return rest[0] if rest else EMPTY_ROOT

    def grown(self, leaves: Sequence[bytes]) -> tuple[Edge, list[Tile]]:
        """Grow the tree by leaf hashes; return its new edge and every tile that came to be on the way there.

        Those are all tiles that became full, and of each level that grew the unfinished one at the end.
        """
        tiles: list[Tile] = []
        partials: list[bytes] = []
        coming = b"".join(leaves)
        level = 0
        while level < len(self.partials) or coming:
            data = (self.partials[level] if level < len(self.partials) else b"") + coming
            index = self.size >> (8 * (level + 1))
            roots = []
            start = 0
            for start in range(0, len(data) - FULL + 1, FULL):
                full = data[start : start + FULL]
                tiles.append(Tile(level, index, full))
                roots.append(perfect_root(full))
                index += 1
            rest = data[len(roots) * FULL :]
            if rest and coming:
                tiles.append(Tile(level, index, rest))
            partials.append(rest)
            coming = b"".join(roots)
            level += 1
        return Edge(self.size + len(leaves), partials), tiles


def levels(size: int) -> int:
    """Number of levels of tiles of a tree of ``size`` leaves."""
    count = 0
    while size >> (8 * count):
        count += 1
    return count


__all__ = [
    "EMPTY_ROOT",
    "WIDTH",
    "Edge",
    "Tile",
    "leaf_hash",
    "levels",
    "node_hash",
    "perfect_root",
    "root_of",
    "split",
]
