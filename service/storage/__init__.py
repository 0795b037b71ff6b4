"""Where bytes lie: one small interface, with a directory and an S3 bucket behind it."""

from __future__ import annotations

from .base import Content, ObjectMissing, Storage, StoredObject
from .open import open_storage

__all__ = ["Content", "ObjectMissing", "Storage", "StoredObject", "open_storage"]
