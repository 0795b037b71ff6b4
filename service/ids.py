"""Ids: opaque and random, with a prefix that names what they identify."""

from __future__ import annotations

import secrets


def new_id(prefix: str) -> str:
    """An opaque, URL-safe id such as ``par_3fK…``: the prefix and 128 random bits."""
    return f"{prefix}_{secrets.token_urlsafe(16)}"
