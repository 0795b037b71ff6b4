"""Real parts that tests start and stop: PostgreSQL, an S3 server, Redis, nginx, a browser, Emblem itself."""

from __future__ import annotations

from .system import PARTS, Part, missing, need

__all__ = ["PARTS", "Part", "missing", "need"]
