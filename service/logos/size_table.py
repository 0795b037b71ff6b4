"""The table that ``auto`` is settled by: the bytes of each probe, by logo, colourway, width and format.

Written once for a version of the variants, at publishing or, where that was before there were tables or with other
encoders, after the start; from then on every process of every machine reads the same. It ends with its SHA-256: one
that is damaged is as one that is not there, and is written anew.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping
from typing import TypeAlias

from ..problems import Unavailable
from ..storage import Storage
from .variant_request import VariantRequest

_AGAIN = 5.0  # seconds after which a table that was not there is looked for again
_DIGEST_SIZE = hashlib.sha256().digest_size
_Sizes: TypeAlias = dict[str, dict[str, dict[str, dict[str, int]]]]  # logo → colourway → width → format → bytes


class SizeTable:
    """The table of one version of the variants. Safe to share between threads, and across a fork."""

    def __init__(self, storage: Storage, key: str) -> None:
        """``key`` is where the storage has it."""
        self._storage = storage
        self._key = key
        self._sizes: _Sizes | None = None
        self._looked = float("-inf")

    def get(self, wanted: VariantRequest) -> int | None:
        """The bytes of a probe; None where the table is not written yet, or has no such probe."""
        if self._sizes is None:
            self._look()
        widths = (self._sizes or {}).get(wanted.logo, {}).get(wanted.colourway, {})
        return None if wanted.space else widths.get(str(wanted.width), {}).get(wanted.format)

    @property
    def written(self) -> bool:
        """Tell whether the table is there, whole. Raises Unavailable where the storage does not answer."""
        if self._sizes is None:
            self._sizes = self._read()
        return self._sizes is not None

    def write(self, sizes: Mapping[VariantRequest, int]) -> None:
        """Store the table. Raises Unavailable where it cannot be stored."""
        table: _Sizes = {}
        for one, size in sizes.items():
            table.setdefault(one.logo, {}).setdefault(one.colourway, {}).setdefault(str(one.width), {})[one.format] = (
                size
            )
        content = json.dumps(table, separators=(",", ":"), sort_keys=True).encode()
        self._storage.replace(self._key, content + hashlib.sha256(content).digest(), "application/json")
        self._sizes = table

    def _look(self) -> None:
        now = time.monotonic()
        if now - self._looked < _AGAIN:
            return
        self._looked = now
        try:
            self._sizes = self._read()
        except Unavailable:  # the probes themselves say the same
            return

    def _read(self) -> _Sizes | None:
        stored = self._storage.find(self._key)
        if stored is None:
            return None
        content, digest = stored[:-_DIGEST_SIZE], stored[-_DIGEST_SIZE:]
        if hashlib.sha256(content).digest() != digest:
            return None
        found: _Sizes = json.loads(content)
        return found
