"""The log's signing keys: Ed25519, made without knowing the log's name, which they take when they sign.

``EMBLEM_LOG_KEY`` holds ``ed25519:`` and the 32-byte seed in standard base64; several are separated by
commas, newest first, and all of them sign. The seed alone is secret. The name of a C2SP key is the log's
origin, and comes from ``EMBLEM_LOG_ORIGIN``, so ``emblem secrets new`` can make a key for a log to come.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from ..settings import read_config

PREFIX = "ed25519:"
_ALGORITHM = b"\x01"  # Ed25519 in the signed-note specification


def new_log_key() -> str:
    """A new signing key as ``EMBLEM_LOG_KEY`` takes it."""
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def key_id(name: str, public: bytes) -> bytes:
    """The four bytes by which a signature line names its key."""
    return hashlib.sha256(name.encode() + b"\n" + _ALGORITHM + public).digest()[:4]


@dataclass(frozen=True)
class Verifier:
    """A public key of the log, under the log's name."""

    name: str
    public: bytes

    @property
    def id(self) -> bytes:
        """The key's four-byte id."""
        return key_id(self.name, self.public)

    @property
    def vkey(self) -> str:
        """The verifier key: ``name+8 hex digits+base64``."""
        return f"{self.name}+{self.id.hex()}+{base64.b64encode(_ALGORITHM + self.public).decode()}"

    def verifies(self, signature: bytes, text: bytes) -> bool:
        """Whether the 64-byte signature is this key's over the text."""
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, text)
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True)
class Signer:
    """A private key of the log, under the log's name."""

    name: str
    private: Ed25519PrivateKey = field(repr=False)

    @property
    def verifier(self) -> Verifier:
        """The public half."""
        return Verifier(self.name, self.private.public_key().public_bytes_raw())

    def sign(self, text: bytes) -> bytes:
        """The 64-byte signature over the text."""
        return self.private.sign(text)


def signers(text: str, origin: str) -> tuple[Signer, ...]:
    """The keys of ``EMBLEM_LOG_KEY``, newest first, under the log's origin; ValueError says the fix."""
    found = []
    for part in (part.strip() for part in text.split(",")):
        try:
            if not part.startswith(PREFIX):
                raise ValueError
            seed = base64.b64decode(part[len(PREFIX) :], validate=True)
            if len(seed) != 32 or PREFIX + base64.b64encode(seed).decode() != part:
                raise ValueError
        except (ValueError, binascii.Error):
            raise ValueError(
                "EMBLEM_LOG_KEY should be ed25519: and 32 bytes in base64, several separated by commas; "
                "`emblem secrets new` makes one"
            ) from None
        found.append(Signer(origin, Ed25519PrivateKey.from_private_bytes(seed)))
    return tuple(found)


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
