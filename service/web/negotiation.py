"""Read a request's ``Accept`` and ``Accept-Encoding`` for a logo (RFC 9110, 12.5.1 and 12.5.3)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache

from ..logos.codings import CODINGS
from ..logos.formats import FORMATS

_LONGEST = 8192  # characters of a header that are read; servers take no longer ones
_LONGEST_KEPT = 256  # characters of a header whose meaning is kept in memory; browsers send at most a hundred
# What is not closed goes to the end: each letter is looked at once, whatever stands there.
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)')
_WEIGHT = re.compile(r"\s*q\s*=\s*(\d{1,9}(?:\.\d{0,9})?|\.\d{1,9})\s*", re.ASCII | re.IGNORECASE)
_WITH_Q = re.compile(r"\s*q\s*=", re.IGNORECASE)
_ANY_IMAGE, _ANY = "image/*", "*/*"
_PNG = "png"


def formats(accept: str) -> tuple[str, ...]:
    """The formats that are welcome above all others, in the table's order; empty where none is welcome.

    A format counts as welcome only where the header names it: whoever sends ``*/*`` or ``image/*`` may be a mail
    program that shows nothing modern, so wildcards speak for PNG alone, as does a header that says nothing.
    """
    return _kept_formats(accept) if len(accept) <= _LONGEST_KEPT else _formats(accept)


def coding(accept_encoding: str) -> str:
    """The content coding for a drawing, empty for none: the most welcome; among equals the one that is smallest."""
    return _kept_coding(accept_encoding) if len(accept_encoding) <= _LONGEST_KEPT else _coding(accept_encoding)


def _formats(accept: str) -> tuple[str, ...]:
    said = _weights(accept, lambda name: "/" in name)
    if not said:
        return (_PNG,)
    wildcard = said.get(_ANY_IMAGE, said.get(_ANY, 0.0))
    welcome = {name: said.get(row.media_type, wildcard if name == _PNG else 0.0) for name, row in FORMATS.items()}
    best = max(welcome.values())
    return tuple(name for name, weight in welcome.items() if weight == best) if best > 0 else ()


def _coding(accept_encoding: str) -> str:
    said = _weights(accept_encoding, bool)
    if "x-gzip" in said:  # an old name of it (RFC 9110, 8.4.1.3)
        said.setdefault("gzip", said["x-gzip"])
    welcome = {name: said.get(name, said.get("*", 0.0)) for name in CODINGS}
    best = max(welcome, key=lambda name: welcome[name])
    return best if welcome[best] > 0 and welcome[best] >= said.get("identity", 0.0) else ""


def _weights(header: str, sensible: Callable[[str], bool]) -> dict[str, float]:
    """The weight of each name in a list with weights; the highest of a name that stands there several times.

    Entries without a sensible name, or whose weight is no number, are passed over.
    """
    found: dict[str, float] = {}
    for name, weight in _entries(header):
        if sensible(name) and weight > found.get(name, -1.0):
            found[name] = weight
    return found


def _entries(header: str) -> Iterator[tuple[str, float]]:
    if len(header) > _LONGEST:
        header = header[:_LONGEST].rpartition(",")[0]
    if '"' in header:  # parameters may hold commas in quotes
        header = _QUOTED.sub("", header)
    for entry in header.split(","):
        name, *parameters = entry.split(";")
        weight = 1.0
        for parameter in parameters:
            if _WITH_Q.match(parameter):
                match = _WEIGHT.fullmatch(parameter)
                weight = min(1.0, float(match[1])) if match else -1.0
                break
        if weight >= 0:
            yield name.strip().lower(), weight


_kept_formats = lru_cache(maxsize=2048)(_formats)
_kept_coding = lru_cache(maxsize=2048)(_coding)
