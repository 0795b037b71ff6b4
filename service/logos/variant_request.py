"""The variant that a URL asks for, checked against ladder and rules before anything is made."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any

from ..campaign import Logo
from ..campaign.brand import BrandRules
from ..problems import (
    BelowMinimumSize,
    ColourwayNotAllowedOnBackground,
    FieldError,
    InvalidBackground,
    NotFound,
    UnknownColourway,
    UnknownFormat,
    UnknownLogo,
    WidthNotOffered,
)
from . import ladder
from .formats import AUTO, FORMATS

_WIDTH = re.compile(r"(?:0|[1-9][0-9]*)", re.ASCII)
_COLOUR = re.compile(r"[0-9a-fA-F]{6}", re.ASCII)
_BEYOND = 10**6  # a width that is not offered, whatever follows


@dataclass(frozen=True, slots=True)
class VariantRequest:
    """One variant of a logo.

    ``width`` is the logo's own in pixels; ``space`` adds the clear space around it. ``coding`` is the content coding
    (RFC 9110, 8.4) in which a drawing is sent; pictures made of pixels have none.
    """

    logo: str
    colourway: str
    width: int
    format: str  # one of FORMATS, or AUTO where it is still to be negotiated
    space: bool = False
    coding: str = ""

    @property
    def name(self) -> str:
        """The variant as reports name it: ``{colourway}/{width}.{format}``."""
        return f"{self.colourway}/{self.width}.{self.format}"

    @property
    def path(self) -> str:
        """The part of a URL that names it."""
        return f"{self.logo}/{self.name}" + ("?space=1" if self.space else "")


def split_name(file: str) -> tuple[int, str]:
    """Read width and format of ``{width}.{format}``.

    Raises UnknownFormat for a format that is not offered, NotFound for a width that is no canonical decimal.
    """
    width, dot, given = file.partition(".")
    if not dot or given not in (*FORMATS, AUTO):
        raise UnknownFormat(f"Use one of {', '.join(FORMATS)} or {AUTO} after the width, such as 256.{AUTO}.")
    if not _WIDTH.fullmatch(width):
        raise NotFound("The width is a plain whole number of pixels, such as 256.")
    return (int(width) if len(width) < 7 else _BEYOND), given


class VariantRules:
    """Check requests against the logos, the ladder and the brand rules. Does no work and keeps no state."""

    def __init__(self, logos: dict[str, Logo], brand: BrandRules) -> None:
        self._logos = logos
        self._brand = brand
        self._minimum = {name: brand.logo(name).minimum.px for name in logos}
        self._largest = {(name, space): self._find_largest(name, space) for name in logos for space in (False, True)}

    def minimum(self, logo: str) -> int:
        """The smallest width of a logo in pixels."""
        return self._minimum[logo]

    def largest(self, logo: str, space: bool = False) -> int:
        """The largest width of a logo in pixels, without or with the clear space around it."""
        return self._largest[logo, space]

    def padding(self, logo: str, width: int) -> int:
        """The pixels of clear space on each side of a logo of this width: what the rules require, rounded up."""
        return math.ceil(self._brand.logo(logo).clear_space.around(width, width / self._logos[logo].aspect_ratio))

    def check(
        self, logo: str, colourway: str, width: int, kind: str, on: str | None = None, space: bool = False
    ) -> VariantRequest:
        """The request, if all of it is right; else raise the problem that says what is wrong with it.

        ``extra["use"]`` or ``extra["nearest"]`` of a problem say what would be right; ``extra["try"]`` is the
        nearest right ``{logo}/{colourway}/{width}.{format}``.
        """
        if logo not in self._logos:
            raise UnknownLogo(f"There are: {', '.join(sorted(self._logos))}.")
        if kind not in (*FORMATS, AUTO):
            raise UnknownFormat
        if on is not None and not _COLOUR.fullmatch(on):
            raise InvalidBackground(errors=[FieldError("?on", "Six hexadecimal digits without #, such as 0b5cad.")])
        colourways = self._logos[logo].colourways
        if colourway not in colourways:
            raise UnknownColourway(
                f"There are: {', '.join(colourways)}.",
                extra={"use": list(colourways), **self._try(logo, colourway, width, kind, on, space)},
            )
        minimum, largest = self._minimum[logo], self._largest[logo, space]
        if width < minimum:
            raise BelowMinimumSize(
                f"The rules allow this logo from {minimum} pixels of width; ask for that.",
                extra={"minimum": minimum, **self._try(logo, colourway, width, kind, on, space)},
            )
        if not ladder.offered(width, minimum, largest):
            near = ladder.nearest(width, minimum, largest)
            raise WidthNotOffered(
                f"Every width from {minimum} to {ladder.EVERY_UP_TO} is offered, and multiples of {ladder.STEP} up to"
                f" {largest}. Ask for {near[0]} or {near[1]} and let the browser scale it.",
                extra={"nearest": list(near), **self._try(logo, colourway, width, kind, on, space)},
            )
        if on is not None and not self._brand.colourway_allowed(colourway, on.lower()):
            use = list(self._brand.allowed_on(logo, on.lower()))
            raise ColourwayNotAllowedOnBackground(
                f"On {on.lower()} use {' or '.join(use)}." if use else "No colourway may stand there.",
                extra={"use": use, **self._try(logo, colourway, width, kind, on, space)},
            )
        return VariantRequest(logo, colourway, width, kind, space)

    def _try(self, logo: str, colourway: str, width: int, kind: str, on: str | None, space: bool) -> dict[str, Any]:
        """The nearest right variant with its query, to be put behind an embed's address."""
        minimum, largest = self._minimum[logo], self._largest[logo, space]
        allowed = self._brand.allowed_on(logo, on.lower()) if on else self._logos[logo].colourways
        if not allowed:
            return {}
        if colourway not in allowed:
            colourway = allowed[0]
        if not ladder.offered(width, minimum, largest):
            below, above = ladder.nearest(width, minimum, largest)
            width = below if width < minimum or width - below < above - width else above
        query = "&".join(part for part in (f"on={on.lower()}" if on else "", "space=1" if space else "") if part)
        return {"try": f"{logo}/{colourway}/{width}.{kind}" + (f"?{query}" if query else "")}

    def _find_largest(self, logo: str, space: bool) -> int:
        def size(width: int) -> tuple[int, int]:
            around = 2 * self.padding(logo, width) if space else 0
            return width + around, round(width / self._logos[logo].aspect_ratio) + around

        return ladder.largest(self._minimum[logo], size)
