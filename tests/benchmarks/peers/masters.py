"""The masters that all programs get: of the shipped campaign, each as SVG, and as the largest exact PNG and WebP."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import pyvips
from PIL import Image, ImageColor

from service.campaign import load
from service.campaign.brand import BrandRules
from service.settings import shipped
from service.svg import Drawing

_SOURCE_WIDTHS = {"lockup": 2600, "heart": 2200}  # their heights are whole, so that no peer sees another shape
_TRIED_BACKGROUNDS = ("ffffff", "e6e6e6", "f2c200", "0b5cad", "000000")


@dataclass(frozen=True)
class Master:
    """One master; ``backgrounds`` are those of the tried ones that the rules allow it on."""

    logo: str
    colourway: str
    svg: bytes
    drawing: Drawing
    backgrounds: tuple[str, ...]

    @property
    def name(self) -> str:
        """How files and tables call it."""
        return f"{self.logo}-{self.colourway}"


def masters() -> list[Master]:
    """Two shapes, and one of them on dark grounds too."""
    campaign = load(shipped("policies"), shipped("assets"))
    chosen = (("lockup", "blue"), ("lockup", "white"), ("heart", "blue"))
    return [_master(campaign.brand, *pair, campaign.logos[pair[0]].drawing(pair[1])) for pair in chosen]


def _master(brand: BrandRules, logo: str, colourway: str, drawing: Drawing) -> Master:
    allowed = tuple(ground for ground in _TRIED_BACKGROUNDS if brand.colourway_allowed(colourway, ground))
    return Master(logo, colourway, drawing.plain(), drawing, allowed)


def write_sources(folder: Path, all_masters: list[Master], inks: dict[str, str]) -> None:
    """Writes each master into ``folder`` as the peers read it; ``inks`` has the colour of each colourway."""
    folder.mkdir(parents=True, exist_ok=True)
    for master in all_masters:
        (folder / f"{master.name}.svg").write_bytes(master.svg)
        width = _SOURCE_WIDTHS[master.logo]
        height = master.drawing.height(width)
        large = pyvips.Image.svgload_buffer(master.drawing.document(3 * width, 3 * height, fill=True), unlimited=True)
        alpha = Image.frombytes("L", (width, height), bytes(large.extract_band(3).shrink(3, 3).write_to_memory()))
        ink = ImageColor.getrgb(f"#{inks[master.colourway]}")
        image = Image.merge("RGBA", [*(Image.new("L", alpha.size, channel) for channel in ink[:3]), alpha])
        for kind, options in (("PNG", {"optimize": True}), ("WEBP", {"lossless": True})):
            out = io.BytesIO()
            image.save(out, kind, **options)
            (folder / f"{master.name}.{kind.lower()}").write_bytes(out.getvalue())
