"""The sender of a request, known only by a keyed hash for each link; people read an address prefix."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass

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


def _prefix(address: str, v4: int, v6: int) -> str:
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return ""
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped:
        ip = ip.ipv4_mapped
    length = v4 if ip.version == 4 else v6
    return str(ipaddress.ip_network(f"{ip}/{length}", strict=False))
