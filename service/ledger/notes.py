"""Checkpoints as signed notes (C2SP signed-note and tlog-checkpoint): writing, and reading what we wrote."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .keys import Signer, Verifier

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


def sign(head: Head, signers: Sequence[Signer]) -> str:
    """The signed note of a checkpoint, one line a key. Ed25519 is deterministic: the same head gives the same note."""
    lines = []
    for signer in signers:
        blob = signer.verifier.id + signer.sign(head.text.encode())
        lines.append(f"{_SIGNATURE}{signer.name} {base64.b64encode(blob).decode()}\n")
    return head.text + "\n" + "".join(lines)


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
        if not verifier.verifies(raw[4:], head.text.encode()):
            raise NoteError(f"the signature by {verifier.vkey} does not fit the checkpoint")
        good += 1
    if not good:
        raise NoteError("no known key signed this checkpoint")
    return head
