"""Rendering: a drawing becomes a picture of exactly so many pixels.

librsvg draws (through libvips). Its own antialiasing knows few grey levels: against a truth that is
supersampled eight times it reaches a SSIMULACRA2 of 93 to 95. Drawing larger and averaging reaches 97 at
three times, so that is done as far as it is cheap (see docs/performance.md for the figures). sRGB
in, sRGB out: the drawing's colours are the picture's bytes.
"""

from __future__ import annotations

from dataclasses import dataclass

import pyvips

from .drawing import Drawing

MOST_PIXELS = 150_000_000  # of the supersampled drawing: what one render may cost in time
_TRANSPARENT = 0
_OPAQUE = 255
_CLOSE = 3  # how far a colour that was divided by its alpha may be off

# One variant is rendered by one thread; as many variants at once as there are cores.
pyvips.concurrency_set(1)
# Every variant is made once, so libvips' memory of operations would only hold pictures.
pyvips.cache_set_max(0)


@dataclass(frozen=True)
class Picture:
    """Pixels. With ``ink`` they are one colour in many opacities and ``pixels`` holds a byte of alpha each.

    Without ``ink``, ``pixels`` holds four bytes each: RGB multiplied by alpha, and alpha.
    """

    width: int
    height: int
    pixels: bytes
    ink: tuple[int, int, int] | None


def oversampling(width: int) -> int:
    """How many times larger a picture of this width is drawn before it is averaged."""
    return 3 if width <= 512 else 2


def render(drawing: Drawing, width: int, padding: int, ink: tuple[int, int, int] | None) -> Picture:
    """The drawing ``width`` pixels wide with ``padding`` transparent pixels on every side.

    Raises ValueError where the picture would have more pixels than a render may have.
    """
    height = drawing.height(width)
    times = oversampling(width)
    if (width * times) * (height * times) > MOST_PIXELS:
        raise ValueError(f"{width} x {height} pixels are too many to render")
    document = drawing.document(width * times, height * times, fill=True)
    image = pyvips.Image.svgload_buffer(document, access="sequential")
    image = image.extract_band(3) if ink else image.premultiply().cast("uchar")
    if times > 1:
        image = image.shrink(times, times)
    image = image.cast("uchar")
    if padding:
        image = image.embed(padding, padding, width + 2 * padding, height + 2 * padding, extend="black")
    return Picture(image.width, image.height, bytes(image.write_to_memory()), ink)


def find_ink(drawing: Drawing) -> tuple[int, int, int] | None:
    """The one colour that a drawing is made of, or None where there are several.

    Found in a rendering, so that it does not matter how the colour is written.
    """
    width = 256
    document = drawing.document(width, drawing.height(width), fill=True)
    image = pyvips.Image.svgload_buffer(document).copy_memory()
    alpha = image.extract_band(3)
    colour = image.extract_band(0, n=3)
    solid = alpha == _OPAQUE
    if solid.max() == _TRANSPARENT:
        return None
    x, y = solid.maxpos()[1:]
    ink = tuple(int(value) for value in colour(x, y))
    # Where alpha is small, dividing by it leaves errors that are no colours of the drawing.
    visible = alpha > _OPAQUE // 2
    others = [((channel > _CLOSE) & visible).max() for channel in (colour - list(ink)).abs().bandsplit()]
    if max(others) > 0:
        return None
    return ink[0], ink[1], ink[2]
