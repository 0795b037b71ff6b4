"""The record: entries written with their facts, sealed into a public Merkle log."""

from __future__ import annotations

from .entries import KINDS, append, commitment, new_salt

__all__ = ["KINDS", "append", "commitment", "new_salt"]
