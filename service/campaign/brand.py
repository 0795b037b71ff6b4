"""The brand rules: one source for the rules page, the logo variants and the artwork check."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal, cast, get_args

from pydantic import Field as Setting

from . import colour
from .print_condition import PrintCondition, PrintConditionEntry
from .source import Source, Strict
from .text import Text

Hex = Annotated[str, Setting(pattern=r"^[0-9a-f]{6}$")]
ColourwayId = Annotated[str, Setting(pattern=r"^[a-z][a-z0-9-]*$", max_length=40)]
#: Whole percent of cyan, magenta, yellow and black; empty where none are given.
Cmyk = tuple[Annotated[int, Setting(ge=0, le=100)], ...]
ArtworkRule = Literal[
    "stretched",
    "rotated",
    "flipped",
    "recoloured",
    "clear_space",
    "too_small",
    "low_contrast",
    "cropped",
    "effect",
    "background",
]


class Backgrounds(Strict):
    """On which backgrounds a colourway may stand: measured, with colours always or never allowed.

    ``contrast`` is the least WCAG ratio, which nothing overrides; lightness is CIE L* (0 to 100) and
    chroma CIE C*ab (0 is grey).
    """

    contrast: Annotated[float, Setting(ge=1, le=21)]
    least_lightness: Annotated[float, Setting(ge=0, le=100)] = 0
    most_lightness: Annotated[float, Setting(ge=0, le=100)] = 100
    most_chroma: Annotated[float, Setting(ge=0)] | None = None
    also: tuple[Hex, ...] = ()
    never: tuple[Hex, ...] = ()
    about: Text

    def allow(self, ink: str, background: str) -> bool:
        """Tell whether a logo in the colour ``ink`` may stand on the background; both as ``rrggbb``."""
        background = background.lower()
        if background in self.never or colour.contrast(ink, background) < self.contrast:
            return False
        lightness, chroma = colour.lightness_and_chroma(background)
        fits = self.least_lightness <= lightness <= self.most_lightness
        neutral = self.most_chroma is None or chroma <= self.most_chroma
        return background in self.also or (fits and neutral)


class Colourway(Strict):
    """One colour in which the logo exists, with its values for screen and print."""

    label: Text
    hex: Hex
    cmyk: Cmyk = ()
    spot: Annotated[str, Setting(min_length=1, max_length=60, pattern=r"^[A-Za-z0-9 ]+$")] | None = None
    use: Text
    backgrounds: Backgrounds


class ClearSpace(Strict):
    """The space kept free on every side: a fraction of the logo's width or height."""

    fraction: Annotated[float, Setting(ge=0, le=2)]
    of: Literal["width", "height"]
    about: Text

    def around(self, width: float, height: float) -> float:
        """The space on each side, in the unit of the logo's own width and height."""
        return self.fraction * (width if self.of == "width" else height)


class MinimumSize(Strict):
    """The smallest width at which the logo may be shown, on screen and in print."""

    px: Annotated[int, Setting(ge=1, le=512)]
    mm: Annotated[float, Setting(gt=0, le=1000)]


class LogoRules(Strict):
    """Rules of one logo; its colourways in order of preference."""

    minimum: MinimumSize
    clear_space: ClearSpace
    colourways: Annotated[tuple[ColourwayId, ...], Setting(min_length=1)]
    use: Text


class Change(Strict):
    """One thing that must not be done to the logo; ``limit`` is how much of it is still taken for exact."""

    id: ArtworkRule
    title: Text
    why: Text
    instead: Text
    limit: Annotated[float, Setting(ge=0)] | None = None
    unit: Literal["aspect", "degrees", "delta_e", "clear_space", "width", "contrast", "area"] | None = None


class BrandFile(Strict):
    """``brand.yaml``."""

    about: Text
    colourways: Annotated[dict[ColourwayId, Colourway], Setting(min_length=1)]
    print_colours: Annotated[dict[Hex, Cmyk], Setting(default_factory=dict)]
    print_condition: PrintConditionEntry | None = None
    logos: Annotated[dict[str, LogoRules], Setting(min_length=1)]
    forbidden: tuple[Change, ...]


@dataclass(frozen=True)
class BrandRules:
    """The rules in force for every logo."""

    about: Text
    colourways: Mapping[str, Colourway]
    logos: Mapping[str, LogoRules]
    forbidden: tuple[Change, ...]
    print_colours: Mapping[str, Cmyk] = field(default_factory=dict)
    print_condition: PrintCondition | None = None

    def logo(self, logo: str) -> LogoRules:
        """The rules of one logo; KeyError if there is none of this id."""
        return self.logos[logo]

    def change(self, rule: str) -> Change:
        """The forbidden change with the id of an artwork rule; KeyError if there is none."""
        return {change.id: change for change in self.forbidden}[cast(ArtworkRule, rule)]

    def allowed_on(self, logo: str, background: str) -> tuple[str, ...]:
        """The colourways of a logo that may stand on a background (``rrggbb``), the preferred one first.

        KeyError if there is no such logo, ValueError if the background is no colour.
        """
        colour.parse(background)
        return tuple(name for name in self.logo(logo).colourways if self.colourway_allowed(name, background))

    def colourway_allowed(self, colourway: str, background: str) -> bool:
        """Tell whether a colourway may stand on a background (``rrggbb``)."""
        found = self.colourways[colourway]
        return found.backgrounds.allow(found.hex, background)


def check_brand(source: Source, written: BrandFile, logos: Mapping[str, tuple[str, ...]] | None) -> None:
    """Notes what a schema cannot see. ``logos`` are the colourways of each logo; None if they could not be read."""
    for name, rules in written.logos.items():
        where = ("logos", name)
        if logos is not None and name not in logos:
            known = ", ".join(sorted(logos)) or "none"
            source.mistake(where, f"There is no logo {name} in the assets", f"Correct its name (there are: {known})")
        for index, colourway in enumerate(rules.colourways):
            place = (*where, "colourways", index)
            if colourway not in written.colourways:
                source.mistake(place, f"There is no colourway {colourway}", "Add it under colourways:, or remove it")
            elif colourway in rules.colourways[:index]:
                source.mistake(place, f"{colourway} stands here twice", "Remove one of the two")
            elif logos and name in logos and colourway not in logos[name]:
                source.mistake(place, f"{name} has no master in {colourway}", "Add the master, or remove the colourway")
        for colourway in (logos or {}).get(name, ()):
            if colourway not in rules.colourways:
                source.mistake(
                    (*where, "colourways"), f"{name} has a master in {colourway} that no rule names", "Add it"
                )
    for name in logos or {}:
        if name not in written.logos:
            source.mistake(("logos",), f"The logo {name} has no rules", f"Add {name}: with its rules")
    _check_changes(source, written)


def _check_changes(source: Source, written: BrandFile) -> None:
    ids = [change.id for change in written.forbidden]
    for index, change in enumerate(written.forbidden):
        where = ("forbidden", index)
        if change.id in ids[:index]:
            source.mistake((*where, "id"), f"{change.id} stands here twice", "Keep one of the two")
        if (change.limit is None) != (change.unit is None):
            source.mistake(where, f"{change.id} has a limit without a unit, or the reverse", "Write both, or neither")
    for rule in get_args(ArtworkRule):
        if rule not in ids:
            source.mistake(("forbidden",), f"The rule {rule} is missing", f"Add it: the artwork check reports {rule}")
    for name, colourway in written.colourways.items():
        place = ("colourways", name)
        backgrounds = colourway.backgrounds
        if backgrounds.least_lightness > backgrounds.most_lightness:
            source.mistake((*place, "backgrounds"), "least_lightness is above most_lightness", "Exchange the two")
        _check_cmyk(source, (*place, "cmyk"), colourway.cmyk)
        if colourway.spot and not colourway.cmyk:
            source.mistake(
                (*place, "spot"), "A spot colour needs cmyk too, for printers that have no such ink", "Add it"
            )
        for index, background in enumerate(backgrounds.also):
            ratio = colour.contrast(colourway.hex, background)
            if ratio < backgrounds.contrast:
                source.mistake(
                    (*place, "backgrounds", "also", index),
                    f"{name} on {background} has a contrast of {ratio:.2f}, below {backgrounds.contrast:g}",
                    "Remove the colour",
                )
    for name, cmyk in written.print_colours.items():
        _check_cmyk(source, ("print_colours", name), cmyk)


def _check_cmyk(source: Source, where: tuple[str | int, ...], cmyk: Cmyk) -> None:
    if cmyk and len(cmyk) != 4:
        source.mistake(where, "cmyk has four values", "Write it as [cyan, magenta, yellow, black]")
