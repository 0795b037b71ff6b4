"""Backups of a whole deployment, made while it serves, and put back: database, storage and log.

A backup is a folder that ordinary tools understand: ``database/`` (an SQLite file, or a CSV
file a table of PostgreSQL), ``storage/`` (an object a file, without the variants, which are made anew, and
with the log as it was at exactly one checkpoint), ``SHA256SUMS``, and ``backup.json``, which is written last.
"""

from __future__ import annotations

from .ends import apply_end
from .folder import BackupError, DamagedBackupError, Manifest, read_manifest
from .make import make
from .put_back import put_back, require_finished

__all__ = [
    "BackupError",
    "DamagedBackupError",
    "Manifest",
    "apply_end",
    "make",
    "put_back",
    "read_manifest",
    "require_finished",
]
