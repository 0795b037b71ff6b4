"""The log's own ML-DSA-44 cosignature beside Ed25519 (C2SP tlog-cosignature, type 0x06)."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PublicKey

from service import ledger
from service.ledger import notes
from service.ledger.proofs import TileReader, receipt
from service.problems import ConfigurationError
from service.verification.log_reader import FolderSource
from service.verification.signed_note import BadFormError, PublicKey, parse_checkpoint, parse_vkey
from service.verification.verifier import read_keys, verify_log, verify_receipt

from .conftest import NOON, ORIGIN, Log, check


@pytest.fixture
def both(make_log: Callable[..., Log]) -> Log:
    """A sealed log with a key of each kind."""
    log = make_log(key=ledger.new_log_keys())
    log.append(5)
    log.sealer.seal()
    return log


def lines(log: Log) -> tuple[bytes, list[bytes]]:
    """The checkpoint's text, and what each signature line has behind its name."""
    text, _, tail = (log.tree() / "checkpoint").read_bytes().partition(b"\n\n")
    return text + b"\n", [base64.b64decode(line.split(b" ")[2]) for line in tail.splitlines()]


def test_both_signatures_are_in_the_form_of_their_specifications(both: Log) -> None:
    """Every byte is put together anew here, by the words of the specifications."""
    text, (classical, cosignature) = lines(both)
    public, other = [base64.b64decode(vkey.split("+", 2)[2]) for vkey in both.sealer.vkeys()]
    assert (public[0], len(public), other[0], len(other)) == (0x01, 33, 0x06, 1313)
    for data, line in ((public, classical), (other, cosignature)):
        assert line[:4] == hashlib.sha256(ORIGIN.encode() + b"\n" + data).digest()[:4]
    Ed25519PublicKey.from_public_bytes(public[1:]).verify(classical[4:], text)
    assert len(cosignature) == 4 + 8 + 2420
    assert int.from_bytes(cosignature[4:12], "big") == int(NOON.timestamp())
    size, root = int(text.split(b"\n")[1]), base64.b64decode(text.split(b"\n")[2])
    name = bytes([len(ORIGIN)]) + ORIGIN.encode()
    message = b"subtree/v1\n\0" + name + cosignature[4:12] + name + bytes(8) + size.to_bytes(8, "big") + root
    MLDSA44PublicKey.from_public_bytes(other[1:]).verify(cosignature[12:], message)


def test_each_key_alone_verifies_the_log_and_its_receipts(both: Log) -> None:
    head = both.sealer.rows.newest()
    assert head is not None
    proof = receipt(TileReader(both.storage, head.size), 3, head).encode()
    for vkey in both.sealer.vkeys():
        check(both.tree(), [vkey], head.size)
        assert verify_receipt(proof, [parse_vkey(vkey)])[0].ok
    assert [parse_vkey(vkey).type for vkey in verify_log(FolderSource(both.tree()), keys(both)).signed_by] == [1, 6]


def keys(log: Log) -> list[PublicKey]:
    return [parse_vkey(vkey) for vkey in log.sealer.vkeys()]


@pytest.mark.parametrize("place", [0, 3, 4, 11, 12, 2431])
def test_a_changed_bit_of_the_cosignature_is_found(both: Log, place: int) -> None:
    """Of its time too; a changed hash of the key makes it another's, which whoever knows the log's keys refuses."""
    note = (both.tree() / "checkpoint").read_text()
    _, (_, cosignature) = lines(both)
    changed = bytearray(cosignature)
    changed[place] ^= 1
    forged = note.replace(base64.b64encode(cosignature).decode(), base64.b64encode(changed).decode())
    assert forged != note
    with pytest.raises(BadFormError):
        parse_checkpoint(forged.encode(), keys(both)[1:])
    with pytest.raises(BadFormError):
        parse_checkpoint(forged.encode(), keys(both), keys(both))
    with pytest.raises(notes.NoteError):
        notes.verify(forged, [signer.verifier for signer in both.sealer.signers()][1:])


@pytest.mark.parametrize("length", [0, 3, 12, 2427, 2429])
def test_a_cosignature_of_another_length_is_refused_in_words(both: Log, length: int) -> None:
    note = (both.tree() / "checkpoint").read_text()
    _, (_, cosignature) = lines(both)
    cut = cosignature[:4] + bytes(length)
    forged = note.replace(base64.b64encode(cosignature).decode(), base64.b64encode(cut).decode())
    with pytest.raises(BadFormError, match="does not fit"):
        parse_checkpoint(forged.encode(), keys(both))


def test_a_log_gets_its_post_quantum_key_later_and_the_first_stated_key_stays_one_that_every_reader_knows(
    log: Log,
) -> None:
    log.append(2)
    log.sealer.seal()
    (old,) = log.sealer.vkeys()
    log.key = f"{log.key},{ledger.new_post_quantum_key()}"
    sealer = log.new_sealer()
    sealer.check()
    log.append(2)
    sealer.seal()
    assert sealer.vkeys()[0] == old
    assert [key.type for key in read_keys_of(log, sealer)] == [1, 6]
    check(log.tree(), [old], 6)  # both kinds of keys are facts of the log


def read_keys_of(log: Log, sealer: ledger.Sealer) -> list[PublicKey]:
    (log.tree() / "key").write_text("".join(f"{vkey}\n" for vkey in sealer.vkeys()))
    return read_keys(FolderSource(log.tree()))


def test_an_ed25519_key_of_another_is_refused_although_the_other_key_fits(both: Log) -> None:
    both.new_sealer().check()
    with pytest.raises(ConfigurationError, match="put that key back"):
        both.new_sealer(key=f"{ledger.new_log_key()},{both.key.split(',')[1]}").check()


def test_keys_are_separated_by_commas_or_line_ends(both: Log) -> None:
    one, two = both.key.split(",")
    wanted = [signer.verifier for signer in ledger.signers(both.key, ORIGIN)]
    for text in (f"{one}\n{two}", f" {one}, {two}\n"):
        assert [signer.verifier for signer in ledger.signers(text, ORIGIN)] == wanted


@pytest.mark.parametrize(
    "bad",
    [ledger.new_post_quantum_key(), f"{ledger.new_log_key()},mldsa44:QUJD"],
    ids=["post-quantum alone", "cut off"],
)
def test_a_value_without_a_key_that_every_reader_knows_or_with_a_broken_one_says_the_fix(bad: str) -> None:
    with pytest.raises(ValueError, match="emblem secrets new"):
        ledger.signers(bad, ORIGIN)
