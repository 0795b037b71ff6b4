"""What people do to a logo on the third generator's sheets, as SVG: effects, things too close, and things on it."""

from __future__ import annotations

import re
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from service.campaign import Campaign

from .filters import different, hex_of
from .grounds import Array, Random
from .inks import wide
from .lookalikes import sign

EFFECTS = ("extruded", "stroke", "sticker", "radial", "gloss", "shadow", "neon", "see_through")


@dataclass(frozen=True)
class Placing:
    """Where a logo is on a sheet, in points."""

    logo: str
    matrix: npt.NDArray[np.float64]  # from the unit square of the master
    box: tuple[float, float, float, float]  # left, top, width, height of the ink
    space: float  # that has to be clear


def with_effect(campaign: Campaign, placed: Placing, random: Random, ink: Array, ground: Array, effect: str) -> str:
    """The master in its place, with one of ``EFFECTS`` or none."""
    found, matrix, high = campaign.logos[placed.logo], placed.matrix, placed.box[3]
    document = found.drawing(found.colourways[0]).document(1000, 400).decode()
    sizes = re.search(r'viewBox="([^"]+)"', document)
    assert sizes is not None
    x0, y0, w, h = (float(value) for value in sizes.group(1).split())
    unit = matrix @ np.array([[1 / w, 0, -x0 / w], [0, 1 / h, -y0 / h], [0, 0, 1]])
    a, c, e, b, d, f = (round(float(value), 6) for value in unit[:2].ravel())
    place = f"transform='matrix({a} {b} {c} {d} {e} {f})'"
    paths = re.findall(r'<path[^>]*\bd="([^"]+)"', document)
    own = "".join(f"<path d='{path}'/>" for path in paths)
    fill, other = hex_of(ink), hex_of(different(random, ground, ink))

    def painted(colour: str, thick: float = 0.0) -> str:
        edge = f" stroke='{colour}' stroke-width='{thick:.1f}' stroke-linejoin='round'" if thick else ""
        return f"<g {place} fill='{colour}'{edge}>{own}</g>"

    plain = painted(fill)
    if effect == "extruded":
        away, dark = random.uniform(0.03, 0.07) * high + 1, hex_of(0.55 * ink + 0.1 * (255 - ink))
        shifts = [away * step / 10 for step in range(10, 0, -1)]
        return "".join(f"<g transform='translate({by:.2f} {by:.2f})'>{painted(dark)}</g>" for by in shifts) + plain
    if effect == "stroke":
        return painted(other, random.uniform(0.05, 0.1) * h) + plain
    if effect == "sticker":
        return painted(hex_of(different(random, ground, ground)), 0.15 * h) + painted("#fff", 0.1 * h) + plain
    if effect == "radial":
        stops = f"<stop offset='0' stop-color='{fill}'/><stop offset='1' stop-color='{other}'/>"
        shape = f"gradientUnits='userSpaceOnUse' cx='{w / 2}' cy='{h / 2}' r='{0.6 * w}'"
        return f"<radialGradient id='r' {shape}>{stops}</radialGradient>" + painted("url(#r)")
    if effect == "gloss":
        light, strong = ("#fff", 0.45) if ink.mean() < 200 else ("#000", 0.3)
        clip = "".join(f"<path d='{path}' {place}/>" for path in paths)
        shine = f"<ellipse cx='{w / 2}' cy='{0.1 * h}' rx='{0.75 * w}' ry='{0.42 * h}' fill='{light}'/>"
        lit = f"<g clip-path='url(#k)' opacity='{strong}'><g {place}>{shine}</g></g>"
        return f"<clipPath id='k'>{clip}</clipPath>{plain}{lit}"
    if effect in ("shadow", "neon"):
        soft = random.uniform(0.015, 0.05) * high + 0.8
        angle, far = random.uniform(0, 2 * np.pi), random.uniform(0.03, 0.06) * high + 1
        under, times = painted("#000" if ground.mean() > 90 else "#fff"), 1
        if effect == "neon":
            far, under, times = 0.0, painted(other), 2
        moved = f"translate({far * np.cos(angle):.2f} {far * np.sin(angle):.2f})"
        area = "x='-.4' y='-.4' width='1.8' height='1.8'"
        blurred = f"<g filter='url(#s)' opacity='.8'><g transform='{moved}'>{under}</g></g>" * times
        return f"<filter id='s' {area}><feGaussianBlur stdDeviation='{soft:.2f}'/></filter>{blurred}{plain}"
    return f"<g opacity='{random.uniform(0.45, 0.72):.2f}'>{plain}</g>" if effect == "see_through" else plain


def crowding(placed: Placing, random: Random, ground: Array, size: tuple[int, int]) -> str | None:
    """A button, a disc, a cross or lines of text in the clear space; None where the sheet has no room for it."""
    x, y, w, h = placed.box
    gap = random.uniform(0.1, 0.58) * placed.space
    paint, side = hex_of(different(random, ground, ground)), int(random.integers(4))
    thick = float(random.uniform(0.25, 0.8) * h + 5)
    left = (x - gap - thick, x + random.uniform(0, max(0.0, w - thick)), x + w + gap, x)[side]
    top = (y + random.uniform(0, max(0.0, h - thick)), y - gap - thick, y, y + h + gap)[side]
    if gap < 2.5 or left < 0 or top < 0 or left + thick > size[0] or top + thick > size[1]:
        return None
    kind = int(random.integers(4))
    if kind == 0:
        return f"<rect x='{left}' y='{top}' width='{thick}' height='{thick}' rx='{thick / 5}' fill='{paint}'/>"
    if kind == 1:
        r = thick / 2
        return f"<circle cx='{left + r}' cy='{top + r}' r='{r}' fill='{paint}'/>"
    if kind == 2:
        return sign("cross", (left - thick / 10, top - thick / 10, 1.2 * thick, 1.2 * thick), paint)
    lines = ((0.0, 1.0), (0.42, 1.0), (0.86, 0.6))
    return "".join(
        f"<rect x='{left}' y='{top + at * thick}' width='{long * thick}' height='{0.14 * thick}' fill='{paint}'/>"
        for at, long in lines
    )


def covered(
    campaign: Campaign, placed: Placing, random: Random, shown: str, paint: str, size: tuple[int, int]
) -> str | None:
    """The logo in a profile picture's round frame, or under a ribbon, a card or the edge of another field."""
    x, y, w, h = placed.box
    mask = cv2.resize(wide(campaign, placed.logo), (200, 80), interpolation=cv2.INTER_AREA)
    rows, columns = np.nonzero(mask > 0.5)
    px, py = (placed.matrix @ np.stack([(columns + 0.5) / 200, (rows + 0.5) / 80, np.ones(len(rows))]))[:2]
    for _ in range(40):
        kind = int(random.integers(4))
        cx, cy = x + w * random.uniform(0.1, 0.9), y + h * random.uniform(0.1, 0.9)
        if kind == 0:
            r = random.uniform(0.36, 0.56) * max(w, h)
            cx, cy = x + w * random.uniform(0.4, 0.6), y + h * random.uniform(0.4, 0.6)
            gone = np.hypot(px - cx, py - cy) > r
            disc = f"cx='{cx}' cy='{cy}' r='{r}'"
            made = f"<clipPath id='c'><circle {disc}/></clipPath><g clip-path='url(#c)'>{shown}</g>"
            if random.random() < 0.5:
                made += f"<circle {disc} fill='none' stroke='{paint}' stroke-width='{0.04 * r}'/>"
        elif kind == 1:
            angle, thick = random.uniform(-60, 60), random.uniform(0.12, 0.3) * h
            turn = np.radians(angle)
            gone = np.abs(-(px - cx) * np.sin(turn) + (py - cy) * np.cos(turn)) < thick / 2
            band = f"x='{cx - 2 * w}' y='{cy - thick / 2}' width='{4 * w}' height='{thick}' fill='{paint}'"
            made = f"{shown}<rect {band} transform='rotate({angle:.2f} {cx} {cy})'/>"
        elif kind == 2:
            r = random.uniform(0.2, 0.42) * h
            cx, cy = x + w * random.choice([0.05, 0.95]), y + h * random.choice([0.1, 0.9])
            gone = np.maximum(np.abs(px - cx), np.abs(py - cy)) < r
            card = f"x='{cx - r}' y='{cy - r}' width='{2 * r}' height='{2 * r}' rx='{r / 8}' fill='{paint}'"
            made = f"{shown}<rect {card}/>"
        else:
            cut, across = random.uniform(0.1, 0.3), random.random() < 0.5
            gone = py > y + h * (1 - cut) if across else px < x + w * cut
            left, top = (0.0, y + h * (1 - cut)) if across else (x - 0.4 * h, 0.0)
            wide_, high = (size[0], h * (cut + 0.4)) if across else (0.4 * h + w * cut, size[1])
            made = f"{shown}<rect x='{left}' y='{top}' width='{wide_}' height='{high}' fill='{paint}'/>"
        if 0.09 < float(gone.mean()) < 0.33:
            return made
    return None
