"""Decoders of the content codings that Emblem sends."""

from __future__ import annotations

import gzip
import sys
from collections.abc import Callable

import brotli

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

DECODERS: dict[str, Callable[[bytes], bytes]] = {
    "br": brotli.decompress,
    "zstd": zstd.decompress,
    "gzip": gzip.decompress,
}


def decoded(content: bytes, coding: str | None) -> bytes:
    """The content without its coding, if it has one."""
    return DECODERS[coding](content) if coding and content else content
