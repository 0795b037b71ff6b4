"""Storage of bytes: one small interface, with a directory and an S3 bucket behind it."""

from __future__ import annotations

from .base import Content, ObjectChanged, ObjectMissing, Pieces, Storage, StoredObject
from .open import open_storage

__all__ = ["Content", "ObjectChanged", "ObjectMissing", "Pieces", "Storage", "StoredObject", "open_storage"]
