"""PNG: indexed where the drawing is flat, optimised by oxipng."""

from __future__ import annotations

import oxipng

from .. import palette
from ..render import Picture
from .pixels import STEPS, rgba

#: libdeflate's level. 12 saves 5 to 15 % of 10, and takes three to nine times as long.
DEFLATE, DEFLATE_AHEAD = 10, 12


def encode(picture: Picture, ahead: bool) -> bytes:
    """Encode as PNG."""
    indexed = palette.index(picture, STEPS)
    if indexed is not None:
        colours = oxipng.ColorType.indexed([list(colour) for colour in indexed.palette])
        raw = oxipng.RawImage(indexed.indexes, picture.width, picture.height, color_type=colours)
        deflate = oxipng.Deflaters.libdeflater(DEFLATE_AHEAD if ahead else DEFLATE)
        # Prediction from neighbours makes indexes larger, never smaller; so none is tried.
        return bytes(raw.create_optimized_png(level=2, filter=[oxipng.RowFilter.NoOp], deflate=deflate))
    raw = oxipng.RawImage(rgba(picture).tobytes(), picture.width, picture.height, color_type=oxipng.ColorType.rgba())
    return bytes(raw.create_optimized_png(level=4 if ahead else 2, optimize_alpha=True))
