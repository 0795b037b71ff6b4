"""PNG: indexed where the drawing is flat; optimised by oxipng, or compressed by zlib-ng where oxipng takes too long."""

from __future__ import annotations

import zlib

import oxipng
from zlib_ng import zlib_ng

from .. import palette
from ..render import Picture
from .pixels import STEPS, rgba

#: libdeflate's level. 12 saves 5 to 15 % of 10, and takes three to nine times as long.
DEFLATE, DEFLATE_AHEAD = 10, 12
#: From so many bytes of rows on, a picture that somebody waits for is compressed by zlib-ng's best search: it takes
#: a quarter of the time of libdeflate's level 10, and 1 to 11 % fewer bytes. Below, libdeflate's are fewer.
ROWS_OF_ZLIB_NG = 100_000
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_MOST_PACKED = 16  # colours that fit into less than a byte a pixel, which oxipng sees to


def encode(picture: Picture, ahead: bool) -> bytes:
    """Encode as PNG."""
    indexed = palette.index(picture, STEPS)
    if indexed is not None:
        rows = (indexed.width + 1) * indexed.height
        if not ahead and rows >= ROWS_OF_ZLIB_NG and len(indexed.palette) > _MOST_PACKED:
            return _written(indexed)
        colours = oxipng.ColorType.indexed([list(colour) for colour in indexed.palette])
        raw = oxipng.RawImage(indexed.indexes, picture.width, picture.height, color_type=colours)
        deflate = oxipng.Deflaters.libdeflater(DEFLATE_AHEAD if ahead else DEFLATE)
        # Prediction from neighbours makes indexes larger, never smaller; so none is tried.
        return bytes(raw.create_optimized_png(level=2, filter=[oxipng.RowFilter.NoOp], deflate=deflate))
    raw = oxipng.RawImage(rgba(picture).tobytes(), picture.width, picture.height, color_type=oxipng.ColorType.rgba())
    return bytes(raw.create_optimized_png(level=4 if ahead else 2, optimize_alpha=True))


def _written(indexed: palette.Indexed) -> bytes:
    """The picture as indexes of a byte, unfiltered, in the chunks of the PNG Specification (ISO/IEC 15948), 11."""
    width, height = indexed.width, indexed.height
    rows = b"".join(b"\0" + indexed.indexes[start : start + width] for start in range(0, width * height, width))
    opacities = bytes(colour[3] for colour in indexed.palette).rstrip(b"\xff")
    return b"".join(
        (
            _SIGNATURE,
            _chunk(b"IHDR", width.to_bytes(4, "big") + height.to_bytes(4, "big") + b"\x08\x03\0\0\0"),
            _chunk(b"PLTE", b"".join(bytes(colour[:3]) for colour in indexed.palette)),
            _chunk(b"tRNS", opacities) if opacities else b"",
            _chunk(b"IDAT", zlib_ng.compress(rows, zlib_ng.Z_BEST_COMPRESSION)),
            _chunk(b"IEND", b""),
        )
    )


def _chunk(kind: bytes, data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")
