"""The signed text forms of the public log, read strictly: verifier keys and checkpoints. Part of the verifier."""

from __future__ import annotations

import base64
import binascii
import codecs
import email
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PublicKey

ED25519, ED25519_COSIGNATURE, ML_DSA_44 = 0x01, 0x04, 0x06  # type bytes of signed-note and tlog-cosignature
LOG_KINDS = (ED25519, ML_DSA_44)
_KEY_BYTES = {ED25519: 32, ED25519_COSIGNATURE: 32, ML_DSA_44: 1312}
_KIND_NAMES = {
    ED25519: "an Ed25519 key",
    ED25519_COSIGNATURE: "an Ed25519 key for cosignatures",
    ML_DSA_44: "an ML-DSA-44 key",
}
MARK = "-----8<-----"  # the line before and after a checkpoint in a mail


class BadFormError(ValueError):
    """Raised for a checkpoint, key or receipt in a wrong form; the message says what is wrong with it."""


def unbase64(text: str, what: str) -> bytes:
    """The bytes of canonical base64; BadFormError otherwise, naming ``what`` it is."""
    try:
        value = base64.b64decode(text.encode("ascii"), validate=True)
    except (UnicodeEncodeError, binascii.Error):
        raise BadFormError(f"{what} is not base64") from None
    if base64.b64encode(value).decode() != text:
        raise BadFormError(f"{what} is not the canonical base64 of its bytes")
    return value


@dataclass(frozen=True)
class PublicKey:
    """A verifier key (vkey) taken apart; ``type`` is the C2SP byte of its kind of signature."""

    vkey: str
    name: str
    hash: bytes
    key: bytes
    type: int

    def signed_at(self, signature: bytes) -> int:
        """The time that a cosignature states, in seconds since 1970."""
        return int.from_bytes(signature[:8], "big")

    def fits(self, signature: bytes, statement: bytes) -> bool:
        """Tell whether the bytes behind the key's hash in a signature line are its signature of a checkpoint's text.

        The forms are those of C2SP signed-note (Ed25519) and tlog-cosignature (the other two).
        """
        stamp = b"" if self.type == ED25519 else signature[:8]
        if self.type == ED25519:
            message = statement
        elif self.type == ED25519_COSIGNATURE:
            message = b"cosignature/v1\ntime %d\n" % self.signed_at(signature) + statement
        else:
            origin, size, root = statement.split(b"\n")[:3]
            name = self.name.encode()
            message = b"subtree/v1\n\0" + bytes([len(name)]) + name + stamp + bytes([len(origin)]) + origin
            message += bytes(8) + int(size).to_bytes(8, "big") + base64.b64decode(root)
        kind = MLDSA44PublicKey if self.type == ML_DSA_44 else Ed25519PublicKey
        try:
            kind.from_public_bytes(self.key).verify(signature[len(stamp) :], message)
        except InvalidSignature:
            return False
        return True


def parse_vkey(text: str, kinds: Sequence[int] = LOG_KINDS) -> PublicKey:
    """A verifier key ``name+hash+base64``; BadFormError where it is none or its hash is not its own.

    ``kinds`` are the signature types that are taken: a log's by default.
    """
    match = re.fullmatch(r"([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+=*)", text.strip())
    if not match:
        raise BadFormError(f"{text.strip()[:80]!r} is no verifier key (name+8 hex digits+base64)")
    data = unbase64(match[3], "the verifier key")
    if data[0] not in kinds or len(data) != 1 + _KEY_BYTES[data[0]]:
        raise BadFormError("the verifier key is not " + " or ".join(_KIND_NAMES[kind] for kind in kinds))
    if hashlib.sha256(match[1].encode() + b"\n" + data).digest()[:4].hex() != match[2]:
        raise BadFormError("the verifier key's hash is not that of its name and key")
    return PublicKey(text.strip(), match[1], bytes.fromhex(match[2]), data[1:], data[0])


@dataclass(frozen=True)
class SignedHead:
    """A checkpoint whose signatures were checked."""

    origin: str
    size: int
    root: bytes
    signed_by: list[str]


def _signers(
    lines: Sequence[str], statement: bytes, keys: Sequence[PublicKey], origin: str, stated: Sequence[PublicKey]
) -> list[str]:
    known = [*keys, *(key for key in stated if key.vkey not in {mine.vkey for mine in keys})]
    trusted = {key.vkey for key in keys}
    signed_by = []
    for line in lines:
        match = re.fullmatch(r"\u2014 ([^\s+]+) ([A-Za-z0-9+/]+=*)", line)
        if not match:
            raise BadFormError("a signature line is not in its form")
        blob = unbase64(match[2], "a signature")
        if stated and match[1] == origin and (match[1], blob[:4]) not in {(key.name, key.hash) for key in known}:
            raise BadFormError(f"the log does not state the key {match[1]}+{blob[:4].hex()} that signed the checkpoint")
        for key in known:
            if key.hash == blob[:4] and key.name != match[1]:
                raise BadFormError(f"a signature by {key.name}+{key.hash.hex()} is under another name")
            if (key.name, key.hash) == (match[1], blob[:4]):
                if not key.fits(blob[4:], statement):
                    raise BadFormError(f"the signature by {key.name}+{key.hash.hex()} does not fit")
                if key.vkey in trusted:
                    signed_by.append(key.vkey)
    return signed_by


_ENCODINGS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}


def plain_text(data: bytes) -> bytes:
    """Undo what saving does to a text file: UTF-8 without a byte order mark, lines ended by line feeds.

    Editors, mail programs and copying add a mark, write UTF-16, change line ends, take the last one away or
    add some. What a file says is told by its signature, so none of that may make it look tampered with.
    """
    for mark, encoding in _ENCODINGS.items():
        if data.startswith(mark):
            try:
                data = data.decode(encoding).encode()
            except UnicodeDecodeError:
                return data
            break
    text = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n").strip(b"\n")
    return text + b"\n" if text else b""


def kept_checkpoint(data: bytes) -> bytes:
    """Take the checkpoint out of a kept file: alone, or in the mail that it came in, between its marks."""
    mark = MARK.encode() + b"\n"
    parts = [part.get_payload(decode=True) for part in email.message_from_bytes(data).walk()]
    for text in (data, *(part for part in parts if isinstance(part, bytes))):
        pieces = plain_text(text).split(mark)
        if len(pieces) == 3 and b"=3D" not in pieces[1]:  # a mail's own encoding, which its parts are free of
            return plain_text(pieces[1])
    return plain_text(data)


def parse_checkpoint(note: bytes, keys: Sequence[PublicKey], stated: Sequence[PublicKey] = ()) -> SignedHead:
    """A checkpoint signed by at least one of the keys; BadFormError in every other case.

    ``stated`` are the keys that the log says it has had. Their signatures have to fit too, and no other key
    may sign under the log's name; but only ``keys`` make a checkpoint good. Other names are passed over.
    """
    try:
        whole = note.decode("utf-8")
    except UnicodeDecodeError:
        raise BadFormError("the checkpoint is not UTF-8") from None
    if any(ord(letter) < 32 and letter != "\n" for letter in whole):
        raise BadFormError("the checkpoint has control characters")
    body, gap, tail = whole.partition("\n\n")
    lines = body.split("\n")
    if not gap or len(lines) != 3 or not lines[0]:
        raise BadFormError("the checkpoint is not three lines, an empty line and signatures")
    if not re.fullmatch(r"0|[1-9][0-9]{0,18}", lines[1]):
        raise BadFormError("the checkpoint's size is not a plain number")
    root = unbase64(lines[2], "the checkpoint's root")
    if len(root) != 32:
        raise BadFormError("the checkpoint's root is not 32 bytes")
    if not tail.endswith("\n"):
        raise BadFormError("the checkpoint does not end with a newline")
    signed_by = _signers(tail[:-1].split("\n"), (body + "\n").encode(), keys, lines[0], stated)
    if not signed_by:
        raise BadFormError("no known key signed the checkpoint")
    if any(key.name != lines[0] for key in keys if key.vkey in signed_by):
        raise BadFormError("the checkpoint's origin is not the name of the key that signed it")
    return SignedHead(lines[0], int(lines[1]), root, signed_by)


def cosigned_at(note: bytes, key: PublicKey) -> datetime | None:
    """The time that a checkpoint's line of a key for cosignatures states, None where it has none.

    The signature itself is for ``parse_checkpoint`` to check.
    """
    for line in note.partition(b"\n\n")[2].decode("utf-8", "replace").split("\n"):
        match = re.fullmatch(r"\u2014 ([^\s+]+) ([A-Za-z0-9+/]+=*)", line)
        if match and match[1] == key.name and (blob := unbase64(match[2], "a signature"))[:4] == key.hash:
            try:
                return datetime.fromtimestamp(key.signed_at(blob[4:]), UTC)
            except (ValueError, OverflowError, OSError):
                raise BadFormError("the checkpoint is of a time that no calendar has") from None
    return None
