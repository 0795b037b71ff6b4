"""Reading an upload: any of the formats becomes pixels in sRGB, within limits, or is refused with the reason.

Nothing is decoded before its size is known. Pictures of more than ``MOST_INSPECTED`` pixels are reduced while they
are decoded, so that memory stays bounded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.parsers import expat

import numpy as np
import numpy.typing as npt
import pyvips

from ..media_types import recognised
from ..problems import InvalidRequest, TooLarge, UnsupportedMediaType
from .upload import FORMATS, MOST_BYTES

MOST_PIXELS = 40_000_000
MOST_INSPECTED = 9_000_000
MOST_PAGES = 20
PDF_SHOWN = 96.0  # pixels an inch in which boxes of a PDF are given
_PDF_DRAWN = 192.0  # pixels an inch at which pages are looked at, where they are not too large
_MOST_PAGE_PIXELS = 6_000_000
_PRINT_MARKS = {"jpeg": "JPEG", "png": "PNG", "webp": "WebP", "avif": "AVIF"}
_LOADERS = {
    "jpeg": "jpegload_buffer",
    "png": "pngload_buffer",
    "webp": "webpload_buffer",
    "avif": "heifload_buffer",
    "svg": "svgload_buffer",
}


@dataclass(frozen=True)
class Sheet:
    """One picture to inspect.

    ``zoom`` is how many of its pixels make one of the answer's, ``width`` and ``height`` are in the answer's pixels.
    ``per_inch`` is the resolution of a print, in the answer's pixels; None for pictures of screens. ``notes`` are
    names of the policy's notes with their number.
    """

    pixels: npt.NDArray[np.uint8]
    zoom: float
    width: int
    height: int
    per_inch: float | None
    page: int | None = None
    notes: tuple[tuple[str, float], ...] = field(default=())


def kind_of(data: bytes) -> str:
    """The kind of a file by its first bytes.

    Raises UnsupportedMediaType for anything else, and TooLarge for a file that is too long.
    """
    if len(data) > MOST_BYTES:
        raise TooLarge(f"The file has {len(data) / 1e6:.1f} MB; at most {MOST_BYTES / 1e6:.0f} MB are looked at.")
    if kind := recognised(data):
        return kind
    if not data:
        raise InvalidRequest("The file is empty.")
    raise UnsupportedMediaType(f"The file is none of those that are looked at. Send {FORMATS}.")


def sheets(data: bytes) -> Iterator[Sheet]:
    """The pictures in a file, one after the other, so that one page at a time is in memory.

    Raises TooLarge, UnsupportedMediaType or InvalidRequest with the reason in words.
    """
    kind = kind_of(data)
    if kind == "pdf":
        yield from _pages(data)
    else:
        if kind == "svg":
            _check_svg(data)
        yield _picture(data, kind)


def _picture(data: bytes, kind: str) -> Sheet:
    image = _opened(data, kind)
    width, height = image.width, image.height
    if kind != "svg" and image.get_typeof("page-height"):
        height = int(image.get("page-height"))
    if width * height > MOST_PIXELS:
        raise TooLarge(
            f"The picture has {width} x {height} pixels; at most {MOST_PIXELS // 10**6} megapixels are looked at."
            " Send it smaller."
        )
    notes: list[tuple[str, float]] = []
    if (image.get_typeof("n-pages") and int(image.get("n-pages")) > 1) or (kind == "png" and b"acTL" in data[:4096]):
        notes.append(("animation", 0))
    per_inch = _resolution(image, kind)
    try:
        made = _flattened(image, notes)
        factor = (MOST_INSPECTED / (width * height)) ** 0.5
        if factor < 1:
            made = made.resize(factor, kernel="linear")
            notes.append(("reduced", round(100 * factor)))
        pixels = np.asarray(made.numpy(), np.uint8)
    except pyvips.Error as error:
        raise _damaged(error) from error
    if (made.width > made.height) != (width > height) and made.width != made.height:
        width, height = height, width
    return Sheet(pixels, pixels.shape[1] / width, width, height, per_inch, None, tuple(notes))


def _opened(data: bytes, kind: str) -> pyvips.Image:
    loader = getattr(pyvips.Image, _LOADERS[kind])
    options: dict[str, object] = {} if kind == "svg" else {"fail_on": "truncated"}
    try:
        image = loader(data, access="sequential", **options)
    except pyvips.Error as error:
        raise _damaged(error) from error
    return image


def _damaged(error: pyvips.Error) -> InvalidRequest:
    reason = str(error).strip().splitlines()[-1] if str(error).strip() else ""
    return InvalidRequest(
        "The file cannot be read: it is damaged or cut short. Save it again and send the new file.", private=reason
    )


def _resolution(image: pyvips.Image, kind: str) -> float | None:
    """Pixels an inch as the file says; None where it says nothing, or gives what libraries write without thought."""
    if kind not in _PRINT_MARKS or not image.get_typeof("resolution-unit"):
        return None
    value = float(image.xres) * 25.4
    return value if value > 0 else None


def _flattened(image: pyvips.Image, notes: list[tuple[str, float]]) -> pyvips.Image:
    """Upright, in sRGB, eight bits, on white."""
    if image.get_typeof("page-height") and int(image.get("page-height")) < image.height:
        image = image.crop(0, 0, image.width, int(image.get("page-height")))
    if image.get_typeof("orientation") and int(image.get("orientation")) > 1:
        # Turning needs the whole picture.
        image = image.copy_memory().autorot()
    profile = image.get_typeof("icc-profile-data") != 0
    if profile or image.interpretation == "cmyk":
        try:
            image = image.icc_transform("srgb", embedded=profile, input_profile=None if profile else "cmyk")
        except pyvips.Error:
            image = image.colourspace("srgb")  # a profile that does not fit its picture says nothing
    elif image.interpretation != "srgb":
        image = image.colourspace("srgb")
    if image.format != "uchar":
        image = image.cast("uchar", shift=image.format == "ushort")
    if image.bands in (2, 4):
        image = image.copy_memory()  # it is read twice
        if image.extract_band(image.bands - 1).min() < 255:
            notes.append(("transparent", 0))
        image = image.flatten(background=[255] * (image.bands - 1))
    if image.bands == 1:
        image = image.bandjoin([image, image])
    return image.extract_band(0, n=3)


class _Refused(Exception):
    """Something in a drawing that is not looked at."""


def _check_svg(data: bytes) -> None:
    """Refuses drawings with scripts or with references to anything outside the file."""
    parser = expat.ParserCreate(namespace_separator=" ")

    def start(name: str, attributes: dict[str, str]) -> None:
        local = name.rpartition(" ")[2].lower()
        if local in ("script", "foreignobject", "iframe"):
            raise _Refused(f"it holds <{local}>, and scripts are not run")
        for attribute, value in attributes.items():
            _check_attribute(local, attribute.rpartition(" ")[2].lower(), value.strip())

    def text(content: str) -> None:
        if "@import" in content or _reaches_out(content):
            raise _Refused("its style sheet refers to something outside the file")

    def doctype(*_: object) -> None:
        return

    def entity(*_: object) -> None:
        raise _Refused("it declares entities")

    parser.StartElementHandler = start
    parser.CharacterDataHandler = text
    parser.StartDoctypeDeclHandler = doctype
    parser.EntityDeclHandler = entity
    try:
        parser.Parse(data, True)
    except _Refused as refused:
        raise InvalidRequest(
            f"The drawing is not looked at: {refused}. Embed or remove it, and send it again."
        ) from None
    except (expat.ExpatError, ValueError) as error:
        raise InvalidRequest(
            "The drawing is no well-formed SVG. Save it again and send the new file.", private=type(error).__name__
        ) from error


def _check_attribute(element: str, name: str, value: str) -> None:
    if name.startswith("on"):
        raise _Refused(f"it holds a script ({name})")
    outside = name in ("href", "src") and element != "a" and not value.startswith(("#", "data:"))
    if outside or _reaches_out(value):
        raise _Refused(f"it refers to something outside the file ({value[:60]})")


def _reaches_out(value: str) -> bool:
    return any(
        not target.strip("\"' ").startswith(("#", "data:"))
        for target in re.findall(r"url\(\s*([^)]*)\)", value, re.IGNORECASE)
    )


def _pages(data: bytes) -> Iterator[Sheet]:
    import pypdfium2

    try:
        document = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        if "password" in str(error).lower():
            raise InvalidRequest("The PDF is encrypted. Save it without a password and send it again.") from error
        raise InvalidRequest(
            "The PDF cannot be read: it is damaged or cut short. Save it again.", private=type(error).__name__
        ) from error
    try:
        count = len(document)
        if count == 0:
            raise InvalidRequest("The PDF has no pages.")
        notes: tuple[tuple[str, float], ...] = (("pages", MOST_PAGES),) if count > MOST_PAGES else ()
        for number in range(min(count, MOST_PAGES)):
            yield _page(document, number, notes if number == 0 else ())
    finally:
        document.close()


def _page(document: object, number: int, notes: tuple[tuple[str, float], ...]) -> Sheet:
    import pypdfium2

    try:
        page = document[number]  # type: ignore[index]
        points_wide, points_high = page.get_size()
        inches = points_wide / 72, points_high / 72
        scale = min(_PDF_DRAWN, (_MOST_PAGE_PIXELS / max(inches[0] * inches[1], 1e-6)) ** 0.5)
        width, height = max(1, round(inches[0] * PDF_SHOWN)), max(1, round(inches[1] * PDF_SHOWN))
        if scale < PDF_SHOWN:
            notes = (*notes, ("reduced", round(100 * scale / PDF_SHOWN)))
        bitmap = page.render(scale=scale / 72, fill_color=(255, 255, 255, 255), rev_byteorder=True)
        pixels = np.ascontiguousarray(bitmap.to_numpy()[..., :3])
        bitmap.close()
        page.close()
    except pypdfium2.PdfiumError as error:
        raise InvalidRequest(
            f"Page {number + 1} of the PDF cannot be read. Save it again.", private=type(error).__name__
        ) from error
    return Sheet(pixels, pixels.shape[1] / width, width, height, PDF_SHOWN, number + 1, notes)
