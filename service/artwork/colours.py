"""Colours of pictures as people see them: CIE L*a*b*, CIEDE2000 and WCAG luminance, for arrays of sRGB."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

_TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
_WHITE = _TO_XYZ.sum(axis=1)


def linear(srgb: npt.ArrayLike) -> Floats:
    """Linear light from 0 to 1 of sRGB values from 0 to 255."""
    value = np.clip(np.asarray(srgb, np.float64) / 255, 0, 1)
    return np.asarray(np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4), np.float64)


def lab(srgb: npt.ArrayLike) -> Floats:
    """CIE L*a*b* under D65 of sRGB colours (…, 3) from 0 to 255."""
    xyz = linear(srgb) @ _TO_XYZ.T / _WHITE
    root = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz / (3 * (6 / 29) ** 2) + 4 / 29)
    x, y, z = root[..., 0], root[..., 1], root[..., 2]
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)


def luminance(srgb: npt.ArrayLike) -> Floats:
    """Relative luminance from 0 to 1, as in WCAG 2.2."""
    return np.asarray(linear(srgb) @ np.array([0.2126, 0.7152, 0.0722]), np.float64)


def contrast(one: npt.ArrayLike, other: npt.ArrayLike) -> Floats:
    """The WCAG contrast ratio of sRGB colours, from 1 to 21."""
    first, second = luminance(one), luminance(other)
    return (np.maximum(first, second) + 0.05) / (np.minimum(first, second) + 0.05)


def rgb(written: str) -> Floats:
    """The colour of six hexadecimal digits, 0 to 255."""
    return np.array([int(written[start : start + 2], 16) for start in (0, 2, 4)], np.float64)


def written(srgb: npt.ArrayLike) -> str:
    """A colour as six hexadecimal digits."""
    return bytes(np.clip(np.rint(np.asarray(srgb)), 0, 255).astype(np.uint8).tolist()).hex()


def difference(one: npt.ArrayLike, other: npt.ArrayLike) -> Floats:
    """CIEDE2000 of two sRGB colours, as in CIE 142:2001 with unit weights."""
    return ciede2000(lab(one), lab(other))


def ciede2000(one: npt.ArrayLike, other: npt.ArrayLike) -> Floats:
    """CIEDE2000 of two colours in L*a*b*, with the formulas in the notation of Sharma, Wu and Dalal (2005)."""
    l1, a1, b1 = np.moveaxis(np.asarray(one, np.float64), -1, 0)
    l2, a2, b2 = np.moveaxis(np.asarray(other, np.float64), -1, 0)
    chroma = ((np.hypot(a1, b1) + np.hypot(a2, b2)) / 2) ** 7
    grey = 0.5 * (1 - np.sqrt(chroma / (chroma + 25.0**7)))
    a1, a2 = a1 * (1 + grey), a2 * (1 + grey)
    c1, c2 = np.hypot(a1, b1), np.hypot(a2, b2)
    h1, h2 = np.degrees(np.arctan2(b1, a1)) % 360, np.degrees(np.arctan2(b2, a2)) % 360
    coloured = c1 * c2 > 0
    turn = np.where(coloured, (h2 - h1 + 180) % 360 - 180, 0.0)
    middle = np.where(coloured, (h1 + ((h2 - h1 + 180) % 360 - 180) / 2) % 360, h1 + h2)
    light, mean = (l1 + l2) / 2, (c1 + c2) / 2
    hue = np.radians(middle)
    weight = (
        1
        - 0.17 * np.cos(hue - np.radians(30))
        + 0.24 * np.cos(2 * hue)
        + 0.32 * np.cos(3 * hue + np.radians(6))
        - 0.20 * np.cos(4 * hue - np.radians(63))
    )
    s_light = 1 + 0.015 * (light - 50) ** 2 / np.sqrt(20 + (light - 50) ** 2)
    s_chroma, s_hue = 1 + 0.045 * mean, 1 + 0.015 * mean * weight
    d_light, d_chroma = (l2 - l1) / s_light, (c2 - c1) / s_chroma
    d_hue = 2 * np.sqrt(c1 * c2) * np.sin(np.radians(turn) / 2) / s_hue
    spread = 60 * np.exp(-(((middle - 275) / 25) ** 2))
    rotation = -2 * np.sqrt(mean**7 / (mean**7 + 25.0**7)) * np.sin(np.radians(spread))
    return np.asarray(
        np.sqrt(np.maximum(0, d_light**2 + d_chroma**2 + d_hue**2 + rotation * d_chroma * d_hue)), np.float64
    )
