"""The address that a mail went to, for the page that says so: in the page's own address, encrypted, for a while.

Neither a second cookie nor an address in anybody's log or history.
"""

from __future__ import annotations

import base64
import hashlib

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from ..context import deployment

_SALT = b"emblem.sent-to.1"
_LIFE = 1800  # seconds


def hidden(address: str) -> str:
    """Return an address as the page's own address may have it."""
    return _fernet().encrypt(address.encode("utf-8", "surrogatepass")).decode()


def shown(token: str) -> str:
    """Return the address of a token; empty for one that is not ours or old."""
    try:
        return _fernet().decrypt(token.encode(), ttl=_LIFE).decode()
    except (InvalidToken, UnicodeError):
        return ""


def _fernet() -> MultiFernet:
    keys = deployment().settings.secret_keys
    digests = [hashlib.sha256(_SALT + key.encode()).digest() for key in keys]
    return MultiFernet([Fernet(base64.urlsafe_b64encode(digest)) for digest in digests])
