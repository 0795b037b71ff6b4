"""Copies of the log as it was at one checkpoint, also while it grows: which objects it has, and their bytes."""

from __future__ import annotations

from dataclasses import dataclass

from ..problems import LogDamaged
from ..storage import ObjectMissing, Storage
from . import notes, tiles
from .proofs import TileReader
from .tree import levels


@dataclass(frozen=True)
class TileName:
    """One tile (``level`` a number) or entry bundle (``level`` is ``entries``): its number, and how many it holds."""

    level: int | str
    index: int
    width: int

    @property
    def key(self) -> str:
        """Return where it lies in the storage."""
        return tiles.key(self.level, self.index, self.width)


def tile_names(size: int) -> list[TileName]:
    """Return every tile and bundle of a log of ``size`` leaves."""
    found: list[TileName] = []
    for level in range(levels(size)):
        kinds: list[int | str] = [level, "entries"] if level == 0 else [level]
        for kind in kinds:
            full = size >> (8 * (level + 1))
            found += [TileName(kind, index, tiles.WIDTH) for index in range(full)]
            if width := tiles.partial_width(size, level):
                found.append(TileName(kind, full, width))
    return found


def read_tile(storage: Storage, name: TileName) -> bytes:
    """Return the bytes of a tile or bundle, from a wider one where the log has grown since: its beginning is the same.

    Raises LogDamaged where the storage has neither.
    """
    for _ in range(3):  # a wider one may itself be followed by another, between the list and the reading
        for key in (name.key, *_wider(storage, name)):
            try:
                data = storage.read(key)
            except ObjectMissing:
                continue
            if name.level == "entries":
                return tiles.bundle(tiles.unbundle(data)[: name.width])
            return data[: name.width * tiles.HASH]
    raise LogDamaged(f"{name.key} is missing in storage. Restore it from a copy of the log.")


def require_same_log(source: Storage, target: Storage) -> None:
    """Raise LogDamaged where the target has a log that is not a beginning of the source's, or not to be compared."""
    known = target.find(tiles.CHECKPOINT)
    if known is None:
        return
    found = source.find(tiles.CHECKPOINT)
    try:
        old, new = notes.read(known.decode()), notes.read((found or b"").decode())
    except ValueError as error:
        raise LogDamaged(f"{tiles.CHECKPOINT} of one of the storages is no checkpoint: {error}.") from error
    if old.origin != new.origin or old.size > new.size:
        raise LogDamaged(f"The other storage holds a log that this one does not continue, {old.origin}.")
    if TileReader(source, new.size).subtree(0, old.size) != old.root:
        raise LogDamaged("The other storage holds another log of the same name: name an empty one.")


def _wider(storage: Storage, name: TileName) -> list[str]:
    full = tiles.key(name.level, name.index)
    if name.width == tiles.WIDTH:
        return []
    widths = [int(item.key.rpartition("/")[2]) for item in storage.list(f"{full}.p/")]
    return [tiles.key(name.level, name.index, width) for width in sorted(widths) if width > name.width] + [full]
