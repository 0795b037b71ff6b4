"""Effects on a logo as drawing programs write them into an SVG: filters, gradients, opacity."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from service.artwork import colours

from . import grounds
from .grounds import Array, Random

EFFECTS = ("shadow", "hard shadow", "glow", "outline", "gradient", "bevel", "see_through")


def hex_of(colour: npt.ArrayLike) -> str:
    return "#" + colours.written(colour)


def different(random: Random, ground: Array, ink: Array) -> Array:
    """A colour that neither the ground nor the ink is near to."""
    for _ in range(200):
        colour = grounds.colour_of(random)
        if min(float(colours.difference(colour, other)) for other in (ground, ink)) > 25:
            return colour
    return np.array([0, 0, 0] if ground.mean() > 128 else [255, 255, 255], np.float32)


def _filtered(
    defs: list[str], steps: str, merged: str = '<feMergeNode in="c"/><feMergeNode in="SourceGraphic"/>'
) -> str:
    defs.append(
        f'<filter id="f" x="-30%" y="-30%" width="160%" height="160%" color-interpolation-filters="sRGB">{steps}'
        f"<feMerge>{merged}</feMerge></filter>"
    )
    return ' filter="url(#f)"'


def attribute_of(
    defs: list[str],
    random: Random,
    effect: str,
    high: float,
    ground: Array,
    ink: Array,
    view: tuple[float, float, float, float],
) -> str:
    """The attribute that gives a logo ``high`` pixels high an effect; what it refers to is added to ``defs``."""
    x0, y0, w, h = view
    dark = ground.mean() > 110
    tone, other = ("#000" if dark else "#fff"), hex_of(different(random, ground, ink))
    extra = ""
    if effect == "shadow":
        dx, dy = random.uniform(0.02, 0.05) * high, random.uniform(0.02, 0.05) * high
        blur, strength = random.uniform(0.01, 0.04) * high, random.uniform(0.4, 0.8)
        extra = _filtered(
            defs,
            f'<feGaussianBlur in="SourceAlpha" stdDeviation="{blur:.2f}"/><feOffset dx="{dx:.2f}" dy="{dy:.2f}"/>'
            f'<feComponentTransfer result="s"><feFuncA type="linear" slope="{strength:.2f}"/></feComponentTransfer>'
            f'<feFlood flood-color="{tone}"/><feComposite in2="s" operator="in" result="c"/>',
        )
    elif effect == "hard shadow":
        away = random.uniform(0.025, 0.06) * high
        extra = _filtered(
            defs,
            f'<feOffset in="SourceAlpha" dx="{away:.2f}" dy="{away:.2f}" result="s"/><feFlood flood-color="{tone}"'
            f' flood-opacity="{random.uniform(0.3, 0.7):.2f}"/><feComposite in2="s" operator="in" result="c"/>',
        )
    elif effect == "glow":
        blur = random.uniform(0.03, 0.08) * high
        extra = _filtered(
            defs,
            f'<feGaussianBlur in="SourceAlpha" stdDeviation="{blur:.2f}"/><feComponentTransfer result="s"><feFuncA'
            f' type="linear" slope="{random.uniform(0.9, 1.8):.2f}"/></feComponentTransfer>'
            f'<feFlood flood-color="{other}"/><feComposite in2="s" operator="in" result="c"/>',
        )
    elif effect == "outline":
        radius = max(1.5, random.uniform(0.015, 0.05) * high)
        extra = _filtered(
            defs,
            f'<feMorphology in="SourceAlpha" operator="dilate" radius="{radius:.2f}" result="s"/>'
            f'<feFlood flood-color="{other}"/><feComposite in2="s" operator="in" result="c"/>',
        )
    elif effect == "gradient":
        strong = hex_of(ink + random.uniform(0.45, 0.8) * (different(random, ground, ink) - ink))
        turn = random.uniform(0, 360)
        defs.append(
            f'<linearGradient id="g" gradientUnits="userSpaceOnUse" x1="{x0}" x2="{x0 + w}" y1="0" y2="0"'
            f' gradientTransform="rotate({turn:.0f} {x0 + w / 2} {y0 + h / 2})">'
            f'<stop offset="0" stop-color="{hex_of(ink)}"/><stop offset="1" stop-color="{strong}"/></linearGradient>'
        )
    elif effect == "bevel":
        soft = max(0.8, random.uniform(0.012, 0.03) * high)
        away, strength = max(1.0, 0.02 * high), random.uniform(0.45, 0.8)

        def edge(sign: int, colour: str, name: str) -> str:
            return (
                f'<feOffset in="SourceAlpha" dx="{sign * away:.2f}" dy="{sign * away:.2f}"/><feGaussianBlur'
                f' stdDeviation="{soft:.2f}" result="o"/><feComposite in="SourceAlpha" in2="o" operator="out"'
                f' result="r"/><feFlood flood-color="{colour}" flood-opacity="{strength:.2f}"/>'
                f'<feComposite in2="r" operator="in" result="{name}"/>'
            )

        extra = _filtered(
            defs,
            edge(1, "#fff", "hi") + edge(-1, "#000", "lo"),
            '<feMergeNode in="SourceGraphic"/><feMergeNode in="hi"/><feMergeNode in="lo"/>',
        )
    elif effect == "see_through":
        extra = f' opacity="{random.uniform(0.45, 0.75):.2f}"'
    return extra
