"""Ids and secrets: opaque and random, with a prefix that names what they identify."""

from __future__ import annotations

import base64
import hashlib
import secrets
import string
from datetime import UTC, datetime, timedelta

_ALPHABET = string.ascii_uppercase + string.ascii_lowercase + string.digits + "-_"  # of RFC 4648, 5
_IN_ORDER = str.maketrans(_ALPHABET, "".join(sorted(_ALPHABET)))
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def new_id(prefix: str) -> str:
    """An opaque, URL-safe id such as ``par_3fK…``: the prefix and 128 random bits."""
    return f"{prefix}_{secrets.token_urlsafe(16)}"


def new_id_in_order(prefix: str, at: datetime) -> str:
    """An id like those of ``new_id``, whose order as text is that of its instant, to the millisecond.

    48 bits of time and 80 random ones, as in RFC 9562's UUID of version 7. Rows that come in such an order go to one
    place of an index, where those with random ids change a page each, and a page that is not in memory once there are
    many.
    """
    packed = ((at - _EPOCH) // _MILLISECOND).to_bytes(6, "big") + secrets.token_bytes(10)
    return f"{prefix}_{base64.urlsafe_b64encode(packed).rstrip(b'=').decode().translate(_IN_ORDER)}"


def secret_digest(secret: str) -> str:
    """The SHA-256 under which a secret is stored; secrets are random, so no salt is needed."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
