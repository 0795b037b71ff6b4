"""Origins: the sites that an embed is for, as partners write them and as browsers send them.

Both are brought into the one form that browsers send (scheme and host in lower case, the host in ASCII,
no default port), so that they can be compared exactly.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from functools import lru_cache

import idna

from ..campaign.text import msgid
from ..problems import FieldError, InvalidRequest

MOST = 50  # origins of one embed
OPAQUE = "null"  # what browsers send for a page without an origin that can be named: it is on no list

_PORTS = {"https": 443, "http": 80}
_ORIGIN = re.compile(r"(https?)://([^\s/?#@\\:\[\]%]+|\[[0-9a-f:.]+\])(?::([0-9]{1,5}))?", re.IGNORECASE)
_REST = re.compile(r"[/?#]")
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_LONGEST = 4096  # characters of a header that are looked at

_FORM = msgid("Write the site as https://www.example.org, with :port if it has one of its own.")
_EXTRA = msgid("Write the site alone, such as %(site)s: without path, ? or #.")
_USER = msgid("Leave out what stands before @: it is no part of a site.")
_WILDCARD = msgid("A wildcard is not taken. Name each site on its own.")
_HTTP = msgid("Only https:// is taken (http:// for localhost).")
_HOST = msgid("This host name is not valid.")
_PORT = msgid("The port has to be between 1 and 65535.")
_TWICE = msgid("This site stands in the list already.")
_TOO_MANY = msgid("At most %(most)s sites are taken.")


class _Mistake(ValueError):
    def __init__(self, template: str, **values: object) -> None:
        super().__init__(template)
        self.template, self.values = template, values


def check_origins(written: Sequence[str], pointer: str = "/origins") -> tuple[str, ...]:
    """The origins in the form that browsers send, in the given order.

    Raises InvalidRequest with a mistake for each that is none (``/origins/0``) or stands twice, or one for
    the list (``/origins``) where there are more than 50.
    """
    if len(written) > MOST:
        raise InvalidRequest(errors=[FieldError.of(pointer, _TOO_MANY, most=MOST)])
    errors: list[FieldError] = []
    found: list[str] = []
    for index, text in enumerate(written):
        where = f"{pointer}/{index}"
        try:
            origin = listed(text)
        except _Mistake as mistake:
            errors.append(FieldError.of(where, mistake.template, **mistake.values))
            continue
        if origin in found:
            errors.append(FieldError.of(where, _TWICE))
        found.append(origin)
    if errors:
        raise InvalidRequest(errors=errors)
    return tuple(found)


def listed(text: str) -> str:
    """One origin that a partner wrote, normalised; ValueError where it cannot be on a list."""
    if "*" in text:
        raise _Mistake(_WILDCARD)
    if "@" in text:
        raise _Mistake(_USER)
    match = _ORIGIN.fullmatch(text)
    if match is None:
        begin = _ORIGIN.match(text)
        if begin is not None and _REST.match(text, begin.end()):
            raise _Mistake(_EXTRA, site=begin[0])
        raise _Mistake(_FORM)
    scheme = match[1].lower()
    host = _host(match[2])
    if host is None:
        raise _Mistake(_HOST)
    if scheme == "http" and not is_loopback(host):
        raise _Mistake(_HTTP)
    port = _port(scheme, match[3])
    if port is None:
        raise _Mistake(_PORT)
    return f"{scheme}://{host}{port}"


@lru_cache(maxsize=4096)
def origin_of(origin_header: str | None, referer_header: str | None) -> str | None:
    """The origin of the page that asks: ``scheme://host[:port]`` by ``Origin``, else by ``Referer``.

    None where neither names one. ``null`` where ``Origin`` was sent without a site that can be named (a
    sandboxed frame, a file) and ``Referer`` does not name one either.
    """
    said = _request_origin(origin_header.strip()) if origin_header else None
    if said is None and referer_header:
        said = _request_origin(_site(referer_header.strip()))
    if said is None and origin_header and origin_header.strip():
        return OPAQUE
    return said


def is_loopback(host: str) -> bool:
    """Whether a normalised host is the machine itself: ``localhost`` and below it, 127.0.0.0/8, ``[::1]``."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _site(referer: str) -> str:
    """What stands before the path, without what stands before ``@``."""
    if len(referer) > _LONGEST:
        referer = referer[:_LONGEST]
    scheme, found, rest = referer.partition("://")
    authority = _REST.split(rest, maxsplit=1)[0]
    return f"{scheme}{found}{authority.rpartition('@')[2]}"


def _request_origin(text: str) -> str | None:
    match = _ORIGIN.fullmatch(text) if len(text) <= _LONGEST else None
    if match is None:
        return None
    scheme = match[1].lower()
    host, port = _host(match[2]), _port(scheme, match[3])
    return None if host is None or port is None else f"{scheme}://{host}{port}"


def _port(scheme: str, written: str | None) -> str | None:
    """``:port``, empty for the scheme's own port; None for a number that is no port."""
    if written is None:
        return ""
    number = int(written)
    if not 1 <= number <= 65_535:
        return None
    return "" if number == _PORTS[scheme] else f":{number}"


def _host(written: str) -> str | None:
    """The host as browsers write it; None where it is none."""
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


def _readable(label: str) -> bool:
    """Whether a label that claims to be IDNA's ASCII form is one."""
    if not label.startswith("xn--"):
        return True
    try:
        return bool(label[4:].encode("ascii").decode("punycode"))
    except UnicodeError:
        return False
