"""The log's signing keys: Ed25519 and ML-DSA-44, made without knowing the log's name, which they take when they sign.

``EMBLEM_LOG_KEY`` holds ``ed25519:`` and the 32-byte seed in standard base64, and beside it ``mldsa44:`` and
another seed for the signature that a quantum computer does not forge (C2SP tlog-cosignature, type 0x06).
They are separated by commas or line ends, newest first, and all of them sign. The seed alone is secret. The
name of a C2SP key is the log's origin, and comes from ``EMBLEM_LOG_ORIGIN``, so ``emblem secrets new`` can
make a key for a log to come.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey, MLDSA44PublicKey

from ..settings import read_config

ED25519 = 0x01  # type bytes of the signed-note and tlog-cosignature specifications
ML_DSA_44 = 0x06
_PREFIXES = {"ed25519:": ED25519, "mldsa44:": ML_DSA_44}


def new_log_key() -> str:
    """A new Ed25519 signing key as ``EMBLEM_LOG_KEY`` takes it: every reader of signed notes knows its signatures."""
    return "ed25519:" + base64.b64encode(secrets.token_bytes(32)).decode()


def new_post_quantum_key() -> str:
    """A new ML-DSA-44 signing key as ``EMBLEM_LOG_KEY`` takes it, beside one of Ed25519."""
    return "mldsa44:" + base64.b64encode(secrets.token_bytes(32)).decode()


def new_log_keys() -> str:
    """A new value of ``EMBLEM_LOG_KEY``: a key of each kind."""
    return f"{new_log_key()},{new_post_quantum_key()}"


def is_classical(vkey: str) -> bool:
    """Tell whether a verifier key is of Ed25519, which every reader of signed notes knows."""
    return base64.b64decode(vkey.split("+", 2)[2][:4])[0] == ED25519


@dataclass(frozen=True)
class Verifier:
    """A public key of the log, under the log's name; ``type`` is the C2SP byte of its kind of signature."""

    name: str
    public: bytes
    type: int = ED25519

    @property
    def id(self) -> bytes:
        """The four bytes by which a signature line names its key."""
        return hashlib.sha256(self.name.encode() + b"\n" + bytes([self.type]) + self.public).digest()[:4]

    @property
    def vkey(self) -> str:
        """The verifier key: ``name+8 hex digits+base64``."""
        return f"{self.name}+{self.id.hex()}+{base64.b64encode(bytes([self.type]) + self.public).decode()}"

    def verifies(self, signature: bytes, message: bytes) -> bool:
        """Tell whether the signature (64 bytes, of ML-DSA-44 2,420) is this key's over the message."""
        kind = Ed25519PublicKey if self.type == ED25519 else MLDSA44PublicKey
        try:
            kind.from_public_bytes(self.public).verify(signature, message)
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True)
class Signer:
    """A private key of the log, under the log's name."""

    name: str
    private: Ed25519PrivateKey | MLDSA44PrivateKey = field(repr=False)

    @cached_property
    def verifier(self) -> Verifier:
        """The public half."""
        kind = ED25519 if isinstance(self.private, Ed25519PrivateKey) else ML_DSA_44
        return Verifier(self.name, self.private.public_key().public_bytes_raw(), kind)

    def sign(self, message: bytes) -> bytes:
        """The signature over the message: 64 bytes, of ML-DSA-44 2,420."""
        return self.private.sign(message)


def parts(text: str) -> tuple[list[str], list[str]]:
    """The keys of ``EMBLEM_LOG_KEY`` as they are written, newest first: those of Ed25519, those of ML-DSA-44."""
    found = re.split(r"[,\s]+", text.strip())
    return (
        [part for part in found if not part.startswith("mldsa44:")],
        [part for part in found if part.startswith("mldsa44:")],
    )


def _signer(part: str, origin: str) -> Signer:
    """One key as it is written; ValueError where it is none."""
    prefix, colon, encoded = part.partition(":")
    kind = _PREFIXES.get(prefix + colon)
    seed = base64.b64decode(encoded, validate=True)
    if kind is None or len(seed) != 32 or base64.b64encode(seed).decode() != encoded:
        raise ValueError
    if kind == ED25519:
        return Signer(origin, Ed25519PrivateKey.from_private_bytes(seed))
    return Signer(origin, MLDSA44PrivateKey.from_seed_bytes(seed))


def signers(text: str, origin: str) -> tuple[Signer, ...]:
    """The keys of ``EMBLEM_LOG_KEY``, newest first, under the log's origin; ValueError says the fix."""
    try:
        found = tuple(_signer(part, origin) for part in re.split(r"[,\s]+", text.strip()))
    except (ValueError, binascii.Error):
        raise ValueError(
            "EMBLEM_LOG_KEY should be ed25519: and 32 bytes in base64, and beside it mldsa44: and 32 others, "
            "separated by commas; `emblem secrets new` makes both"
        ) from None
    if not any(signer.verifier.type == ED25519 for signer in found):
        raise ValueError(
            "EMBLEM_LOG_KEY has no ed25519: key, and a checkpoint needs the signature of one; "
            "`emblem secrets new` makes it"
        )
    return found


def key_source(text: str, origin: str, config: Path | None = None) -> Callable[[], Sequence[Signer]]:
    """Make a function that returns the signing keys in force, newest first.

    ``config`` is the file that the key came from, where it did not come from the environment: it is read
    again when it changes, so that ``emblem audit rotate-key`` reaches a running service. A file that
    cannot be understood for the moment changes nothing.
    """
    held = list(signers(text, origin))
    seen: list[int] = []

    def current() -> Sequence[Signer]:
        if config is None:
            return held
        try:
            stamp = config.stat().st_mtime_ns
        except OSError:
            return held
        if seen != [stamp]:
            seen[:] = [stamp]
            value = read_config(config)[0].get("EMBLEM_LOG_KEY", "")
            try:
                held[:] = signers(value, origin)
            except ValueError:
                return held
        return held

    return current
