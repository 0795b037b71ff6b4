"""The verifier: every bit flip in every file of a log is found and located, and so is every other damage."""

from __future__ import annotations

import base64
import json
import shutil
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import delete

from service import ledger
from service.audit.export import export
from service.audit.receipts import Receipts
from service.ledger import tiles
from service.ledger.proofs import TileReader, receipt
from service.ledger.tree import Edge, leaf_hash, node_hash
from service.problems import NotFound
from service.store.tables import LedgerEntry
from service.verification.log_reader import FolderSource, NotAllowedError, SourceError
from service.verification.signed_note import BadFormError, PublicKey, parse_vkey
from service.verification.verifier import LogVerdict, verify_log, verify_receipt

from ..audit.conftest import ORIGIN, START, Deployment, download, some_facts

SIZE = 601


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """A log of two full bundles and an unfinished one."""
    deployment = Deployment(tmp_path_factory.mktemp("sealed"))
    deployment.record(some_facts(SIZE - 1, START))
    assert deployment.sealer.seal().size == SIZE
    yield deployment
    deployment.database.close()


def keys(deployment: Deployment) -> list[PublicKey]:
    return [parse_vkey(vkey) for vkey in deployment.sealer.vkeys()]


@pytest.fixture
def copy(sealed: Deployment, tmp_path: Path) -> Path:
    """A copy of the log that may be damaged."""
    shutil.copytree(sealed.folder / "storage/log", tmp_path / "log")
    return tmp_path / "log"


def judge(sealed: Deployment, folder: Path, since: bytes | None = None) -> LogVerdict:
    return verify_log(FolderSource(folder), keys(sealed), since)


def test_an_untouched_log_verifies(sealed: Deployment, copy: Path) -> None:
    verdict = judge(sealed, copy)
    assert verdict.ok
    assert (verdict.size, verdict.entries_read) == (SIZE, True)
    assert verdict.as_json()["first_bad_index"] is None


FILES = ["checkpoint", "tile/0/000", "tile/0/002.p/89", "tile/1/000.p/2", "tile/entries/001", "tile/entries/002.p/89"]


def where(path: str, position: int, data: bytes) -> int | None:
    """The leaf that a byte of a file belongs to, None where it belongs to none."""
    if path == "checkpoint":
        return None
    if path.startswith("tile/0"):
        return int(path[7:10]) * 256 + position // 32
    if path.startswith("tile/1"):
        return position // 32 * 256
    leaf = int(path[13:16]) * 256
    at = 0
    while at < len(data):
        end = at + 2 + int.from_bytes(data[at : at + 2], "big")
        if position < end:
            return leaf
        leaf, at = leaf + 1, end
    raise AssertionError


@pytest.mark.parametrize("path", FILES)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_flipped_bit_is_found_and_located(sealed: Deployment, path: str, data: st.DataObject) -> None:
    """Every single bit flip in a tile, bundle or checkpoint is found and located."""
    original = (sealed.folder / "storage/log" / path).read_bytes()
    bit = data.draw(st.integers(0, len(original) * 8 - 1))
    changed = bytearray(original)
    changed[bit // 8] ^= 1 << (bit % 8)

    class Flipped(FolderSource):
        def read(self, asked: str) -> bytes | None:
            return bytes(changed) if asked == path else super().read(asked)

    verdict = verify_log(Flipped(sealed.folder / "storage/log"), keys(sealed))
    assert verdict.first is not None
    assert (verdict.first.path, verdict.first.index) == (path, where(path, bit // 8, original))
    assert len(verdict.findings) == 1


class OneFile(FolderSource):
    """A log of which one file reads otherwise."""

    def __init__(self, folder: Path, path: str) -> None:
        super().__init__(folder)
        self.path = path
        self.original = (folder / path).read_bytes()
        self.changed = self.original

    def flip(self, bit: int) -> None:
        changed = bytearray(self.original)
        changed[bit // 8] ^= 1 << (bit % 8)
        self.changed = bytes(changed)

    def read(self, asked: str) -> bytes | None:
        return self.changed if asked == self.path else super().read(asked)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """A log of five leaves, whose checkpoint two keys have signed."""
    deployment = Deployment(tmp_path_factory.mktemp("small"))
    deployment.sealer.seal()
    deployment.record(some_facts(3, START))
    source = ledger.key_source(f"{ledger.new_log_key()},{deployment.key}", ORIGIN)
    deployment.sealer = ledger.Sealer(
        deployment.database, deployment.storage, source, ORIGIN, deployment.clock, deployment.folder
    )
    assert deployment.sealer.seal().size == 5
    folder = deployment.folder / "storage/log"
    (folder / "key").write_text("".join(f"{vkey}\n" for vkey in deployment.sealer.vkeys()))
    yield deployment
    deployment.database.close()


@pytest.mark.parametrize("path", ["checkpoint", "tile/0/000.p/5", "tile/entries/000.p/5"])
def test_every_flipped_bit_of_every_file_of_a_log_is_found_and_located(small: Deployment, path: str) -> None:
    source = OneFile(small.folder / "storage/log", path)
    known = keys(small)
    assert len(known) == 2
    assert verify_log(source, known).ok
    for bit in range(len(source.original) * 8):
        source.flip(bit)
        first = verify_log(source, known).first
        assert first is not None, bit
        assert (first.path, first.index) == (path, where(path, bit // 8, source.original)), bit


def test_who_knows_one_key_of_two_finds_every_flipped_bit_of_the_checkpoint(small: Deployment) -> None:
    """The log states its keys, so a signature by the other key is checked too, though it is not relied on."""
    source = OneFile(small.folder / "storage/log", "checkpoint")
    for known in ([keys(small)[0]], [keys(small)[1]]):
        assert verify_log(source, known).signed_by == [known[0].vkey]
        for bit in range(len(source.original) * 8):
            source.flip(bit)
            assert not verify_log(source, known).ok, bit
        source.changed = source.original


def test_every_flipped_bit_of_an_upper_tile_is_found_and_located(sealed: Deployment) -> None:
    source = OneFile(sealed.folder / "storage/log", "tile/1/000.p/2")
    known = keys(sealed)
    for bit in range(len(source.original) * 8):
        source.flip(bit)
        first = verify_log(source, known).first
        assert first is not None
        assert (first.path, first.index) == (source.path, bit // 256 * 256)


def one_signature(data: bytes) -> int:
    """Where the first of two signature lines ends: up to there it is a whole checkpoint, signed by one key."""
    return data.rfind(b"\n", 0, -1) + 1


@pytest.mark.parametrize("path", ["checkpoint", "tile/0/000.p/5", "tile/entries/000.p/5"])
def test_a_file_cut_off_anywhere_is_found_and_located(small: Deployment, path: str) -> None:
    source = OneFile(small.folder / "storage/log", path)
    whole = {one_signature(source.original)} if path == "checkpoint" else set()
    for length in set(range(len(source.original))) - whole:
        source.changed = source.original[:length]
        first = verify_log(source, keys(small)).first
        assert first is not None, length
        assert first.index == where(path, length, source.original), length


def test_without_entries_a_flipped_tile_is_located_to_its_tile(sealed: Deployment, copy: Path) -> None:
    class Public(FolderSource):
        def read(self, asked: str) -> bytes | None:
            if asked.startswith("tile/entries"):
                raise NotAllowedError(asked)
            return super().read(asked)

    assert verify_log(Public(copy), keys(sealed)).entries_read is False
    flip(copy / "tile/0/001", 40)
    first = verify_log(Public(copy), keys(sealed)).first
    assert first is not None
    assert first.index == 256


def flip(path: Path, position: int) -> None:
    data = bytearray(path.read_bytes())
    data[position] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("path", "cut", "index"),
    [
        ("tile/0/001", 33, 256 + 254),
        ("tile/0/001", 8192, 256),
        ("tile/0/002.p/89", 1, 512 + 88),
        ("tile/1/000.p/2", 32, 256),
        ("tile/entries/001", 1, 511),
        ("tile/entries/002.p/89", 1, 600),
    ],
)
def test_a_truncated_file_is_found_where_it_ends(
    sealed: Deployment, copy: Path, path: str, cut: int, index: int
) -> None:
    data = (copy / path).read_bytes()
    (copy / path).write_bytes(data[:-cut])
    first = judge(sealed, copy).first
    assert first is not None
    assert first.index == index


@pytest.mark.parametrize(("path", "index"), [("tile/0/001", 256), ("tile/entries/002.p/89", 512)])
def test_a_missing_file_is_found(sealed: Deployment, copy: Path, path: str, index: int) -> None:
    (copy / path).unlink()
    first = judge(sealed, copy).first
    assert first is not None
    assert first.index == index


def test_bytes_after_the_last_entry_are_found(sealed: Deployment, copy: Path) -> None:
    with (copy / "tile/entries/001").open("ab") as file:
        file.write(b"\0\0")
    assert not judge(sealed, copy).ok


def test_a_swapped_pair_of_entries_is_found_at_the_first(sealed: Deployment, copy: Path) -> None:
    path = copy / "tile/entries/001"
    entries = tiles.unbundle(path.read_bytes())
    entries[30], entries[31] = entries[31], entries[30]
    path.write_bytes(tiles.bundle(entries))
    first = judge(sealed, copy).first
    assert first is not None
    assert first.index == 256 + 30


@pytest.mark.parametrize(
    ("name", "places", "path", "index"),
    [("001", (30, 31), "tile/1/000.p/2", 256), ("002.p/89", (3, 80), "checkpoint", 512)],
)
def test_a_swapped_pair_with_its_hashes_swapped_too_is_found_in_its_tile(
    sealed: Deployment, copy: Path, name: str, places: tuple[int, int], path: str, index: int
) -> None:
    """Entries and their leaf hashes agree then; what does not is the hash above them."""
    a, b = places
    bundle, tile = copy / "tile/entries" / name, copy / "tile/0" / name
    entries = tiles.unbundle(bundle.read_bytes())
    entries[a], entries[b] = entries[b], entries[a]
    bundle.write_bytes(tiles.bundle(entries))
    tile.write_bytes(b"".join(leaf_hash(entry) for entry in entries))
    first = judge(sealed, copy).first
    assert first is not None
    assert (first.path, first.index) == (path, index)


def test_a_changed_entry_with_all_hashes_made_again_is_found_by_the_signature(sealed: Deployment, copy: Path) -> None:
    """Whoever can write everything but the signature still cannot change an entry."""
    entries = [e for n in ("000", "001", "002.p/89") for e in tiles.unbundle((copy / f"tile/entries/{n}").read_bytes())]
    entries[300] = entries[300].replace(b"download", b"downl0ad").replace(b"logo.used", b"l0go.used")
    hashes = [leaf_hash(entry) for entry in entries]
    edge, made = Edge().grown(hashes)
    for tile in made:
        (copy / tiles.key(tile.level, tile.index, tile.width).removeprefix("log/")).write_bytes(tile.data)
    (copy / "tile/entries/001").write_bytes(tiles.bundle(entries[256:512]))
    assert edge.root.hex() != judge(sealed, copy).root
    verdict = judge(sealed, copy)
    assert verdict.first is not None
    assert "root that was signed" in verdict.first.text


# --- the past


def test_a_rewound_log_is_found(make: Callable[[str], Deployment]) -> None:
    deployment = make("rewound")
    deployment.record(some_facts(10, START))
    deployment.sealer.seal()
    early = (deployment.folder / "storage/log/checkpoint").read_bytes()
    deployment.record(some_facts(10, START))
    deployment.sealer.seal()
    late = (deployment.folder / "storage/log/checkpoint").read_bytes()
    assert judge(deployment, deployment.folder / "storage/log", since=early).ok
    (deployment.folder / "storage/log/checkpoint").write_bytes(early)
    verdict = judge(deployment, deployment.folder / "storage/log", since=late)
    assert verdict.first is not None
    assert (verdict.first.index, "rewound" in verdict.first.text) == (11, True)


@pytest.mark.parametrize("count", [5, 300])
def test_a_forked_log_is_found(make: Callable[[str], Deployment], count: int) -> None:
    """Two histories signed by one key: each verifies by itself, and neither continues the other."""
    one, two = make("one"), make("two")
    two.key = one.key
    two.sealer.signers = one.sealer.signers
    for deployment, seed in ((one, 1), (two, 2)):
        deployment.record(some_facts(count, START, seed))
        deployment.sealer.seal()
    kept = (one.folder / "storage/log/checkpoint").read_bytes()
    two.record(some_facts(10, START))
    two.sealer.seal()
    assert judge(two, two.folder / "storage/log").ok
    verdict = judge(two, two.folder / "storage/log", since=kept)
    assert verdict.first is not None
    assert "forked" in verdict.first.text


def test_a_kept_checkpoint_of_another_log_is_refused(sealed: Deployment, make: Callable[[str], Deployment]) -> None:
    other = make("other")
    other.sealer.seal()
    verdict = judge(sealed, sealed.folder / "storage/log", (other.folder / "storage/log/checkpoint").read_bytes())
    assert "no known key" in verdict.findings[0].text


def test_an_unknown_key_is_refused(sealed: Deployment) -> None:
    stranger = ledger.signers(ledger.new_log_key(), "emblem.example.org/log")[0].verifier.vkey
    verdict = verify_log(FolderSource(sealed.folder / "storage/log"), [parse_vkey(stranger)])
    assert "no known key" in verdict.findings[0].text


def test_a_list_of_keys_that_is_damaged_is_found(small: Deployment) -> None:
    source = OneFile(small.folder / "storage/log", "key")
    source.flip(8 * 30)
    first = verify_log(source, keys(small)).first
    assert first is not None
    assert first.path == "key"


def test_a_signature_by_a_key_that_the_log_does_not_state_is_found(small: Deployment) -> None:
    source = OneFile(small.folder / "storage/log", "key")
    source.changed = "".join(f"{vkey}\n" for vkey in small.sealer.vkeys()[1:]).encode()
    first = verify_log(source, keys(small)[1:]).first
    assert first is not None
    assert "does not state the key" in first.text


def test_a_signature_under_another_name_is_passed_over(small: Deployment) -> None:
    """A witness may sign too (C2SP signed-note): whoever does not know its key learns nothing from it."""
    source = OneFile(small.folder / "storage/log", "checkpoint")
    witness = ledger.signers(ledger.new_log_key(), "witness.example.org")[0]
    statement = source.original.decode().partition("\n\n")[0] + "\n"
    blob = base64.b64encode(witness.verifier.id + witness.sign(statement.encode())).decode()
    source.changed = source.original + f"\u2014 witness.example.org {blob}\n".encode()
    assert verify_log(source, keys(small)).ok


@pytest.mark.parametrize(
    "change", [lambda v: v[:-1], lambda v: v.replace("+", "-", 1), lambda v: "x" + v, lambda v: ""]
)
def test_a_verifier_key_that_is_altered_is_refused(sealed: Deployment, change: Callable[[str], str]) -> None:
    with pytest.raises(BadFormError):
        parse_vkey(change(sealed.sealer.vkeys()[0]))


def test_a_folder_that_is_no_log_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="emblem audit export"):
        FolderSource(tmp_path)


def test_a_row_deleted_before_it_was_sealed_shows_only_by_its_id_that_has_no_proof(
    make: Callable[[str], Deployment],
) -> None:
    """docs/auditors.md, "What the log cannot show": what limits it is the time, and who holds an id."""
    deployment = make("deleted")
    deployment.record([download(START, id=f"dl_{number}") for number in range(5)])
    deployment.sealer.seal()
    deployment.record([download(START, id=f"dl_{number}") for number in range(5, 10)])
    gone = [delete(LedgerEntry).where(LedgerEntry.id == name) for name in ("dl_3", "dl_7")]
    for statement in gone:
        deployment.database.write(lambda session, statement=statement: session.execute(statement))  # type: ignore[misc]
    assert deployment.sealer.seal().size == 10  # the key and nine downloads: the one that was not sealed is missing
    assert judge(deployment, deployment.folder / "storage/log").ok
    entries = [json.loads(TileReader(deployment.storage, 10).entry(leaf)) for leaf in range(10)]
    sealed = [entry["id"] for entry in entries if entry["kind"] == "download"]
    assert sealed == ["dl_0", "dl_1", "dl_2", "dl_3", "dl_4", "dl_5", "dl_6", "dl_8", "dl_9"]
    receipts = Receipts(deployment.database, deployment.storage, deployment.reports)
    assert verify_receipt(receipts.make("dl_6").encode(), keys(deployment))[0].ok
    with pytest.raises(NotFound):
        receipts.make("dl_7")


# --- proofs and receipts


def plain(leaves: list[bytes]) -> bytes:
    if len(leaves) == 1:
        return leaves[0]
    middle = 1
    while middle * 2 < len(leaves):
        middle *= 2
    return node_hash(plain(leaves[:middle]), plain(leaves[middle:]))


def make_receipt(sealed: Deployment, leaf: int) -> bytes:
    checkpoint = sealed.reports.checkpoint(None)
    return receipt(TileReader(sealed.storage, checkpoint.size), leaf, checkpoint).encode()


@pytest.mark.parametrize("leaf", [0, 1, 255, 256, 300, 511, 512, 599, 600])
def test_a_receipt_verifies_by_itself_and_carries_its_entry(sealed: Deployment, leaf: int) -> None:
    verdict, entry = verify_receipt(make_receipt(sealed, leaf), keys(sealed))
    assert verdict.ok
    assert entry == TileReader(sealed.storage, SIZE).entry(leaf)
    assert verdict.size == SIZE


def flips(original: bytes) -> Iterator[bytes]:
    for bit in range(len(original) * 8):
        changed = bytearray(original)
        changed[bit // 8] ^= 1 << (bit % 8)
        yield bytes(changed)


def test_every_flipped_bit_of_a_receipt_is_found(sealed: Deployment) -> None:
    known = keys(sealed)
    for changed in flips(make_receipt(sealed, 300)):
        verdict, _ = verify_receipt(changed, known)
        assert not verdict.ok, changed
        assert verdict.findings[0].path == "receipt"


def test_every_flipped_bit_of_a_receipt_that_two_keys_signed_is_found(small: Deployment) -> None:
    known = keys(small)
    original = make_receipt(small, 3)
    assert len(verify_receipt(original, known, known)[0].signed_by) == 2
    for changed in flips(original):
        assert not verify_receipt(changed, known, known)[0].ok, changed


@pytest.mark.parametrize("leaf", [0, 4])
def test_a_receipt_cut_off_anywhere_is_found(small: Deployment, leaf: int) -> None:
    original = make_receipt(small, leaf)
    whole = {one_signature(original), one_signature(original) - 1, len(original) - 1}  # a line end may be missing
    for length in set(range(len(original))) - whole:
        assert not verify_receipt(original[:length], keys(small), keys(small))[0].ok, length


def test_a_receipt_for_another_index_or_entry_is_refused(sealed: Deployment) -> None:
    text = make_receipt(sealed, 300)
    assert not verify_receipt(text.replace(b"index 300", b"index 301"), keys(sealed))[0].ok
    entry = base64.b64encode(b'{"kind":"download"}')
    changed = b"\n".join(b"extra " + entry if line.startswith(b"extra") else line for line in text.split(b"\n"))
    assert not verify_receipt(changed, keys(sealed))[0].ok
    assert not verify_receipt(b"", keys(sealed))[0].ok


@pytest.mark.parametrize("old", [1, 2, 255, 256, 257, 512, 600, SIZE])
def test_consistency_proofs_follow_rfc_6962(sealed: Deployment, old: int) -> None:
    """RFC 9162, 2.1.4.2: both roots follow from the proof."""
    hashes = [leaf_hash(TileReader(sealed.storage, SIZE).entry(leaf)) for leaf in range(SIZE)]
    proof = TileReader(sealed.storage, SIZE).consistency(old)
    before, after = plain(hashes[:old]), plain(hashes)
    if old == SIZE:
        assert proof == []
        return
    if old & (old - 1) == 0:
        proof = [before, *proof]
    place, last = old - 1, SIZE - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    first = second = proof[0]
    for item in proof[1:]:
        if place & 1 or place == last:
            first, second = node_hash(item, first), node_hash(item, second)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            second = node_hash(second, item)
        place, last = place >> 1, last >> 1
    assert (first, second, last) == (before, after, 0)


def test_no_proof_beyond_the_tree(sealed: Deployment) -> None:
    reader = TileReader(sealed.storage, SIZE)
    with pytest.raises(ValueError, match="no leaf"):
        reader.inclusion(SIZE)
    with pytest.raises(ValueError, match="no proof"):
        reader.consistency(SIZE + 1)
    assert reader.root() == plain([leaf_hash(reader.entry(leaf)) for leaf in range(SIZE)])
    assert TileReader(sealed.storage, 0).root() == sha256(b"").digest()


# --- exports


def test_an_export_is_a_log_by_itself_and_grows(make: Callable[[str], Deployment], tmp_path: Path) -> None:
    deployment = make("exporting")
    deployment.segments.rows = 200
    folder = tmp_path / "export"
    for round_ in range(3):
        deployment.record(some_facts(250, START, seed=round_))
        deployment.sealer.seal()
        if round_:
            deployment.segments.write()
        done = export(deployment.reports, deployment.storage, deployment.sealer.vkeys(), folder)
        assert done.size == 1 + 250 * (round_ + 1)
        verdict = judge(deployment, folder)
        assert verdict.ok, verdict.findings
        assert verdict.entries_read
    import duckdb

    rows = duckdb.execute(f"select count(*), count(distinct leaf), max(leaf) from '{folder}/entries/*/*.parquet'")
    assert rows.fetchall() == [(751, 751, 750)]
