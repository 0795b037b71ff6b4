"""The table of formats that logo variants come in. Another format is a row here and its encoder in ``encoders/``.

Importing it is cheap: encoders, and the libraries behind them, are loaded with the first picture they encode.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Protocol, cast

from ..media_types import MEDIA_TYPES

if TYPE_CHECKING:
    from .render import Picture

#: What a URL says instead of a format to leave the choice to what the browser accepts.
AUTO = "auto"


class Encoder(Protocol):
    """A module of ``encoders/``."""

    def encode(self, picture: Picture, ahead: bool) -> bytes:
        """Encode a picture; ``ahead`` says that nobody waits for it, so that fewer bytes are worth more time."""


@dataclass(frozen=True)
class Format:
    """One format: its name is also the extension in URLs.

    ``encoder`` is the module of ``encoders/`` that writes it; the drawing itself has none. ``packages`` are the
    distributions that the encoder needs and whose versions decide its bytes; where one is not installed, the
    format is not offered. ``fine`` is the width from which on what is made ahead is drawn more finely for it: what its
    encoder loses comes on top of what drawing loses. 0 is never. ``share_ahead`` is what a picture that is made ahead
    takes of the bytes that it takes on demand, about.
    """

    name: str
    media_type: str
    encoder: str = ""
    packages: tuple[str, ...] = ()
    fine: int = 0
    share_ahead: float = 1.0

    def drawn_finely(self, width: int, ahead: bool) -> bool:
        """Return whether a picture of this width in pixels is drawn more finely for it."""
        return ahead and 0 < self.fine <= width

    @property
    def missing(self) -> tuple[str, ...]:
        """The distributions that it needs and that are not installed."""
        return tuple(name for name in self.packages if installed(name) is None)

    def load(self) -> Encoder:
        """Import the format's encoder."""
        return cast(Encoder, import_module(f".encoders.{self.encoder}", __package__))


def installed(package: str) -> str | None:
    """The version of an installed distribution, or None."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


#: Every format, the most widely shown first: where two are equally welcome and equally small, the first is sent.
TABLE = (
    Format("svg", MEDIA_TYPES["svg"]),
    Format("png", MEDIA_TYPES["png"], "png", ("deflate", "pyoxipng", "pyvips", "zlib-ng"), share_ahead=0.97),
    Format("webp", MEDIA_TYPES["webp"], "webp", ("pillow", "pyvips")),
    Format("avif", MEDIA_TYPES["avif"], "avif", ("pillow",), fine=150, share_ahead=0.88),
    Format("jxl", MEDIA_TYPES["jxl"], "jxl", ("pylibjxl",), share_ahead=0.8),
)
#: The formats that can be made here, by name, in the table's order.
FORMATS = {row.name: row for row in TABLE if not row.missing}
#: Those of them that are made of pixels, and so are rendered once and kept.
RASTERS = tuple(name for name, row in FORMATS.items() if row.encoder)
