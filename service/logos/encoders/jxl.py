"""JPEG XL by libjxl, lossless from the same few colours as PNG where the drawing is flat."""

from __future__ import annotations

import numpy
import pylibjxl

from .. import palette
from ..ladder import LARGE
from ..render import Picture
from .pixels import STEPS, expanded, rgba

#: libjxl's effort: 10 takes 0.51 to 0.69 of AVIF's bytes at the common widths in up to 2 s, 7 takes 0.7 to 1.0 of
#: AVIF's in a fifth of that.
EFFORT, EFFORT_AHEAD = 7, 10
#: The same of large pictures, where 7 would take several seconds.
EFFORT_LARGE = 3
#: Butteraugli distance of pictures that are not flat.
DISTANCE = 0.5


def encode(picture: Picture, ahead: bool) -> bytes:
    """Encode as JPEG XL."""
    effort = EFFORT_AHEAD if ahead else EFFORT_LARGE if picture.width * picture.height >= LARGE else EFFORT
    indexed = palette.index(picture, STEPS)
    image = rgba(picture) if indexed is None else expanded(indexed)
    # One thread: as many pictures at once are made as there are cores.
    with pylibjxl.JXL(threads=1) as codec:
        pixels = numpy.array(image)  # a copy: the binding takes no array that is read-only, as an image's own is
        if indexed is not None:
            return bytes(codec.encode(pixels, effort=effort, lossless=True))
        return bytes(codec.encode(pixels, effort=effort, distance=DISTANCE))
