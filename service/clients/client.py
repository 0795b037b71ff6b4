"""The sender of a request, known only by a keyed hash for each link; people read an address prefix."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from socket import AF_INET, AF_INET6, inet_ntop, inet_pton

from .classifier import ClientKind


@dataclass(frozen=True)
class Client:
    """The sender of a download request."""

    address: str
    user_agent: str
    kind: ClientKind

    @property
    def network(self) -> str:
        """Network that counts as one address: an IPv4 address, or an IPv6 /64 (a household moves within it at will)."""
        return _prefix(self.address, 32, 64)

    @property
    def prefix(self) -> str | None:
        """Network, /24 or /48, that is kept for people to read; None for no valid address."""
        return _prefix(self.address, 24, 48) or None

    def hashes(self, keys: Sequence[bytes], link: str) -> list[str]:
        """Return its names on a link, one under each key, the first being the one to store.

        HMAC-SHA256 over link, network and user agent: it cannot be turned back into an address without the
        key, nor compared between links. All keys are tried, so that rotating them begins no download anew.
        """
        said = f"{link}\0{self.network}\0{self.user_agent}".encode("utf-8", "surrogateescape")
        return [hmac.new(key, said, hashlib.sha256).hexdigest() for key in keys]


def hashing_keys(secrets: Sequence[str]) -> list[bytes]:
    """Return the keys for ``Client.hashes``, derived from the signing secrets, in the same order."""
    return [hmac.new(secret.encode(), b"emblem.client.1", hashlib.sha256).digest() for secret in secrets]


_MAPPED = bytes(10) + b"\xff\xff"  # an IPv4 address within IPv6 (RFC 4291, section 2.5.5.2)


def _prefix(address: str, v4: int, v6: int) -> str:
    """Return the network of an address, its length in whole bytes; "" for none.

    As ``ipaddress`` writes it, in a tenth of its time: this runs twice with every download.
    """
    plain = address.partition("%")[0]
    try:
        packed = inet_pton(AF_INET6 if ":" in plain else AF_INET, plain)
    except (OSError, ValueError):
        return ""
    packed = packed.removeprefix(_MAPPED)
    family, length = (AF_INET, v4) if len(packed) == 4 else (AF_INET6, v6)
    return f"{inet_ntop(family, packed[: length // 8].ljust(len(packed), bytes(1)))}/{length}"
