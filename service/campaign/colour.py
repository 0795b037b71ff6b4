"""Colours as the brand rules measure them: WCAG contrast, CIE lightness and chroma."""

from __future__ import annotations

import math
import re


def parse(colour: str) -> tuple[float, float, float]:
    """Red, green and blue from 0 to 1 of six hexadecimal digits; ValueError otherwise."""
    if not re.fullmatch("[0-9a-fA-F]{6}", colour):
        raise ValueError(f"{colour!r} is no colour; write six hexadecimal digits such as ffffff")
    red, green, blue = (int(colour[start : start + 2], 16) / 255 for start in (0, 2, 4))
    return red, green, blue


def luminance(colour: str) -> float:
    """Relative luminance from 0 (black) to 1 (white), as in WCAG 2.2."""
    red, green, blue = (_linear(channel) for channel in parse(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """The WCAG contrast ratio of two colours, from 1 to 21."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def lightness_and_chroma(colour: str) -> tuple[float, float]:
    """CIE L* (0 black to 100 white) and C*ab (0 grey to about 130) under D65."""
    red, green, blue = (_linear(channel) for channel in parse(colour))
    x = (0.4124 * red + 0.3576 * green + 0.1805 * blue) / 0.9505
    y = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    z = (0.0193 * red + 0.1192 * green + 0.9505 * blue) / 1.089
    fx, fy, fz = _root(x), _root(y), _root(z)
    return 116 * fy - 16, math.hypot(500 * (fx - fy), 200 * (fy - fz))


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4


def _root(value: float) -> float:
    return math.cbrt(value) if value > (6 / 29) ** 3 else value / (3 * (6 / 29) ** 2) + 4 / 29
