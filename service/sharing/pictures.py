"""Pictures for Open Graph and oEmbed: a page's title beside the logo, set by typst, each made once and kept.

Right-to-left and Chinese text is set as such, in the faces that come with the service, so a picture is the same on
every machine.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cachetools import LRUCache

from ..campaign import WITHOUT_BLANKS, Campaign, colour
from ..png import Effort, optimised_apart
from ..storage import Storage

if TYPE_CHECKING:
    import typst

#: Width and height in pixels: the 1.91 to 1 that networks show large.
SIZE = (1200, 630)
_HERE = Path(__file__).parent
_TEMPLATE = _HERE / "picture.typ"
_MADE = 1  # raise it where the same card gives another picture
_KEPT = 64  # pictures in memory, of some 30 KB each
_BOX = 300.0  # points of the square in which the logo stands


@dataclass(frozen=True)
class Card:
    """Content of a picture. ``ground`` and ``ink`` are ``rrggbb``, ``logo`` an SVG document, ``preview`` a PNG."""

    language: str
    title: str
    campaign: str
    ground: str
    ink: str
    logo: bytes = field(repr=False)
    aspect_ratio: float = 1.0
    preview: bytes | None = field(default=None, repr=False)

    @classmethod
    def of(cls, campaign: Campaign, logo: str, language: str, title: str, preview: bytes | None = None) -> Card:
        """Return the card of a page: on the campaign's first colour, the logo in a colourway that may stand there."""
        found, brand = campaign.logos[logo], campaign.brand
        ground = brand.colourways[found.colourways[0]].hex
        allowed = brand.allowed_on(logo, ground)
        if not allowed:  # no colourway may stand on the colour of the logo itself
            ground = max(("ffffff", "101820"), key=lambda one: len(brand.allowed_on(logo, one)))
            allowed = brand.allowed_on(logo, ground) or found.colourways
        ink = max(("ffffff", "0d1b2a"), key=lambda one: colour.contrast(one, ground))
        return cls(
            language=language,
            title=title,
            campaign=campaign.info.name.get(language),
            ground=ground,
            ink=ink,
            logo=found.drawing(allowed[0]).plain(),
            aspect_ratio=found.aspect_ratio,
            preview=preview,
        )

    @property
    def digest(self) -> str:
        """SHA-256 over everything that shows, and over how it is drawn."""
        shown = [_MADE, self.language, self.title, self.campaign, self.ground, self.ink, f"{self.aspect_ratio:.6f}"]
        digest = hashlib.sha256(json.dumps(shown, ensure_ascii=False).encode())
        for part in (self.logo, self.preview or b""):
            digest.update(hashlib.sha256(part).digest())
        return digest.hexdigest()


class SharePictures:
    """The pictures of a deployment, kept in storage under what they show. Safe to share between threads."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._recent: LRUCache[str, bytes] = LRUCache(_KEPT)
        self._lock = threading.Lock()
        self._drawing = threading.Lock()  # one at a time: it takes a core for a fifth of a second
        self._compiler: typst.Compiler | None = None

    def png(self, card: Card) -> bytes:
        """Return the picture, 1200 by 630 pixels. Raises Unavailable where the storage does not answer."""
        digest = card.digest
        with self._lock:
            if (known := self._recent.get(digest)) is not None:
                return known
        key = f"shared/{digest}.png"
        made = self._storage.find(key)
        if made is None:
            with self._drawing:
                made = self._storage.find(key) or self._drawn(card)
                self._storage.put_new(key, made, "image/png")
        with self._lock:
            self._recent[digest] = made
        return made

    def _drawn(self, card: Card) -> bytes:
        import typst  # here, because most processes never draw one

        from ..typesetting import fonts

        if self._compiler is None:
            nowhere = _HERE / "no-packages"  # nothing is fetched
            self._compiler = typst.Compiler(
                root=_HERE,
                font_paths=fonts(),
                ignore_system_fonts=True,
                package_path=nowhere,
                package_cache_path=nowhere,
            )
        data = {
            "language": card.language,
            "title": card.title,
            # Words that may not be broken.
            "words": [] if card.language in WITHOUT_BLANKS else re.split(r"[\s/-]+", card.title),
            "campaign": card.campaign,
            "ground": f"#{card.ground}",
            "ink": f"#{card.ink}",
            "logo": card.logo.decode(),
            "logo_width": min(_BOX, _BOX * card.aspect_ratio),
            "preview": list(card.preview) if card.preview else None,
        }
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", typst.TypstWarning)
            made: Any = self._compiler.compile(
                _TEMPLATE,
                format="png",
                ppi=72.0,
                sys_inputs={"data": json.dumps(data, ensure_ascii=False)},
            )
        assert isinstance(made, bytes)
        return optimised_apart(made, Effort.QUICK)
