"""The relying party of WebAuthn: the host for which passkeys are made, and the origin at which they are used."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

_LOCAL = "localhost"


@dataclass(frozen=True)
class RelyingParty:
    """``id`` is a host name, ``origin`` the only origin whose pages may use its passkeys."""

    id: str
    origin: str

    @classmethod
    def of(cls, base_url: str) -> RelyingParty | None:
        """Return that of a deployment's base URL; None where browsers make no passkeys for it.

        They make none for an address in place of a name, and none without https, this machine's name excepted: what
        is reached at a loopback address has its passkeys at ``localhost`` with the same port.
        """
        split = urlsplit(base_url)
        host, port = split.hostname or "", f":{split.port}" if split.port else ""
        try:
            if not ip_address(host).is_loopback:
                return None
            host = _LOCAL
        except ValueError:
            pass
        if split.scheme != "https" and host != _LOCAL:
            return None
        return cls(host, f"{split.scheme}://{host}{port}")
