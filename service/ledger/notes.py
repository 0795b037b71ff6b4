"""Checkpoints as signed notes (C2SP signed-note and tlog-checkpoint): writing, and reading what we wrote."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from .keys import ED25519, Signer, Verifier

_SIGNATURE = "\u2014 "  # em dash and space begin every signature line
_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")


class NoteError(ValueError):
    """Raised for text in no note's form, or signed by no known key; the message says which."""


@dataclass(frozen=True)
class Head:
    """Statement of a checkpoint: the log's origin, number of leaves, and root hash (32 bytes)."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        """The checkpoint's three lines, which are what is signed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


def _subtree(head: Head, name: str, stamp: bytes) -> bytes:
    """Return what an ML-DSA-44 cosignature signs (C2SP tlog-cosignature): the whole tree, at a time of 8 bytes."""
    signer, origin = name.encode(), head.origin.encode()
    tree = (0).to_bytes(8, "big") + head.size.to_bytes(8, "big") + head.root
    return b"".join([b"subtree/v1\n\0", bytes([len(signer)]), signer, stamp, bytes([len(origin)]), origin, tree])


def sign(head: Head, signers: Sequence[Signer], at: datetime) -> str:
    """The signed note of a checkpoint, one line a key. ``at`` is the time that cosignatures state, to the second."""
    stamp = int(at.timestamp()).to_bytes(8, "big")
    lines = []
    for signer in signers:
        if signer.verifier.type == ED25519:
            signature = signer.sign(head.text.encode())
        else:
            signature = stamp + signer.sign(_subtree(head, signer.name, stamp))
        blob = base64.b64encode(signer.verifier.id + signature).decode()
        lines.append(f"{_SIGNATURE}{signer.name} {blob}\n")
    return head.text + "\n" + "".join(lines)


def _fits(verifier: Verifier, signature: bytes, head: Head) -> bool:
    if verifier.type == ED25519:
        return verifier.verifies(signature, head.text.encode())
    return verifier.verifies(signature[8:], _subtree(head, verifier.name, signature[:8]))


def stated_at(note: str, verifiers: Iterable[Verifier]) -> datetime | None:
    """The newest time that a cosignature of the log itself states, None where there is none."""
    known = {(one.name, one.id) for one in verifiers if one.type != ED25519}
    found = []
    for line in _lines(note):
        name, _, blob = line.rstrip("\n").removeprefix(_SIGNATURE).partition(" ")
        raw = _decode(blob)
        if (name, raw[:4]) in known:
            found.append(datetime.fromtimestamp(int.from_bytes(raw[4:12], "big"), UTC))
    return max(found, default=None)


def _lines(note: str) -> list[str]:
    return note.partition("\n\n")[2].splitlines(keepends=True)


def without_witnesses(note: str) -> str:
    """The note with the log's own signatures alone."""
    own = f"{_SIGNATURE}{note.partition(chr(10))[0]} "
    return note.partition("\n\n")[0] + "\n\n" + "".join(line for line in _lines(note) if line.startswith(own))


def with_cosignatures(note: str, lines: Iterable[str]) -> str:
    """The note with further signature lines (without line ends), each once."""
    known = [line.rstrip("\n") for line in _lines(note)]
    return note + "".join(f"{line}\n" for line in dict.fromkeys(lines) if line not in known)


def cosignatures(note: str) -> list[str]:
    """The signature lines of others than the log itself, without line ends."""
    own = _lines(without_witnesses(note))
    return [line.rstrip("\n") for line in _lines(note) if line not in own]


def _decode(text: str) -> bytes:
    try:
        value = base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        raise NoteError(f"{text[:60]!r} is not base64") from None
    if base64.b64encode(value).decode() != text:
        raise NoteError(f"{text[:60]!r} is not the canonical base64 of its bytes")
    return value


def read(note: str) -> Head:
    """The statement of a note, its signatures unchecked; NoteError where the form is wrong."""
    text, separator, _ = note.partition("\n\n")
    lines = text.split("\n")
    if not separator or len(lines) != 3 or not lines[0] or not _SIZE.fullmatch(lines[1]):
        raise NoteError("a checkpoint is origin, size and root, one a line, then an empty line and signatures")
    root = _decode(lines[2])
    if len(root) != 32:
        raise NoteError("the root is not 32 bytes")
    return Head(lines[0], int(lines[1]), root)


def verify(note: str, verifiers: Iterable[Verifier]) -> Head:
    """Check a note's signatures and return its statement; NoteError for no or a bad signature by a known key."""
    head = read(note)
    known = {(verifier.name, verifier.id): verifier for verifier in verifiers}
    good = 0
    for line in note.partition("\n\n")[2].splitlines():
        name, _, blob = line.removeprefix(_SIGNATURE).partition(" ")
        raw = _decode(blob)
        verifier = known.get((name, raw[:4]))
        if verifier is None:
            continue
        if not _fits(verifier, raw[4:], head):
            raise NoteError(f"the signature by {verifier.vkey} does not fit the checkpoint")
        good += 1
    if not good:
        raise NoteError("no known key signed this checkpoint")
    return head
