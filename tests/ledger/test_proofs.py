"""Proofs from tiles in storage, against RFC 6962's own definitions over plain lists of leaves."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.ledger import tiles
from service.ledger.proofs import TileReader, receipt
from service.ledger.rows import StoredCheckpoint
from service.ledger.tree import EMPTY_ROOT, Edge, leaf_hash
from service.problems import LogDamaged
from service.storage.directory import DirectoryStorage

from .test_tree import plain_root

MOST = 600
ENTRIES = [f"entry {number}".encode() for number in range(MOST)]
LEAVES = [leaf_hash(entry) for entry in ENTRIES]


def split(leaves: list[bytes]) -> int:
    middle = 1
    while middle * 2 < len(leaves):
        middle *= 2
    return middle


def plain_path(leaf: int, leaves: list[bytes]) -> list[bytes]:
    """RFC 6962, 2.1.1: PATH(m, D[n])."""
    if len(leaves) == 1:
        return []
    middle = split(leaves)
    if leaf < middle:
        return [*plain_path(leaf, leaves[:middle]), plain_root(leaves[middle:])]
    return [*plain_path(leaf - middle, leaves[middle:]), plain_root(leaves[:middle])]


def plain_proof(old: int, leaves: list[bytes], whole: bool = True) -> list[bytes]:
    """RFC 6962, 2.1.2: SUBPROOF(m, D[n], b)."""
    if old == len(leaves):
        return [] if whole else [plain_root(leaves)]
    middle = split(leaves)
    if old <= middle:
        return [*plain_proof(old, leaves[:middle], whole), plain_root(leaves[middle:])]
    return [*plain_proof(old - middle, leaves[middle:], whole=False), plain_root(leaves[:middle])]


def store(storage: DirectoryStorage, *sizes: int) -> None:
    """Stores the tiles and bundles of a log that had these sizes one after the other, unfinished ones too."""
    edge = Edge()
    for size in sizes:
        edge, made = edge.grown(LEAVES[edge.size : size])
        for tile in made:
            storage.put_new(tiles.key(tile.level, tile.index, tile.width), tile.data)
        for index in range((size + 255) // 256):
            part = ENTRIES[index * 256 : min(size, index * 256 + 256)]
            storage.put_new(tiles.key("entries", index, len(part)), tiles.bundle(part))


@pytest.fixture(scope="module")
def storage(tmp_path_factory: pytest.TempPathFactory) -> DirectoryStorage:
    """A log at every size up to 600, with every unfinished tile that it ever had."""
    made = DirectoryStorage(tmp_path_factory.mktemp("proofs"))
    store(made, *range(1, 20), 255, 256, 257, 300, 511, 512, 513, MOST)
    return made


SIZES = [*range(1, 20), 255, 256, 257, 300, 511, 512, 513, MOST]


@pytest.mark.parametrize("size", SIZES)
def test_the_root_of_every_size(storage: DirectoryStorage, size: int) -> None:
    assert TileReader(storage, size).root() == plain_root(LEAVES[:size])


def test_a_tree_without_leaves_has_the_empty_root(storage: DirectoryStorage) -> None:
    assert TileReader(storage, 0).root() == EMPTY_ROOT


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(SIZES), st.integers(0, MOST - 1))
def test_the_path_of_a_leaf(storage: DirectoryStorage, size: int, leaf: int) -> None:
    leaf %= size
    assert TileReader(storage, size).inclusion(leaf) == plain_path(leaf, LEAVES[:size])


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(SIZES), st.integers(0, MOST - 1))
def test_the_proof_that_an_older_tree_is_the_beginning(storage: DirectoryStorage, size: int, old: int) -> None:
    old = old % size + 1
    assert TileReader(storage, size).consistency(old) == plain_proof(old, LEAVES[:size])


@pytest.mark.parametrize("old", [1, 2, 3, 4, 5, 7, 8])
def test_the_proofs_of_a_tree_of_eight(storage: DirectoryStorage, old: int) -> None:
    assert TileReader(storage, 8).consistency(old) == plain_proof(old, LEAVES[:8])
    assert TileReader(storage, 8).inclusion(old - 1) == plain_path(old - 1, LEAVES[:8])


def test_what_the_tree_does_not_have_has_no_proof(storage: DirectoryStorage) -> None:
    reader = TileReader(storage, 7)
    for leaf in (-1, 7, 8):
        with pytest.raises(ValueError, match=f"a tree of 7 leaves has no leaf {leaf}"):
            reader.inclusion(leaf)
    for old in (-1, 0, 8):
        with pytest.raises(ValueError, match=f"no proof from {old} to 7 leaves"):
            reader.consistency(old)


@pytest.mark.parametrize("leaf", [0, 255, 256, 511, 512, MOST - 1])
def test_a_leaf_has_its_entry(storage: DirectoryStorage, leaf: int) -> None:
    assert TileReader(storage, MOST).entry(leaf) == ENTRIES[leaf]
    assert TileReader(storage, leaf + 1 if leaf + 1 in SIZES else MOST).entry(leaf) == ENTRIES[leaf]


@pytest.mark.parametrize("size", [3, 256, 300, 511])
def test_an_older_tree_is_proved_from_the_tiles_that_have_become_full(tmp_path: Path, size: int) -> None:
    """Unfinished tiles are removed when the full one is there, which begins with the same hashes."""
    storage = DirectoryStorage(tmp_path)
    store(storage, MOST)
    reader = TileReader(storage, size)
    if size >> 8:
        storage.put_new(
            tiles.key(1, 0, size >> 8), b"".join(plain_root(LEAVES[n : n + 256]) for n in range(0, size - 255, 256))
        )
    assert reader.inclusion(size - 1) == plain_path(size - 1, LEAVES[:size])
    assert reader.entry(size - 1) == ENTRIES[size - 1]


def test_a_tile_that_is_gone_is_named(tmp_path: Path) -> None:
    storage = DirectoryStorage(tmp_path)
    store(storage, 300)
    storage.delete(tiles.key(0, 1, 44))
    with pytest.raises(LogDamaged, match=r"log/tile/0/001\.p/44 is missing in storage"):
        TileReader(storage, 300).root()
    storage.delete(tiles.key("entries", 0))
    with pytest.raises(LogDamaged, match="log/tile/entries/000 is missing in storage"):
        TileReader(storage, 300).entry(3)


def test_each_tile_is_read_once(tmp_path: Path) -> None:
    storage = DirectoryStorage(tmp_path)
    store(storage, 300)
    reader = TileReader(storage, 300)
    root = reader.root()
    for key in (tiles.key(0, 1, 44), tiles.key(1, 0, 1)):
        storage.delete(key)
    assert reader.root() == root


def test_a_receipt_has_the_entry_its_place_its_path_and_the_checkpoint(storage: DirectoryStorage) -> None:
    """C2SP tlog-proof: header, extra, index, the path, an empty line, and the checkpoint as it is."""
    checkpoint = StoredCheckpoint(5, "", "emblem.example.org/log\n5\n…\n", datetime(2026, 11, 25, tzinfo=UTC))
    lines = receipt(TileReader(storage, 5), 3, checkpoint).split("\n")
    path = [base64.b64encode(item).decode() for item in plain_path(3, LEAVES[:5])]
    extra = base64.b64encode(ENTRIES[3]).decode()
    assert lines == ["c2sp.org/tlog-proof@v1", f"extra {extra}", "index 3", *path, "", *checkpoint.note.split("\n")]
