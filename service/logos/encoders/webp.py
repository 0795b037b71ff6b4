"""WebP: lossless where the drawing is flat, near-lossless elsewhere."""

from __future__ import annotations

import pyvips

from .. import palette
from ..render import Picture
from .pixels import STEPS, expanded, rgba, saved

#: Methods of libwebp's lossless search, of which the smaller result is taken. 5 saves up to 8 % more, or
#: nothing, and takes ten times as long; 6 takes fifty times as long, and only flat parts of it are smaller.
METHODS, METHODS_AHEAD = (4,), (4, 5)
#: How long libwebp looks on demand, up to so many pixels of width: as few bytes as at 100 in a tenth to a third less
#: time. In wider pictures less than 100 takes up to a tenth more bytes.
QUALITY, QUALITY_UP_TO = 90, 700
#: Pictures that are not flat: near-lossless at 40 gives 92 to 94. Lossy never reaches 90 where colours meet,
#: since it halves the resolution of colour.
NEAR_LOSSLESS = {"Q": 40, "effort": 4}


def encode(picture: Picture, ahead: bool) -> bytes:
    """Encode as WebP."""
    indexed = palette.index(picture, STEPS)
    if indexed is not None:
        image = expanded(indexed)
        methods = METHODS_AHEAD if ahead else METHODS
        quality = 100 if ahead or picture.width > QUALITY_UP_TO else QUALITY
        tried = [saved(image, "WEBP", lossless=True, quality=quality, method=method) for method in methods]
        return min(tried, key=len)
    image = rgba(picture)
    pixels = pyvips.Image.new_from_memory(image.tobytes(), picture.width, picture.height, 4, "uchar")
    return bytes(pixels.copy(interpretation="srgb").webpsave_buffer(near_lossless=True, **NEAR_LOSSLESS))
