"""PNG: indexed where the drawing is flat, compressed by libdeflate and zlib-ng; optimised by oxipng where it is not."""

from __future__ import annotations

import zlib
from collections import Counter
from dataclasses import dataclass

import deflate
from zlib_ng import zlib_ng

from ... import png
from .. import palette
from ..render import Picture
from .pixels import STEPS, rgba, saved

#: libdeflate's level. 12 saves 5 to 15 % of 10, and takes three to nine times as long.
LEVEL, LEVEL_AHEAD = 10, 12
#: A picture that somebody waits for is compressed by zlib-ng's best search, and up to so many bytes of rows by
#: libdeflate too, of which the smaller is taken. Beyond, libdeflate's level 10 takes four times as long as zlib-ng and
#: 1 to 11 % more bytes. Both let other threads run meanwhile.
ROWS_OF_BOTH = 100_000
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_GREY, _INDEXED = 0, 3  # colour types


def encode(picture: Picture, ahead: bool) -> bytes:
    """Encode as PNG."""
    indexed = palette.index(picture, STEPS)
    if indexed is None:
        effort = png.Effort.THOROUGH if ahead else png.Effort.QUICK
        return png.optimised_apart(saved(rgba(picture), "PNG", compress_level=1), effort)
    return min((_written(form, ahead) for form in _forms(indexed)), key=len)


@dataclass(frozen=True)
class _Form:
    """One way to write down an indexed picture: rows of ``depth`` bits a pixel, unfiltered, with the palette if any."""

    width: int
    height: int
    depth: int
    rows: bytes
    palette: tuple[palette.Colour, ...]


def _forms(indexed: palette.Indexed) -> list[_Form]:
    """The forms of which one is the smallest: a byte a pixel, as few bits as the colours need, opaque greys as such.

    Neighbours are never predicted from one another (PNG's filters): that makes indexes larger.
    """
    # What rows begin with is 0, as is the byte before each row (its filter), so that both are one run. Then colours
    # that are not opaque, so that the list of opacities ends with them.
    ((first, _),) = Counter(indexed.indexes[:: indexed.width]).most_common(1)
    used = sorted(set(indexed.indexes), key=lambda place: (place != first, indexed.palette[place][3] == 255, place))
    colours = tuple(indexed.palette[place] for place in used)
    places = bytearray(256)
    for number, place in enumerate(used):
        places[place] = number
    least = next(depth for depth in (1, 2, 4, 8) if len(used) <= 1 << depth)
    forms = [_form(indexed, places, depth, colours) for depth in sorted({least, 8})]
    if all(red == green == blue and alpha == 255 for red, green, blue, alpha in colours):
        for place in used:
            places[place] = indexed.palette[place][0]
        forms.append(_form(indexed, places, 8, ()))
    return forms


def _form(
    indexed: palette.Indexed, places: bytes | bytearray, depth: int, colours: tuple[palette.Colour, ...]
) -> _Form:
    width, height, each = indexed.width, indexed.height, 8 // depth
    pixels = indexed.indexes.translate(places)
    across = -(-width // each)
    if each > 1:
        if spare := across * each - width:
            pixels = b"".join(pixels[start : start + width] + bytes(spare) for start in range(0, width * height, width))
        packed = 0
        for place in range(each):  # the leftmost pixel in the highest bits
            packed |= int.from_bytes(pixels[place::each], "big") << depth * (each - 1 - place)
        pixels = packed.to_bytes(across * height, "big")
    rows = b"".join(b"\0" + pixels[start : start + across] for start in range(0, across * height, across))
    return _Form(width, height, depth, rows, colours)


def _written(form: _Form, ahead: bool) -> bytes:
    """The chunks of the PNG Specification (ISO/IEC 15948), 11."""
    kind = _INDEXED if form.palette else _GREY
    opacities = bytes(colour[3] for colour in form.palette).rstrip(b"\xff")
    head = form.width.to_bytes(4, "big") + form.height.to_bytes(4, "big") + bytes((form.depth, kind, 0, 0, 0))
    return b"".join(
        (
            _SIGNATURE,
            _chunk(b"IHDR", head),
            _chunk(b"PLTE", b"".join(bytes(colour[:3]) for colour in form.palette)) if form.palette else b"",
            _chunk(b"tRNS", opacities) if opacities else b"",
            _chunk(b"IDAT", _compressed(form.rows, ahead)),
            _chunk(b"IEND", b""),
        )
    )


def _compressed(rows: bytes, ahead: bool) -> bytes:
    if ahead:
        return bytes(deflate.zlib_compress(rows, LEVEL_AHEAD))
    quick: bytes = zlib_ng.compress(rows, zlib_ng.Z_BEST_COMPRESSION)
    return quick if len(rows) > ROWS_OF_BOTH else min(quick, bytes(deflate.zlib_compress(rows, LEVEL)), key=len)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")
