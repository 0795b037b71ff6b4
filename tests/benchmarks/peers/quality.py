"""How near a picture is to the truth: SSIMULACRA2 against an exact rendering, on the backgrounds the rules allow.

The truth is drawn by resvg, which neither Emblem nor a peer uses, eight times larger and then averaged.
"""

from __future__ import annotations

import io
from functools import lru_cache
from typing import Any

import numpy
import resvg_py
from PIL import Image, ImageColor
from ssimulacra2 import compute_ssimulacra2

from .masters import Master

_TIMES = 8
_LEAST_SIDE = 256  # of a picture that is halved five times and still has the eight pixels that the score needs

Pixels = numpy.ndarray[Any, numpy.dtype[Any]]


def score(master: Master, content: bytes) -> tuple[tuple[int, int], float]:
    """The picture's size in pixels and its SSIMULACRA2, the worst of those on the allowed backgrounds."""
    image = Image.open(io.BytesIO(content)).convert("RGBA")
    seen = _multiplied(numpy.asarray(image, dtype=numpy.float64))
    truth = _truth(master, *image.size)
    return image.size, min(_compared(_on(truth, ground), _on(seen, ground)) for ground in master.backgrounds)


def check() -> None:
    """Stops where the score does not do what it should on pairs whose order is known."""
    rows, columns = numpy.mgrid[0:96, 0:200]
    picture = numpy.stack([rows * 2, columns, rows + columns], axis=2).clip(0, 255).astype(numpy.uint8)
    noise = numpy.random.default_rng(1)
    scores = [
        _compared(picture, (picture + noise.integers(-much, much + 1, picture.shape)).clip(0, 255).astype(numpy.uint8))
        for much in (0, 4, 16, 64)
    ]
    assert scores[0] == 100, f"a picture beside itself scores {scores[0]}"
    assert scores == sorted(scores, reverse=True), f"more noise does not score less: {scores}"
    assert scores[-1] < 30, f"heavy noise scores {scores[-1]}"


@lru_cache(maxsize=64)
def _truth(master: Master, width: int, height: int) -> Pixels:
    """The exact picture, colours multiplied by alpha, 0 to 255."""
    document = master.drawing.document(width * _TIMES, height * _TIMES, fill=True).decode()
    large = Image.open(io.BytesIO(bytes(resvg_py.svg_to_bytes(svg_string=document, skip_system_fonts=True))))
    assert large.size == (width * _TIMES, height * _TIMES)
    # In strips, so that the largest picture does not need its pixels as floats all at once.
    strips = [
        _multiplied(numpy.asarray(large.crop((0, top, large.width, top + _TIMES)), dtype=numpy.float64))
        .reshape(_TIMES, width, _TIMES, 4)
        .mean((0, 2))
        for top in range(0, large.height, _TIMES)
    ]
    return numpy.stack(strips)


def _multiplied(rgba: Pixels) -> Pixels:
    return numpy.concatenate([rgba[..., :3] * (rgba[..., 3:] / 255), rgba[..., 3:]], axis=-1)


def _on(picture: Pixels, ground: str) -> Pixels:
    colour = numpy.array(ImageColor.getrgb(f"#{ground}")[:3], dtype=numpy.float64)
    shown = picture[..., :3] + (1 - picture[..., 3:] / 255) * colour
    return numpy.rint(shown).clip(0, 255).astype(numpy.uint8)


def _compared(truth: Pixels, seen: Pixels) -> float:
    return float(compute_ssimulacra2(_file(truth), _file(seen)))


def _file(pixels: Pixels) -> io.BytesIO:
    """The picture as a file, repeated until no scale of the score is left out: it weighs them wrongly then."""
    height, width = pixels.shape[:2]
    repeated = numpy.tile(pixels, (-(-_LEAST_SIDE // height), -(-_LEAST_SIDE // width), 1))
    out = io.BytesIO()
    Image.fromarray(repeated).save(out, "BMP")
    out.seek(0)
    return out
