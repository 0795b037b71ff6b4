"""The annotated picture: each logo outlined with its clear space, rulers and numbered markers, drawn with Pillow."""

from __future__ import annotations

import io
from functools import cache
from importlib import resources

from PIL import Image, ImageDraw, ImageFont

from .reading import Sheet
from .report import LogoReport

_MOST = 1400  # pixels of the longer side of the annotated picture
_FINE = 2  # times larger than shown, then averaged, which makes smooth lines
_COLOURS = {"compliant": (0, 128, 76), "asked": (178, 98, 0), "broken": (196, 22, 48)}
_ZONE = (110, 64, 190)


@cache
def _font(size: int) -> ImageFont.FreeTypeFont:
    file = resources.files("fontpkg_hanken_grotesk") / "files" / "HankenGrotesk[wght].ttf"
    with resources.as_file(file) as path:
        return ImageFont.truetype(str(path), size)


def annotated(sheet: Sheet, logos: tuple[LogoReport, ...]) -> bytes:
    """A PNG of the picture with what was found on it; the numbers are the places of the logos in the report, from 1."""
    image = Image.fromarray(sheet.pixels)
    factor = min(1.0, _MOST / max(sheet.width, sheet.height))
    size = max(1, round(sheet.width * factor)), max(1, round(sheet.height * factor))
    image = image.resize((size[0] * _FINE, size[1] * _FINE), Image.Resampling.BILINEAR)
    draw = ImageDraw.Draw(image)
    scale = factor * _FINE
    thick = 2 * _FINE
    for number, logo in enumerate(logos, start=1):
        colour = _COLOURS["broken" if logo.violations else "asked" if logo.questions else "compliant"]
        if logo.pose == "flat":
            _dashed(draw, _edges(logo.clear_space, scale), _ZONE, thick)
        corners = [(x * scale, y * scale) for x, y in logo.outline]
        draw.line([*corners, corners[0], corners[1]], fill=colour, width=thick, joint="curve")
        if logo.pose == "flat":
            _ruler(draw, logo, scale, colour, thick)
        _marker(draw, _edges(logo.box, scale), number, colour)
    file = io.BytesIO()
    image.resize(size, Image.Resampling.BOX).save(file, "PNG", compress_level=4)
    return file.getvalue()


def _edges(box: tuple[float, float, float, float], scale: float) -> tuple[float, float, float, float]:
    left, top, width, height = box
    return left * scale, top * scale, (left + width) * scale, (top + height) * scale


def _dashed(
    draw: ImageDraw.ImageDraw, edges: tuple[float, float, float, float], colour: tuple[int, int, int], thick: int
) -> None:
    left, top, right, bottom = edges
    dash = 5 * thick
    for start, end, level, upright in (
        (left, right, top, False),
        (left, right, bottom, False),
        (top, bottom, left, True),
        (top, bottom, right, True),
    ):
        at = start
        while at < end:
            stop = min(at + dash, end)
            line = [(level, at), (level, stop)] if upright else [(at, level), (stop, level)]
            draw.line(line, fill=colour, width=thick // 2)
            at += 2 * dash


def _ruler(draw: ImageDraw.ImageDraw, logo: LogoReport, scale: float, colour: tuple[int, int, int], thick: int) -> None:
    """The width, as a line with ends below the logo."""
    left, _, right, bottom = _edges(logo.box, scale)
    level, tick = bottom + 4 * thick, 2 * thick
    draw.line([(left, level), (right, level)], fill=colour, width=thick // 2)
    for x in (left, right):
        draw.line([(x, level - tick), (x, level + tick)], fill=colour, width=thick // 2)
    text = f"{logo.box[2]:.0f} px"
    font = _font(11 * _FINE)
    across = draw.textlength(text, font)
    middle = (left + right) / 2
    if across < right - left:
        area = (middle - across / 2 - thick, level - 6 * _FINE, middle + across / 2 + thick, level + 7 * _FINE)
        draw.rectangle(area, fill=(255, 255, 255))
        draw.text((middle, level), text, colour, font, anchor="mm")


def _marker(
    draw: ImageDraw.ImageDraw, edges: tuple[float, float, float, float], number: int, colour: tuple[int, int, int]
) -> None:
    left, top, _, _ = edges
    radius = 11 * _FINE
    x, y = max(radius, left), max(radius, top)
    draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour, outline=(255, 255, 255), width=_FINE)
    draw.text((x, y), str(number), (255, 255, 255), _font(14 * _FINE), anchor="mm")
