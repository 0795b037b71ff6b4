"""Pictures with one logo on an even ground, for tests that hold one rule against its limit."""

from __future__ import annotations

import io

import numpy as np
import numpy.typing as npt
from PIL import Image

from service.campaign import Campaign

from . import grounds
from .inks import Array, Placed, coverage, wide

Pixels = npt.NDArray[np.uint8]
BLUE, WHITE, BLACK = "0b5cad", "ffffff", "000000"


def rgb(colour: str) -> Array:
    """The colour of six hexadecimal digits."""
    return np.array([int(colour[start : start + 2], 16) for start in (0, 2, 4)], np.float32)


def drawn(
    campaign: Campaign,
    placed: Placed,
    *,
    ink: str = BLUE,
    ground: str = WHITE,
    size: tuple[int, int] = (640, 420),
    opacity: float = 1.0,
) -> Array:
    """A logo of one ink on an even ground."""
    canvas = grounds.flat(rgb(ground), *size)
    paint(canvas, campaign, placed, ink, opacity)
    return canvas


def paint(canvas: Array, campaign: Campaign, placed: Placed, ink: str, opacity: float = 1.0) -> None:
    """Adds a logo of one ink to a picture."""
    mask = coverage(wide(campaign, placed.logo), placed.matrix(), canvas.shape[1], canvas.shape[0]) * opacity
    canvas += mask[..., None] * (rgb(ink) - canvas)


def heart(width: float = 200, x: float = 320, y: float = 210, *, stretch: float = 1.0, degrees: float = 0.0) -> Placed:
    """The heart, ``stretch`` times as wide as its height allows."""
    return Placed("heart", x, y, width, width / 1.1 / stretch, degrees)


def lockup(width: float = 300, x: float = 320, y: float = 210) -> Placed:
    """The heart with the campaign's name."""
    return Placed("lockup", x, y, width, width / 2.6)


def pixels(canvas: Array) -> Pixels:
    """The picture in bytes."""
    return np.clip(np.rint(canvas), 0, 255).astype(np.uint8)


def encoded(canvas: Array, kind: str = "PNG", **options: object) -> bytes:
    """The picture as a file."""
    file = io.BytesIO()
    Image.fromarray(pixels(canvas)).save(file, kind, **options)
    return file.getvalue()
