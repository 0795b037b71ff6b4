"""The record: entries written with their facts, sealed into a public Merkle log."""

from __future__ import annotations

from .entries import KINDS, append, append_many, commitment, new_salt
from .keys import key_source, new_log_key, signers
from .sealer import Sealed, Sealer

__all__ = [
    "KINDS",
    "Sealed",
    "Sealer",
    "append",
    "append_many",
    "commitment",
    "key_source",
    "new_log_key",
    "new_salt",
    "signers",
]
