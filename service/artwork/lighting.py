"""Colours in photographs: how far an ink is from a colourway under the light that is likeliest to make them alike."""

from __future__ import annotations

import numpy as np

from . import colours
from .templates import Floats

_DARKEST, _BRIGHTEST = 0.5, 1.15  # how bright white paper is in a photograph, as a share of white
_CURVES = (0.8, 1.0, 1.25)  # exponents of a camera's tones: soft, as they are, hard
_HAZES = (0.0, 10.0, 20.0, 32.0)  # sRGB steps that stray light and reflections lift everything by
_STEPS = 14
_TINTS = np.array([[1, 1, 1], [1.05, 1, 0.95], [0.95, 1, 1.05], [0.96, 1.04, 0.96], [1.04, 0.96, 1.04]])
_NEUTRAL = 10.0  # chroma up to which a ground may be white or grey paper in coloured light
_TOLERANCE = 0.95  # of the ground's brightness: how well the light on the ink is known from it


def lit_difference(ink: Floats, wanted: Floats, grounds: Floats) -> float:
    """CIEDE2000 from an ink to a colour (3,) as a camera may have seen it beside grounds (n, 3), all sRGB.

    No paper is brighter than white, so the light is at least as bright as the ground; its brightness above that, its
    tint as far as a nearly neutral ground shows it, the camera's tones and haze are unknown and taken in favour.
    """
    dimmest = float(np.min(grounds.max(axis=1))) / 255 * _TOLERANCE
    light = np.linspace(max(_DARKEST, min(dimmest, 1.0)), _BRIGHTEST, _STEPS)
    tones = 255 * (wanted[None] / 255) ** np.array(_CURVES)[:, None]
    seen = light[:, None, None] * tones[None]
    hazy = seen[:, :, None] + np.array(_HAZES)[None, None, :, None] * (1 - seen[:, :, None] / 255)
    likely = colours.lab(np.clip(hazy, 0, 255))
    middle = np.median(grounds, axis=0)
    tries = [ink]
    _, a, b = colours.lab(middle)
    if np.hypot(a, b) < _NEUTRAL and middle.min() > 20:
        tries.append(np.clip(ink * middle.mean() / middle, 0, 255))
    tinted = np.clip(np.array(tries)[:, None] * _TINTS, 0, 255).reshape(-1, 3)
    return float(colours.ciede2000(colours.lab(tinted)[:, None], likely.reshape(-1, 3)[None]).min())
