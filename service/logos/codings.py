"""Content codings of drawings: an SVG is text, and a third to two thirds of it go away."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from importlib.util import find_spec

_STANDARD_ZSTD, _BACKPORT = "compression.zstd", "backports.zstd"


def _brotli(content: bytes) -> bytes:
    import brotli

    return bytes(brotli.compress(content, mode=brotli.MODE_TEXT, quality=11))


def _zstd(content: bytes) -> bytes:
    if _has(_STANDARD_ZSTD):
        from compression import zstd
    else:
        from backports import zstd
    return bytes(zstd.compress(content, level=22))


def _gzip(content: bytes) -> bytes:
    return gzip.compress(content, 9, mtime=0)  # without a time, so that the same drawing gives the same bytes


def _has(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # the package around it
        return False


_TABLE: tuple[tuple[str, Callable[[bytes], bytes], tuple[str, ...]], ...] = (
    ("br", _brotli, ("brotli",)),
    ("zstd", _zstd, (_STANDARD_ZSTD, _BACKPORT)),
    ("gzip", _gzip, ("gzip",)),
)
#: The codings that can be made here, by their names in HTTP, the one that makes drawings smallest first. Where
#: a library is missing its coding is not offered.
CODINGS = {name: encode for name, encode, modules in _TABLE if any(map(_has, modules))}
#: The names of those that cannot.
MISSING = tuple(name for name, _, _ in _TABLE if name not in CODINGS)
