"""The tree against RFC 6962's test vectors, and against a second, plain computation."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.ledger import tiles
from service.ledger.tree import Edge, leaf_hash

LEAVES = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def plain_root(leaves: list[bytes]) -> bytes:
    """RFC 6962, 2.1, word for word."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    middle = 1
    while middle * 2 < len(leaves):
        middle *= 2
    return sha256(b"\x01" + plain_root(leaves[:middle]) + plain_root(leaves[middle:])).digest()


@pytest.mark.parametrize("size", range(9))
def test_the_roots_of_the_well_known_leaves(size: int) -> None:
    edge, _ = Edge().grown([leaf_hash(bytes.fromhex(leaf)) for leaf in LEAVES[:size]])
    assert edge.root.hex() == ROOTS[size]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 700), min_size=1, max_size=6))
def test_a_tree_grown_in_any_steps_has_the_root_of_its_leaves(steps: list[int]) -> None:
    edge = Edge()
    leaves: list[bytes] = []
    for step in steps:
        new = [leaf_hash(str(len(leaves) + number).encode()) for number in range(step)]
        edge, _ = edge.grown(new)
        leaves += new
    assert edge.size == len(leaves)
    assert edge.root == plain_root(leaves)


def test_the_root_across_three_levels_of_tiles() -> None:
    leaves = [leaf_hash(str(number).encode()) for number in range(70_000)]
    edge, _ = Edge().grown(leaves)
    assert edge.root == plain_root(leaves)


def test_tiles_of_a_tree_of_256_and_of_70000() -> None:
    """A tree of 70,000 has 273 full and one partial (112) at level 0, one full and one partial (17) at level 1,
    one partial (1) at level 2."""
    leaves = [leaf_hash(str(number).encode()) for number in range(70_000)]
    _, small = Edge().grown(leaves[:256])
    assert [(tile.level, tile.index, tile.width) for tile in small] == [(0, 0, 256), (1, 0, 1)]
    _, large = Edge().grown(leaves)
    widths = [(tile.level, tile.width) for tile in large]
    assert widths.count((0, 256)) == 273
    assert widths.count((1, 256)) == 1
    assert [width for width in widths if width[1] != 256] == [(0, 112), (1, 17), (2, 1)]


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 66_000), st.integers(0, 1_000))
def test_growing_makes_exactly_the_tiles_that_have_changed(before: int, added: int) -> None:
    """Those that became full, and of each level that grew the unfinished one at the end; none is empty."""
    leaf = leaf_hash(b"")
    edge, _ = Edge().grown([leaf] * before)
    grown, made = edge.grown([leaf] * added)
    expected = []
    for level in range(4):
        old, new = before >> (8 * level), (before + added) >> (8 * level)
        if new > old:
            expected += [(level, index, 256) for index in range(old // 256, new // 256)]
            expected += [(level, new // 256, new % 256)] if new % 256 else []
    assert [(tile.level, tile.index, tile.width) for tile in made] == expected
    assert grown.size == before + added


def test_an_edge_that_does_not_fit_its_size_is_refused() -> None:
    with pytest.raises(ValueError, match="level 0"):
        Edge(3, [bytes(64)])


@pytest.mark.parametrize(
    ("index", "name"), [(0, "000"), (7, "007"), (999, "999"), (1000, "x001/000"), (1234067, "x001/x234/067")]
)
def test_tile_numbers(index: int, name: str) -> None:
    assert tiles.number(index) == name
    assert tiles.key(0, index) == f"log/tile/0/{name}"
    assert tiles.key("entries", index, 9) == f"log/tile/entries/{name}.p/9"


@given(st.lists(st.binary(max_size=300), max_size=20))
def test_bundles_are_read_back(entries: list[bytes]) -> None:
    assert tiles.unbundle(tiles.bundle(entries)) == entries


def test_a_bundle_that_is_cut_off_is_refused() -> None:
    with pytest.raises(ValueError, match="cut off"):
        tiles.unbundle(tiles.bundle([b"abc"])[:-1])


def test_an_entry_of_65536_bytes_does_not_fit() -> None:
    assert len(tiles.bundle([bytes(65_535)])) == 65_537
    with pytest.raises(OverflowError):
        tiles.bundle([bytes(65_536)])
