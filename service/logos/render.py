"""Rendering: a drawing becomes a picture of exactly so many pixels.

librsvg draws (through libvips). Its own antialiasing knows few grey levels: against a truth that is
supersampled eight times it reaches a SSIMULACRA2 of 93 to 95. Drawing larger and averaging reaches 97 at
three times, so that is done as far as it is cheap (see docs/performance.md for the figures). sRGB
in, sRGB out: the drawing's colours are the picture's bytes.
"""

from __future__ import annotations

from dataclasses import dataclass

import pyvips

from ..svg import Drawing

MOST_PIXELS = 150_000_000  # of the supersampled drawing: what one render may cost in time
FINE = 4  # times larger; beyond it nothing is gained
Ink = tuple[int, int, int]

# One variant is rendered by one thread; as many variants at once as there are cores.
pyvips.concurrency_set(1)
# Every variant is made once, so libvips' memory of operations would only hold pictures.
pyvips.cache_set_max(0)


class RenderFailed(Exception):
    """A drawing that cannot be rendered, or not in the time and memory that it may take."""


@dataclass(frozen=True)
class Picture:
    """Pixels, and the ``inks`` (opaque colours) that they are blends of; no inks where the drawing is not flat.

    Of one ink, ``pixels`` holds a byte of alpha each. Else it holds four: RGB multiplied by alpha, and alpha.
    """

    width: int
    height: int
    pixels: bytes
    inks: tuple[Ink, ...]


def oversampling(width: int) -> int:
    """Return how many times larger a picture of this width is drawn before it is averaged."""
    return 3 if width <= 512 else 2


def render(
    drawing: Drawing, width: int, padding: int = 0, inks: tuple[Ink, ...] = (), *, fine: bool = False
) -> Picture:
    """Return the drawing ``width`` pixels wide with ``padding`` transparent pixels on every side.

    ``fine`` draws it larger before it is averaged, as far as a render may go, which takes up to four times the time.

    Raises ValueError where the picture would have more pixels than a render may have.
    """
    height = drawing.height(width)
    times = FINE if fine and FINE * width * FINE * height <= MOST_PIXELS else oversampling(width)
    if (width * times) * (height * times) > MOST_PIXELS:
        raise ValueError(f"{width} x {height} pixels are too many to render")
    document = drawing.document(width * times, height * times, fill=True)
    image = pyvips.Image.svgload_buffer(document, access="sequential")
    image = image.extract_band(3) if len(inks) == 1 else image.premultiply().rint().cast("uchar")
    image = image.shrink(times, times).cast("uchar")
    if padding:
        image = image.embed(padding, padding, width + 2 * padding, height + 2 * padding, extend="black")
    return Picture(image.width, image.height, bytes(image.write_to_memory()), inks)
