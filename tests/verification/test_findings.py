"""What the verifier says of each damage, word for word: where it is, which leaf it touches, and what is wrong."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import pytest

from service import ledger
from service.ledger.keys import Signer
from service.ledger.notes import Head, sign
from service.ledger.proofs import TileReader, receipt
from service.verification.log_reader import NotAllowedError
from service.verification.signed_note import BadFormError, PublicKey, parse_checkpoint, parse_vkey
from service.verification.verifier import KEPT, leaf_hashes, read_keys, tile_name, verify_log, verify_receipt

from ..audit.conftest import ORIGIN, START, Deployment, some_facts

SIZE = 300


class Log(dict[str, bytes]):
    """The files of a log by their paths."""

    private = False

    def read(self, path: str) -> bytes | None:
        if self.private and path.startswith("tile/entries"):
            raise NotAllowedError(path)
        return self.get(path)

    def but(self, **changes: bytes | None) -> Log:
        """A copy with other files; their names are those of ``NAMES``, and None takes one away."""
        copy = Log(self)
        for name, data in changes.items():
            path = NAMES.get(name, name)
            del copy[path]
            if data is not None:
                copy[path] = data
        return copy


NAMES = {
    "full": "tile/0/000",
    "part": "tile/0/001.p/44",
    "above": "tile/1/000.p/1",
    "entries": "tile/entries/000",
    "entries_part": "tile/entries/001.p/44",
}


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """A log of a full tile and of 44 leaves in another."""
    deployment = Deployment(tmp_path_factory.mktemp("findings"))
    deployment.record(some_facts(SIZE - 1, START))
    assert deployment.sealer.seal().size == SIZE
    yield deployment
    deployment.database.close()


@pytest.fixture(scope="module")
def log(sealed: Deployment) -> Log:
    """Its files."""
    folder = sealed.folder / "storage/log"
    return Log({path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()})


@pytest.fixture(scope="module")
def keys(sealed: Deployment) -> list[PublicKey]:
    return [parse_vkey(vkey) for vkey in sealed.sealer.vkeys()]


def found(log: Log, keys: list[PublicKey], **more: Any) -> list[tuple[int | None, str, str]]:
    return [(one.index, one.path, one.text) for one in verify_log(log, keys, **more).findings]


def flipped(data: bytes, position: int) -> bytes:
    return data[:position] + bytes([data[position] ^ 1]) + data[position + 1 :]


FULL, PART, ABOVE, ENTRIES, ENTRIES_PART = NAMES.values()


def test_what_is_said_of_tiles(log: Log, keys: list[PublicKey]) -> None:
    assert found(log, keys) == []
    hash_of_entry = f"the hash of the leaf is not that of its entry, which is in {ENTRIES}"
    assert found(log.but(full=None), keys) == [(0, FULL, "the tile is missing"), (0, FULL, hash_of_entry)]
    short = log[FULL][:8100]
    assert found(log.but(full=short), keys) == [
        (253, FULL, "the tile is not 8192 bytes"),
        (253, FULL, hash_of_entry),
    ]
    assert found(log.but(full=flipped(log[FULL], 70)), keys) == [(2, FULL, hash_of_entry)]
    assert found(log.but(part=log[PART] + b"\0"), keys) == [(299, PART, "the tile is not 1408 bytes")]
    above = (0, ABOVE, f"it does not hold the hash of {FULL}")
    assert found(log.but(above=flipped(log[ABOVE], 0)), keys) == [above]
    assert found(log.but(above=None), keys) == [(0, ABOVE, "the tile is missing"), above]


def test_what_is_said_of_entries(log: Log, keys: list[PublicKey]) -> None:
    entry = f"the entry does not have the hash of its leaf, which is in {FULL}"
    bundle = log[ENTRIES]
    first = 2 + int.from_bytes(bundle[:2], "big")
    assert found(log.but(entries=None), keys) == [(0, ENTRIES, "the entry bundle is missing")]
    assert found(log.but(entries_part=None), keys) == [(256, ENTRIES_PART, "the entry bundle is missing")]
    assert found(log.but(entries=flipped(bundle, 5)), keys) == [(0, ENTRIES, entry)]
    assert found(log.but(entries=flipped(bundle, first + 9)), keys) == [(1, ENTRIES, entry)]
    rest = "the entry bundle has bytes after its last entry or is cut off"
    assert found(log.but(entries=bundle + b"\0"), keys) == [(255, ENTRIES, rest)]
    assert found(log.but(entries_part=log[ENTRIES_PART] + b"\0"), keys) == [(299, ENTRIES_PART, rest)]
    assert found(log.but(entries=bundle[:-1]), keys) == [(255, ENTRIES, entry)]
    assert found(log.but(entries=b""), keys) == [(0, ENTRIES, entry)]


def test_what_has_become_full_since_the_checkpoint_is_read_to_its_size(log: Log, keys: list[PublicKey]) -> None:
    grown = Log(log)
    grown["tile/0/001"] = grown.pop(PART).ljust(8192, b"\7")
    grown["tile/entries/001"] = grown.pop(ENTRIES_PART) + b"\0\1x"
    grown["tile/1/000"] = grown.pop(ABOVE).ljust(8192, b"\7")
    assert found(grown, keys) == []
    grown["tile/0/001"] = grown["tile/0/001"][:-1]
    assert (299, "tile/0/001", "the tile is not 1408 bytes") in found(grown, keys)


def test_without_entries_what_is_wrong_is_told_by_the_hash_above(log: Log, keys: list[PublicKey]) -> None:
    private = log.but(full=flipped(log[FULL], 70), part=flipped(log[PART], 70))
    private.private = True
    verdict = verify_log(private, keys)
    assert [(one.index, one.path, one.text) for one in verdict.findings] == [
        (0, ABOVE, f"it does not hold the hash of {FULL}")
    ]
    assert not verdict.entries_read
    private = log.but(part=flipped(log[PART], 70))
    private.private = True
    assert found(private, keys) == [(256, "checkpoint", "the tiles do not have the root that was signed")]


def test_a_verdict_as_plain_values(log: Log, keys: list[PublicKey]) -> None:
    origin, size, root, *_ = log["checkpoint"].decode().split("\n")
    good = {
        "ok": True,
        "origin": origin,
        "size": int(size),
        "root": base64.b64decode(root).hex(),
        "signed_by": [keys[0].vkey],
        "cosigned_by": [],
        "entries_read": True,
        "since": None,
        "first_bad_index": None,
        "findings": [],
    }
    assert verify_log(log, keys).as_json() == good
    text = f"the entry does not have the hash of its leaf, which is in {FULL}"
    bad = {"ok": False, "first_bad_index": 0, "findings": [{"index": 0, "path": ENTRIES, "detail": text}]}
    assert verify_log(log.but(entries=b""), keys).as_json() == good | bad


def test_progress_is_told_in_leaves(log: Log, keys: list[PublicKey]) -> None:
    told: list[tuple[int, int]] = []
    verify_log(log, keys, progress=lambda done, total: told.append((done, total)))
    assert told == [(256, SIZE), (SIZE, SIZE)]


def signed(origin: str, size: int, key: Signer) -> bytes:
    """A checkpoint of some size, with a root of zeros."""
    return sign(Head(origin, size, bytes(32)), [key], START).encode()


def test_what_is_said_of_a_kept_checkpoint(sealed: Deployment, log: Log, keys: list[PublicKey]) -> None:
    key = ledger.signers(sealed.key, ORIGIN)[0]
    origin = key.name
    rewound = f"the log was rewound: it had 301 leaves and has {SIZE} now"
    assert found(log, keys, since=signed(origin, 301, key)) == [(300, "checkpoint", rewound)]
    forked = "the first 7 leaves are not those of the kept checkpoint: the log was forked or rewritten"
    assert found(log, keys, since=signed(origin, 7, key)) == [(0, KEPT, forked)]
    damaged = log.but(entries=None)
    assert found(damaged, keys, since=signed(origin, 7, key))[-1] == (None, KEPT, forked)
    assert found(log, keys, since=b"no checkpoint") == [
        (None, KEPT, "the checkpoint is not three lines, an empty line and signatures")
    ]
    other = ledger.signers(ledger.new_log_key(), "other.example.org/log")[0]
    both = [*keys, parse_vkey(other.verifier.vkey)]
    kept = signed("other.example.org/log", 7, other)
    assert found(log, both, since=kept) == [(None, KEPT, "it is of another log, other.example.org/log")]
    assert verify_log(log, keys, since=log["checkpoint"]).since == SIZE


def test_what_is_said_of_the_logs_own_keys(log: Log, keys: list[PublicKey]) -> None:
    assert found(log.but(checkpoint=None), keys) == [(None, "checkpoint", "there is no checkpoint")]
    with pytest.raises(BadFormError, match=r"^the log states no key; give one with --key$"):
        read_keys(Log())
    stated = Log(key=f"\n{keys[0].vkey}\n\n".encode())
    assert read_keys(stated) == keys
    bad = Log(log) | {"key": b"nothing"}
    assert found(Log(bad), keys) == [(None, "key", "'nothing' is no verifier key (name+8 hex digits+base64)")]


def test_the_hashes_of_leaves_come_from_their_tiles(log: Log) -> None:
    find = leaf_hashes(log, SIZE)
    assert [find(leaf) for leaf in (0, 255, 256, 299)] == [
        log[FULL][:32],
        log[FULL][-32:],
        log[PART][:32],
        log[PART][-32:],
    ]
    assert find(-1) == find(SIZE) == b""


@pytest.mark.parametrize(
    ("vkey", "told"),
    [
        ("x" * 99, f"{'x' * 80!r} is no verifier key (name+8 hex digits+base64)"),
        ("o+00000000+AB==", "the verifier key is not the canonical base64 of its bytes"),
        ("o+00000000+AA==", "the verifier key is not an Ed25519 key or an ML-DSA-44 key"),
        ("o+00000000+AQ==", "the verifier key is not an Ed25519 key or an ML-DSA-44 key"),
        (
            f"o+00000000+{base64.b64encode(bytes([1, *bytes(32)])).decode()}",
            "the verifier key's hash is not that of its name and key",
        ),
    ],
)
def test_what_is_said_of_a_key_in_no_form(vkey: str, told: str) -> None:
    with pytest.raises(BadFormError) as said:
        parse_vkey(f" {vkey}\n")
    assert str(said.value) == told


@pytest.mark.parametrize(
    ("index", "name"),
    [(0, "000"), (7, "007"), (999, "999"), (1000, "x001/000"), (1_234_067, "x001/x234/067")],
)
def test_names_of_tiles(index: int, name: str) -> None:
    assert tile_name(index) == name


ROOT = base64.b64encode(bytes(32)).decode()


@pytest.mark.parametrize(
    ("note", "told"),
    [
        (b"\xff", "the checkpoint is not UTF-8"),
        (b"o\n1\n\t", "the checkpoint has control characters"),
        (b"o\n1\n\n\n", "the checkpoint is not three lines, an empty line and signatures"),
        (f"\n1\n{ROOT}\n\n".encode(), "the checkpoint is not three lines, an empty line and signatures"),
        (f"o\n01\n{ROOT}\n\n".encode(), "the checkpoint's size is not a plain number"),
        (f"o\n{'9' * 20}\n{ROOT}\n\n".encode(), "the checkpoint's size is not a plain number"),
        (b"o\n1\n!\n\n", "the checkpoint's root is not base64"),
        (b"o\n1\nAB==\n\n", "the checkpoint's root is not the canonical base64 of its bytes"),
        (b"o\n1\nAA==\n\n", "the checkpoint's root is not 32 bytes"),
        (f"o\n1\n{ROOT}\n\nx".encode(), "the checkpoint does not end with a newline"),
        (f"o\n1\n{ROOT}\n\nx\n".encode(), "a signature line is not in its form"),
        (f"o\n1\n{ROOT}\n\n\u2014 o AB==\n".encode(), "a signature is not the canonical base64 of its bytes"),
        (f"o\n1\n{ROOT}\n\n\u2014 o AAAA\n".encode(), "no known key signed the checkpoint"),
    ],
)
def test_what_is_said_of_a_checkpoint_in_no_form(keys: list[PublicKey], note: bytes, told: str) -> None:
    with pytest.raises(BadFormError) as said:
        parse_checkpoint(note, keys)
    assert str(said.value) == told


def test_what_is_said_of_signatures(sealed: Deployment, keys: list[PublicKey]) -> None:
    key, stranger = (ledger.signers(one, ORIGIN)[0] for one in (sealed.key, ledger.new_log_key()))
    name = f"{keys[0].name}+{keys[0].hash.hex()}"
    good = signed(key.name, 7, key)
    for note, stated, told in (
        (good.replace(b"\n7\n", b"\n8\n"), [], f"the signature by {name} does not fit"),
        (good.replace(b"\xe2\x80\x94 ", b"\xe2\x80\x94 x"), [], f"a signature by {name} is under another name"),
        (signed("x", 7, key), [], "the checkpoint's origin is not the name of the key that signed it"),
        (
            signed(key.name, 7, stranger),
            keys,
            f"the log does not state the key {key.name}+{stranger.verifier.id.hex()} that signed the checkpoint",
        ),
    ):
        with pytest.raises(BadFormError) as said:
            parse_checkpoint(note, keys, stated)
        assert str(said.value) == told
    assert parse_checkpoint(good, keys).size == 7


def test_what_is_said_of_a_receipt(sealed: Deployment, keys: list[PublicKey]) -> None:
    checkpoint = sealed.reports.checkpoint(None)
    good = receipt(TileReader(sealed.storage, SIZE), 299, checkpoint)
    lines = good.split("\n")

    def told(text: str) -> list[tuple[int | None, str, str]]:
        return [(one.index, one.path, one.text) for one in verify_receipt(text.encode(), keys)[0].findings]

    def changed(number: int, line: str | None) -> str:
        return "\n".join([*lines[:number], *([] if line is None else [line]), *lines[number + 1 :]])

    assert told(good) == []
    none = [(None, "receipt", "this is no C2SP tlog-proof file")]
    assert told("") == told(changed(0, "c2sp.org/tlog-proof@v2")) == told(lines[0] + "\nextra YQ==\n\nrest") == none
    assert told(changed(1, None)) == [(None, "receipt", "the receipt does not carry its entry")]
    assert told(changed(1, "extra !")) == [(None, "receipt", "the entry is not base64")]
    assert told(changed(2, "index 0299")) == [(None, "receipt", "the receipt's index is not a plain number")]
    assert told(changed(3, "!")) == [(None, "receipt", "a hash is not base64")]
    for index, text in ((298, changed(2, "index 298")), (300, changed(2, "index 300")), (299, changed(3, None))):
        assert told(text) == [(None, "receipt", f"the proof does not lead from leaf {index} to the signed root")]
    assert told(changed(3, "YQ=="))[0][2].startswith("the proof does not lead from leaf 299")
    verdict, entry = verify_receipt(good.encode(), keys)
    assert (verdict.entries_read, verdict.size, verdict.signed_by) == (True, SIZE, [keys[0].vkey])
    assert entry == TileReader(sealed.storage, SIZE).entry(299)
