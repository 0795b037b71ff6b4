"""Ids and secrets: opaque and random, with a prefix that names what they identify."""

from __future__ import annotations

import hashlib
import secrets


def new_id(prefix: str) -> str:
    """An opaque, URL-safe id such as ``par_3fK…``: the prefix and 128 random bits."""
    return f"{prefix}_{secrets.token_urlsafe(16)}"


def secret_digest(secret: str) -> str:
    """The SHA-256 under which a secret is stored; secrets are random, so no salt is needed."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
