"""One drawing as browsers, our pictures and our PDFs show it, and how far two of these are apart.

All renderings are pictures in RGB, laid on ``GROUND``.
"""

from __future__ import annotations

import base64
import io
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TypeVar

import pypdfium2
import typst
from PIL import Image, ImageChops, ImageFilter
from playwright.sync_api import Page

from service.svg import Drawing

T = TypeVar("T")

GROUND = (104, 150, 88)  # neither light nor dark, and no brand's colour, so that what is missing is seen
#: What ``apart`` says of two renderings that people cannot tell apart; half a shade of a thin clip's edge.
SAME = 24
_AT_ONCE = 48  # drawings on one page of a browser, or in one PDF
_GAP = 4


def in_browser(page: Page, drawings: Iterable[tuple[bytes, int, int]]) -> Iterator[Image.Image]:
    """Each document as Chromium shows it as an image of so many pixels (width, height)."""
    for part in _parts(drawings):
        tags, top = [], 0
        for svg, width, height in part:
            address = "data:image/svg+xml;base64," + base64.b64encode(svg).decode()
            tags.append(f'<img src="{address}" style="left:0;top:{top}px;width:{width}px;height:{height}px">')
            top += height + _GAP
        widest = max(width for _, width, _ in part)
        page.set_viewport_size({"width": widest, "height": top})
        ground = ",".join(map(str, GROUND))
        page.set_content(
            f"<style>body{{margin:0;background:rgb({ground})}}img{{position:absolute}}</style>{''.join(tags)}"
        )
        page.evaluate("Promise.all([...document.images].map(i => i.decode().catch(() => 0)))")
        shot = _on_ground(page.screenshot(animations="disabled"))
        top = 0
        for _, width, height in part:
            yield shot.crop((0, top, width, top + height))
            top += height + _GAP


def in_pdf(drawings: Iterable[tuple[Drawing, int, int]]) -> Iterator[Image.Image]:
    """Each drawing as a page of a PDF that typst makes and PDFium draws, one pixel a point."""
    for part in _parts(drawings):
        with tempfile.TemporaryDirectory() as folder:
            pages = []
            for number, (drawing, width, height) in enumerate(part):
                (Path(folder) / f"{number}.svg").write_bytes(drawing.plain())
                pages.append(
                    f"#page(width: {width}pt, height: {height}pt, margin: 0pt, fill: rgb{GROUND})"
                    f'[#image("{number}.svg", width: {width}pt, height: {height}pt, fit: "stretch")]'
                )
            (Path(folder) / "main.typ").write_text("\n".join(pages), encoding="utf-8")
            made = typst.compile(Path(folder) / "main.typ", format="pdf")
        assert isinstance(made, bytes)
        document = pypdfium2.PdfDocument(made)
        for page in document:
            yield page.render(scale=1).to_pil().convert("RGB")
        document.close()


def decoded(content: bytes) -> Image.Image:
    """The picture in a file of any format."""
    return _on_ground(content)


def apart(one: Image.Image, other: Image.Image, within: int = 1) -> int:
    """How far two renderings are apart, beyond thin edges: the largest difference of any channel, 0 to 255.

    Both are averaged over three by three pixels, and the smallest difference to the other within so many pixels
    counts, so that edges that are drawn half a pixel aside or softer make none.
    """
    if one.size != other.size:
        return 255
    first, second = (picture.filter(ImageFilter.BoxBlur(1)) for picture in (one, other))
    return max(_beyond(first, second, within), _beyond(second, first, within))


def _beyond(one: Image.Image, other: Image.Image, within: int) -> int:
    """How far a pixel lies outside of what the other picture holds near it, at most."""
    size = 2 * within + 1
    low, high = other.filter(ImageFilter.MinFilter(size)), other.filter(ImageFilter.MaxFilter(size))
    outside = ImageChops.lighter(ImageChops.subtract(low, one), ImageChops.subtract(one, high))
    return max(most for _, most in outside.getextrema())  # type: ignore[misc]


def _on_ground(content: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(content)).convert("RGBA")
    ground = Image.new("RGBA", image.size, (*GROUND, 255))
    return Image.alpha_composite(ground, image).convert("RGB")


def _parts(things: Iterable[T]) -> Iterator[Sequence[T]]:
    """The things, so many at once."""
    rest = iter(things)
    while part := list(islice(rest, _AT_ONCE)):
        yield part
