"""The site of the page that asks, told by ``Origin`` and ``Referer``.

A site is what browsers call an origin, in the form that they send: ``scheme://host[:port]``, scheme and host in
lower case, the host in ASCII (IDNA), no default port. So sites can be compared exactly. Live requests and lines of
server logs both come here.
"""

from __future__ import annotations

import ipaddress
import re
from functools import lru_cache

import idna

NAMELESS = "null"  # what browsers send for a page whose site cannot be named: it is on no list

_PORTS = {"https": 443, "http": 80}
#: scheme, host and port of a site as it is written
SITE = re.compile(r"(https?)://([^\s/?#@\\:\[\]%]+|\[[0-9a-f:.]+\])(?::([0-9]{1,5}))?", re.IGNORECASE)
#: The same as JSON Schema writes patterns.
PATTERN = r"^[Hh][Tt][Tt][Pp][Ss]?://([^\s/?#@\\:\[\]%]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?$"
_REST = re.compile(r"[/?#]")
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_LONGEST = 4096  # characters of a header that are looked at


@lru_cache(maxsize=4096)
def origin_of(origin_header: str | None, referer_header: str | None) -> str | None:
    """Return the site of the page that asks: by ``Origin``, else by ``Referer``.

    None where neither names one. ``null`` where ``Origin`` was sent without a site that can be named (a
    sandboxed frame, a file) and ``Referer`` does not name one either.
    """
    said = _normalised(origin_header.strip()) if origin_header else None
    if said is None and referer_header:
        said = _normalised(_before_path(referer_header.strip()))
    if said is None and origin_header and origin_header.strip():
        return NAMELESS
    return said


def is_loopback(host: str) -> bool:
    """Tell whether a normalised host is the machine itself: ``localhost`` and below it, 127.0.0.0/8, ``[::1]``."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def normalise_host(written: str) -> str | None:
    """Return a host as browsers write it; None for what is no host."""
    if written.startswith("["):
        try:
            return f"[{ipaddress.IPv6Address(written[1:-1])}]"
        except ValueError:
            return None
    host = written.lower()
    if not host.isascii():
        try:
            host = idna.encode(host, uts46=True).decode("ascii").lower()
        except (idna.IDNAError, UnicodeError):
            return None
    labels = host.split(".")
    if len(host) > 253 or not all(_LABEL.fullmatch(label) and _readable(label) for label in labels):
        return None
    if re.fullmatch(r"[0-9]+|0x[0-9a-f]*", labels[-1]):  # browsers take such a name for an IPv4 address
        try:
            return str(ipaddress.IPv4Address(host))
        except ValueError:
            return None
    return host


def port_suffix(scheme: str, written: str | None) -> str | None:
    """Return ``:port``, empty for the scheme's own port; None for a number that is no port."""
    if written is None:
        return ""
    number = int(written)
    if not 1 <= number <= 65_535:
        return None
    return "" if number == _PORTS[scheme] else f":{number}"


def _before_path(referer: str) -> str:
    """Return what stands before the path, without what stands before ``@``."""
    scheme, found, rest = referer[:_LONGEST].partition("://")
    authority = _REST.split(rest, maxsplit=1)[0]
    return f"{scheme}{found}{authority.rpartition('@')[2]}"


def _normalised(text: str) -> str | None:
    match = SITE.fullmatch(text) if len(text) <= _LONGEST else None
    if match is None:
        return None
    scheme = match[1].lower()
    host, port = normalise_host(match[2]), port_suffix(scheme, match[3])
    return None if host is None or port is None else f"{scheme}://{host}{port}"


def _readable(label: str) -> bool:
    """Tell whether a label that claims to be IDNA's ASCII form is one."""
    if not label.startswith("xn--"):
        return True
    try:
        return bool(label[4:].encode("ascii").decode("punycode"))
    except UnicodeError:
        return False
