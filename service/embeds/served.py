"""Embeds as serving their logos needs to know them, packed: some hundred bytes each, however many a process keeps."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ..problems import OriginNotAllowed

PREFIX = "ebd_"
_WIDTH = 22  # bytes of a key behind its prefix
_AT_HAND = 4096  # embeds that were asked for lately, which are kept as objects too


@dataclass(frozen=True, slots=True)
class ServedEmbed:
    """An embed as serving its logo needs to know it. ``until`` is when its acceptances no longer suffice."""

    key: str
    participant: str
    kind: str
    country: str | None
    language: str
    logo: str
    origins: frozenset[str]
    unlisted: str
    revoked: bool
    approved: bool
    lapsed: bool
    until: datetime | None


def allowed(embed: ServedEmbed, origin: str | None) -> None:
    """Raise OriginNotAllowed where the embed refuses this origin. A request that names none is served."""
    if embed.unlisted == "refuse" and origin is not None and origin not in embed.origins:
        raise OriginNotAllowed


#: What many embeds have alike: kind, country, language, logo, unlisted, revoked, approved, lapsed, until.
_Alike = tuple[str, str | None, str, str, str, bool, bool, bool, datetime | None]


class ServedEmbeds(Mapping[str, ServedEmbed]):
    """Embeds by their keys, which ``packed`` gives in their order; ``put`` adds and replaces. Safe to share.

    The keys are one text, searched by halves. What many embeds have alike is kept once; the rest of each, its
    participant and its sites, is a piece of another text, by lines.
    """

    def __init__(self, packed: Iterable[ServedEmbed] = ()) -> None:
        """Pack embeds; one whose key is of another length, or not behind the one before, is kept as it is."""
        self._changed: dict[str, ServedEmbed] = {}
        self._at_hand: dict[str, ServedEmbed] = {}
        self._keys, self._texts = bytearray(), bytearray()
        self._starts, self._which = array("Q", [0]), array("L")
        places: dict[_Alike, int] = {}
        before = b""
        for embed in packed:
            key = embed.key.removeprefix(PREFIX).encode()
            if len(key) != _WIDTH or key <= before:
                self._changed[embed.key] = embed
                continue
            before = key
            self._keys += key
            self._texts += "\n".join((embed.participant, *embed.origins)).encode()
            self._starts.append(len(self._texts))
            self._which.append(places.setdefault(_alike(embed), len(places)))
        self._alike = list(places)

    def put(self, embeds: Mapping[str, ServedEmbed]) -> None:
        """Take over what has changed."""
        self._changed |= embeds

    def get(self, key: str, default: Any = None) -> Any:
        """Return the embed of a key, as it changed last."""
        found = self._changed.get(key) or self._at_hand.get(key)
        if found is not None:
            return found
        place = self._place(key)
        if place is None:
            return default
        if len(self._at_hand) >= _AT_HAND:
            self._at_hand = {}
        self._at_hand[key] = found = self._unpacked(key, place)
        return found

    def __getitem__(self, key: str) -> ServedEmbed:
        found: ServedEmbed | None = self.get(key)
        if found is None:
            raise KeyError(key)
        return found

    def __len__(self) -> int:
        return len(self._which) + sum(1 for key in self._changed if self._place(key) is None)

    def __iter__(self) -> Iterator[str]:
        for place in range(len(self._which)):
            yield PREFIX + self._key(place).decode()
        for key in list(self._changed):
            if self._place(key) is None:
                yield key

    def _key(self, place: int) -> bytes:
        return bytes(self._keys[place * _WIDTH : (place + 1) * _WIDTH])

    def _place(self, key: str) -> int | None:
        """Where a key is among those that are packed; None for others."""
        wanted = key.removeprefix(PREFIX).encode()
        place = bisect_left(range(len(self._which)), wanted, key=self._key)
        return place if place < len(self._which) and self._key(place) == wanted else None

    def _unpacked(self, key: str, place: int) -> ServedEmbed:
        text = self._texts[self._starts[place] : self._starts[place + 1]].decode()
        participant, *origins = text.split("\n")
        kind, country, language, logo, unlisted, revoked, approved, lapsed, until = self._alike[self._which[place]]
        sites = frozenset(origins)
        return ServedEmbed(
            key, participant, kind, country, language, logo, sites, unlisted, revoked, approved, lapsed, until
        )


def _alike(embed: ServedEmbed) -> _Alike:
    return (
        embed.kind,
        embed.country,
        embed.language,
        embed.logo,
        embed.unlisted,
        embed.revoked,
        embed.approved,
        embed.lapsed,
        embed.until,
    )
