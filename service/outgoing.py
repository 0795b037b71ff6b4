"""Connections to addresses that others wrote down: only to the public internet, whatever a name resolves to.

A name is resolved once, every address that it has is judged, and the connection goes to the one that was judged, so
no second answer of a name server changes where it leads.
"""

from __future__ import annotations

import socket
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Networks = Sequence[IPv4Network | IPv6Network]

#: All that has been given out of IPv6 (RFC 4291): embedded IPv4, site-local and what comes next lie elsewhere.
_GIVEN_OUT = ip_network("2000::/3")
#: A gateway there turns these into IPv4, inside addresses too (NAT64, RFC 6052).
_NAT64 = ip_network("64:ff9b::/96")
#: Addresses that look public and are not: protocol assignments with a cloud's metadata among them (RFC 6890),
#: another cloud's metadata, documentation (RFC 9637).
_NOT_PUBLIC = tuple(map(ip_network, ("192.0.0.0/24", "168.63.129.16/32", "3fff::/20")))


class RefusedTarget(OSError):
    """An address of this machine, of a private network, of a cloud's metadata service or of a link."""


def is_loopback(host: str) -> bool:
    """Tell whether a host is written as this machine itself: ``localhost`` or a loopback address, nothing like it."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def connect(host: str, port: int, timeout: float, networks: Networks = ()) -> socket.socket:
    """Return a connection to a public address of a host, or to one in ``networks``. ``timeout`` is in seconds.

    A host that is written as loopback is this machine, as whoever wrote it wants it. Raises RefusedTarget for any
    other address that is not public, and OSError where nobody answers.
    """
    found = list(dict.fromkeys(info[4][0] for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)))
    local = is_loopback(host)
    for text in found:
        address = ip_address(str(text).partition("%")[0])
        if not (local and address.is_loopback) and not _may_be_reached(address, networks):
            raise RefusedTarget("the address is not a public one")
    last: OSError = OSError("no address")
    for text in found:
        try:
            return socket.create_connection((str(text), port), timeout)
        except OSError as error:
            last = error
    raise last


def _may_be_reached(address: IPv4Address | IPv6Address, networks: Networks) -> bool:
    if isinstance(address, IPv6Address) and (
        inner := address.ipv4_mapped or address.sixtofour or _through_nat(address)
    ):
        return _may_be_reached(inner, networks)
    if any(address in network for network in networks):
        return True
    if any(address in network for network in _NOT_PUBLIC) or (address.version == 6 and address not in _GIVEN_OUT):
        return False
    return address.is_global and not address.is_multicast


def _through_nat(address: IPv6Address) -> IPv4Address | None:
    return IPv4Address(int(address) & 0xFFFFFFFF) if address in _NAT64 else None
