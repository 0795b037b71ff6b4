"""Figures of the rules page, worked out from the brand rules: sizes, clear space, and what may stand where."""

from __future__ import annotations

from dataclasses import dataclass

from ...campaign.brand import Colourway, LogoRules
from ...campaign.loader import Campaign
from ...campaign.manifests import Logo
from ...campaign.text import msgid

CANVAS = (240, 160)  # units of a figure's view box
#: Backgrounds that the page tries the rules on, by what people call them.
BACKGROUNDS = (
    ("ffffff", msgid("White")),
    ("f4f6f9", msgid("Very light grey")),
    ("cfe2f5", msgid("Pale blue")),
    ("ffd666", msgid("Yellow")),
    ("8a949e", msgid("Grey")),
    ("0b5cad", msgid("Blue")),
    ("a3211f", msgid("Dark red")),
    ("101820", msgid("Nearly black")),
)


@dataclass(frozen=True)
class Box:
    """A logo's place in a figure."""

    logo: str
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class LogoFigure:
    """One logo with its rules, its place in a figure with the clear space round it, and its colourways."""

    logo: Logo
    rules: LogoRules
    box: Box
    space: float
    colourways: tuple[tuple[str, Colourway], ...]


@dataclass(frozen=True)
class SampleBackground:
    """A background and, for each colourway, whether the rules allow it there."""

    colour: str
    name: str
    ink: str
    cells: tuple[tuple[str, Colourway, bool], ...]


def centred(logo: Logo, height: float, widest: float) -> Box:
    """Return the logo in the middle of a figure: as high as that, or as wide as ``widest`` where it would be wider."""
    width = height * logo.aspect_ratio
    if width > widest:
        width, height = widest, widest / logo.aspect_ratio
    return Box(logo.id, (CANVAS[0] - width) / 2, (CANVAS[1] - height) / 2, width, height)


def of_logo(campaign: Campaign, logo: Logo) -> LogoFigure:
    """Return the figure and the rules of one logo."""
    rules = campaign.brand.logo(logo.id)
    box = centred(logo, 78, 150)
    colourways = tuple((name, campaign.brand.colourways[name]) for name in rules.colourways)
    return LogoFigure(logo, rules, box, rules.clear_space.around(box.width, box.height), colourways)


def example(campaign: Campaign, logo: str) -> Box:
    """Return the place of the logo in the pictures of what must not be done."""
    return centred(campaign.logos[logo], 72, 150)


def backgrounds(campaign: Campaign, logo: str) -> list[SampleBackground]:
    """Return what the rules say of one logo on each sample background."""
    brand = campaign.brand
    found = []
    for colour, name in BACKGROUNDS:
        allowed = brand.allowed_on(logo, colour)
        cells = tuple((way, brand.colourways[way], way in allowed) for way in brand.logo(logo).colourways)
        found.append(SampleBackground(colour, name, f"#{colour}", cells))
    return found
