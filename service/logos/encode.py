"""Encoding: the choices for each format, in one place, with the reason that was measured for each.

The bar is a SSIMULACRA2 of 90 against a truth that is supersampled eight times, on the backgrounds that
the rules allow. docs/performance.md has the figures; ``tests/benchmarks/peers`` makes them again.

There are two efforts. The common widths are made before anyone asks for them and are served most, so they get
the fewest bytes. Somebody waits for any other width, once, so it is made in a tenth of the time.
"""

from __future__ import annotations

import io

import oxipng
import pyvips
from PIL import Image

from . import palette
from .palette import Indexed
from .render import Picture

#: Opacities of an edge, in PNG and lossless WebP: 32 give 95 to 97 from 128 pixels on; 24 give 94 to 96 for one
#: in thirty fewer bytes, 16 give 93 to 95 for one in ten.
STEPS = 32
#: libdeflate's level. 12 saves 5 to 15 % of 10, and takes three to nine times as long.
PNG_DEFLATE, PNG_DEFLATE_AHEAD = 10, 12
#: Methods of libwebp's lossless search, of which the smaller result is taken. 5 saves up to 8 % more, or
#: nothing, and takes ten times as long; 6 takes fifty times as long, and only flat parts of it are smaller.
WEBP_METHODS, WEBP_METHODS_AHEAD = (4,), (4, 5)
#: Pictures that are not flat: near-lossless at 40 gives 92 to 94. Lossy never reaches 90 where colours meet,
#: since it halves the resolution of colour.
WEBP_NEAR_LOSSLESS = {"Q": 40, "effort": 4}
#: AVIF, libaom: ``tune=ssim`` saves 5 to 15 % against psnr at the same quality. With colour constant below
#: its alpha (one ink) quality 55 gives 92 to 94; several inks need 62, and gradients 96. Colours in full
#: resolution (4:4:4), since halving it blurs every edge.
AVIF_QUALITY_ONE_INK = 55
AVIF_QUALITY_FLAT = 62
AVIF_QUALITY = 96
#: libaom's speed: 3 saves 7 % at 256 pixels and 15 % at 1024, at the same quality, and takes seven times as long.
AVIF_SPEED, AVIF_SPEED_AHEAD = 6, 3


def encode(picture: Picture, kind: str, *, ahead: bool = False) -> bytes:
    """The picture's bytes in ``png``, ``webp`` or ``avif``; the same input gives the same bytes.

    ``ahead`` says that nobody waits for it, so that fewer bytes are worth more time.
    """
    return {"png": _png, "webp": _webp, "avif": _avif}[kind](picture, ahead)


def _png(picture: Picture, ahead: bool) -> bytes:
    indexed = palette.index(picture, STEPS)
    if indexed is not None:
        colours = oxipng.ColorType.indexed([list(colour) for colour in indexed.palette])
        raw = oxipng.RawImage(indexed.indexes, picture.width, picture.height, color_type=colours)
        deflate = oxipng.Deflaters.libdeflater(PNG_DEFLATE_AHEAD if ahead else PNG_DEFLATE)
        # Prediction from neighbours makes indexes larger, never smaller; so none is tried.
        return bytes(raw.create_optimized_png(level=2, filter=[oxipng.RowFilter.NoOp], deflate=deflate))
    raw = oxipng.RawImage(_rgba(picture).tobytes(), picture.width, picture.height, color_type=oxipng.ColorType.rgba())
    return bytes(raw.create_optimized_png(level=4 if ahead else 2, optimize_alpha=True))


def _webp(picture: Picture, ahead: bool) -> bytes:
    indexed = palette.index(picture, STEPS)
    if indexed is not None:
        image = _expanded(indexed)
        methods = WEBP_METHODS_AHEAD if ahead else WEBP_METHODS
        tried = [_saved(image, "WEBP", lossless=True, quality=100, method=method) for method in methods]
        return min(tried, key=len)
    image = _rgba(picture)
    pixels = pyvips.Image.new_from_memory(image.tobytes(), picture.width, picture.height, 4, "uchar")
    return bytes(pixels.copy(interpretation="srgb").webpsave_buffer(near_lossless=True, **WEBP_NEAR_LOSSLESS))


def _avif(picture: Picture, ahead: bool) -> bytes:
    return _saved(
        _rgba(picture),
        "AVIF",
        quality={0: AVIF_QUALITY, 1: AVIF_QUALITY_ONE_INK}.get(len(picture.inks), AVIF_QUALITY_FLAT),
        subsampling="4:4:4",
        speed=AVIF_SPEED_AHEAD if ahead else AVIF_SPEED,
        codec="aom",
        max_threads=1,
        advanced={"tune": "ssim"},
    )


def _saved(image: Image.Image, kind: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def _expanded(indexed: Indexed) -> Image.Image:
    image = Image.frombytes("P", (indexed.width, indexed.height), indexed.indexes)
    image.putpalette(b"".join(map(bytes, indexed.palette)), "RGBA")
    return image.convert("RGBA")


def _rgba(picture: Picture) -> Image.Image:
    """As RGBA. Under full transparency there is the ink too, or the picture's first colour: no edge to encode."""
    size = (picture.width, picture.height)
    if len(picture.inks) == 1:
        alpha = Image.frombytes("L", size, picture.pixels)
        return Image.merge("RGBA", [*(Image.new("L", size, channel) for channel in picture.inks[0]), alpha])
    pixels = pyvips.Image.new_from_memory(picture.pixels, *size, 4, "uchar").copy(interpretation="srgb")
    alpha_band = pixels.extract_band(3)
    colours = pixels.unpremultiply().rint().cast("uchar").extract_band(0, n=3)
    x, y = alpha_band.maxpos()[1:]
    common = [int(value) for value in colours(x, y)]
    shown = (alpha_band == 0).ifthenelse(common, colours).cast("uchar").bandjoin(alpha_band)
    return Image.frombytes("RGBA", size, bytes(shown.write_to_memory()))
