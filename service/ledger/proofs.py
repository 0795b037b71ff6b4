"""Proofs from the stored tiles: inclusion of a leaf, consistency of two checkpoints, receipts (C2SP tlog-proof)."""

from __future__ import annotations

import base64

from ..problems import LogDamaged
from ..storage import ObjectMissing, Storage
from . import tiles
from .rows import StoredCheckpoint
from .tree import EMPTY_ROOT, node_hash, perfect_root, split

_HEADER = "c2sp.org/tlog-proof@v1"


class TileReader:
    """Hashes and entries of a tree of ``size`` leaves, read from storage; each tile once. For one request."""

    def __init__(self, storage: Storage, size: int) -> None:
        self.storage = storage
        self.size = size
        self._tiles: dict[tuple[int, int], bytes] = {}
        self._bundles: dict[int, list[bytes]] = {}
        self._consistent: dict[int, list[bytes]] = {}

    def root(self) -> bytes:
        """The root hash of the tree."""
        return self.subtree(0, self.size) if self.size else EMPTY_ROOT

    def inclusion(self, leaf: int) -> list[bytes]:
        """The path of a leaf, its sibling first. ValueError for a leaf that the tree does not have."""
        if not 0 <= leaf < self.size:
            raise ValueError(f"a tree of {self.size} leaves has no leaf {leaf}")
        path: list[bytes] = []
        start, end = 0, self.size
        while end - start > 1:
            middle = start + split(end - start)
            if leaf < middle:
                path.append(self.subtree(middle, end))
                end = middle
            else:
                path.append(self.subtree(start, middle))
                start = middle
        return path[::-1]

    def consistency(self, old: int) -> list[bytes]:
        """The proof (RFC 6962, 2.1.2) that the tree of ``old`` leaves is a beginning of this one."""
        if not 0 < old <= self.size:
            raise ValueError(f"there is no proof from {old} to {self.size} leaves")
        if old not in self._consistent:  # several witnesses hold the same
            self._consistent[old] = self._consistency(old)
        return self._consistent[old]

    def _consistency(self, old: int) -> list[bytes]:
        path: list[bytes] = []
        start, end, whole = 0, self.size, True
        while old != end:
            middle = start + split(end - start)
            if old <= middle:
                path.append(self.subtree(middle, end))
                end = middle
            else:
                path.append(self.subtree(start, middle))
                start, whole = middle, False
        if not whole:
            path.append(self.subtree(start, end))
        return path[::-1]

    def subtree(self, start: int, end: int) -> bytes:
        """The root over the leaves ``start`` to ``end - 1``, where RFC 6962 has such a subtree."""
        count = end - start
        if count & (count - 1) == 0:
            return self._perfect(start, count.bit_length() - 1)
        middle = start + split(count)
        return node_hash(self.subtree(start, middle), self.subtree(middle, end))

    def entry(self, leaf: int) -> bytes:
        """The entry of a leaf, from its bundle."""
        index = leaf // tiles.WIDTH
        if index not in self._bundles:
            data = self._read("entries", index, tiles.partial_width(self.size, 0))
            self._bundles[index] = tiles.unbundle(data)
        return self._bundles[index][leaf % tiles.WIDTH]

    def _perfect(self, start: int, height: int) -> bytes:
        level, inside = divmod(height, 8)
        position = (start >> (8 * level)) % tiles.WIDTH
        data = self._tile(level, start >> (8 * (level + 1)))
        return perfect_root(data[position * tiles.HASH : (position + (1 << inside)) * tiles.HASH])

    def _tile(self, level: int, index: int) -> bytes:
        if (level, index) not in self._tiles:
            width = tiles.partial_width(self.size, level)
            self._tiles[level, index] = self._read(level, index, width)
        return self._tiles[level, index]

    def _read(self, level: int | str, index: int, width: int) -> bytes:
        """The full tile if there is one (also where this tree has only a part of it), else the unfinished one."""
        depth = 0 if isinstance(level, str) else level
        last = self.size >> (8 * (depth + 1))
        names = [tiles.key(level, index)]
        if index == last and width:
            names.insert(0, tiles.key(level, index, width))
        for name in names:
            try:
                return self.storage.read(name)
            except ObjectMissing:
                continue
        raise LogDamaged(f"{names[0]} is missing in storage. Restore it from a copy of the log.")


def receipt(reader: TileReader, leaf: int, checkpoint: StoredCheckpoint) -> str:
    """A tlog-proof text file for a leaf, with its entry in ``extra``, under a checkpoint of the reader's size."""
    lines = [_HEADER, f"extra {base64.b64encode(reader.entry(leaf)).decode()}", f"index {leaf}"]
    lines += [base64.b64encode(item).decode() for item in reader.inclusion(leaf)]
    return "\n".join(lines) + "\n\n" + checkpoint.note
