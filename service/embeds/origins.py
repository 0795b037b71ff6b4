"""The sites that an embed is for, as partners write them, brought into the form that browsers send."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..campaign.text import msgid
from ..clients.site import SITE, is_loopback, normalise_host, port_suffix
from ..problems import FieldError, InvalidRequest

MOST = 50  # origins of one embed

_REST = re.compile(r"[/?#]")

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
    """Return the sites in the form that browsers send, in the given order.

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
            origin = normalise(text)
        except _Mistake as mistake:
            errors.append(FieldError.of(where, mistake.template, **mistake.values))
            continue
        if origin in found:
            errors.append(FieldError.of(where, _TWICE))
        found.append(origin)
    if errors:
        raise InvalidRequest(errors=errors)
    return tuple(found)


def check_origin(written: str, pointer: str) -> str:
    """Return one site in the form that browsers send. Raises InvalidRequest where it is none."""
    try:
        return normalise(written)
    except _Mistake as mistake:
        raise InvalidRequest(errors=[FieldError.of(pointer, mistake.template, **mistake.values)]) from None


def normalise(text: str) -> str:
    """Return one site that a partner wrote, normalised; raise ValueError where it cannot be on a list."""
    if "*" in text:
        raise _Mistake(_WILDCARD)
    if "@" in text:
        raise _Mistake(_USER)
    match = SITE.fullmatch(text)
    if match is None:
        begin = SITE.match(text)
        if begin is not None and _REST.match(text, begin.end()):
            raise _Mistake(_EXTRA, site=begin[0])
        raise _Mistake(_FORM)
    scheme = match[1].lower()
    host = normalise_host(match[2])
    if host is None:
        raise _Mistake(_HOST)
    if scheme == "http" and not is_loopback(host):
        raise _Mistake(_HTTP)
    port = port_suffix(scheme, match[3])
    if port is None:
        raise _Mistake(_PORT)
    return f"{scheme}://{host}{port}"
