"""The inks of print: how each colour of the campaign is printed, as the brand rules name it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from ..campaign.brand import BrandRules


@dataclass(frozen=True)
class PrintInk:
    """Ink of a colour: percent of cyan, magenta, yellow and black, and the name of a spot colour if it has one.

    ``name`` is what the brand rules call it.
    """

    name: str
    cmyk: tuple[int, ...]
    spot: str | None = None

    def as_json(self) -> list[Any]:
        """The ink as a digest of sources counts it."""
        return [list(self.cmyk), self.spot]


Inks = Mapping[str, PrintInk]  # by the colour as ``rrggbb``
NO_INKS: Inks = MappingProxyType({})


def print_inks_of(brand: BrandRules) -> Inks:
    """The inks that the brand rules name: of the colourways, and of the other colours of the campaign's tools."""
    found = {colour: PrintInk(colour, cmyk) for colour, cmyk in brand.print_colours.items() if cmyk}
    for name, colourway in brand.colourways.items():
        if colourway.cmyk:
            found[colourway.hex] = PrintInk(name, colourway.cmyk, colourway.spot)
    return found
