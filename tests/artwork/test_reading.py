"""Every kind of file: read as a person sees it, or refused with the reason; never a crash."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pypdfium2
import pytest
from PIL import Image, ImageCms

from service.artwork import MOST_BYTES
from service.artwork.reading import kind_of, sheets
from service.problems import InvalidRequest, Problem, TooLarge, UnsupportedMediaType

SVG = (
    b'<svg xmlns="http://www.w3.org/2000/svg" width="40" height="30">'
    b'<rect width="40" height="30" fill="#0b5cad"/>%s</svg>'
)


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def blue(mode: str = "RGB", size: tuple[int, int] = (60, 40)) -> Image.Image:
    return Image.new("RGB", size, (11, 92, 173)).convert(mode)


def middle(data: bytes) -> list[int]:
    (sheet,) = sheets(data)
    rows, columns = sheet.pixels.shape[:2]
    return [int(value) for value in sheet.pixels[rows // 2, columns // 2]]


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "AVIF"])
def test_pictures_are_read_in_srgb(kind: str) -> None:
    assert middle(saved(blue(), kind, quality=95)) == pytest.approx([11, 92, 173], abs=6)


def test_drawings_are_rendered_at_their_size() -> None:
    (sheet,) = sheets(SVG % b"")
    assert (sheet.width, sheet.height) == (40, 30)
    assert middle(SVG % b"") == [11, 92, 173]


def pdf(count: int, size: tuple[float, float] = (72, 144)) -> bytes:
    document = pypdfium2.PdfDocument.new()
    for _ in range(count):
        document.new_page(*size)
    file = io.BytesIO()
    document.save(file)
    return file.getvalue()


def test_pages_are_told_in_pixels_at_96_an_inch() -> None:
    (sheet,) = sheets(pdf(1))
    assert (sheet.width, sheet.height, sheet.page, sheet.per_inch) == (96, 192, 1, 96)
    assert sheet.zoom == pytest.approx(2)


def test_of_many_pages_the_first_twenty_are_read_and_that_is_said() -> None:
    found = list(sheets(pdf(23)))
    assert len(found) == 20
    assert found[0].notes == (("pages", 20),)


def test_a_huge_page_is_drawn_small() -> None:
    (sheet,) = sheets(pdf(1, (14000, 14000)))
    assert sheet.pixels.size < 3 * 7_000_000
    assert sheet.width == round(14000 / 72 * 96)
    assert sheet.notes[0][0] == "reduced"


def test_sixteen_bits_and_grey() -> None:
    deep = Image.fromarray(np.full((40, 60), 0x8080, np.uint16))
    assert middle(saved(deep, "PNG")) == pytest.approx([128, 128, 128], abs=1)
    assert middle(saved(blue("L"), "PNG")) == pytest.approx([78, 78, 78], abs=2)


def test_cmyk_is_converted() -> None:
    red, green, blue_ = middle(saved(Image.new("CMYK", (60, 40), (240, 120, 0, 80)), "JPEG", quality=95))
    assert red < green < blue_


def test_an_embedded_profile_is_converted() -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    assert middle(saved(blue(), "PNG", icc_profile=profile)) == pytest.approx([11, 92, 173], abs=2)  # fits no picture


def test_a_picture_stands_as_its_camera_says() -> None:
    image = blue(size=(60, 40))
    image.paste((255, 255, 255), (0, 0, 30, 40))
    exif = Image.Exif()
    exif[0x0112] = 6
    (sheet,) = sheets(saved(image, "JPEG", exif=exif, quality=95))
    assert (sheet.width, sheet.height) == (40, 60)
    assert sheet.pixels[5, 20].min() > 240


def test_transparent_parts_are_white_and_that_is_said() -> None:
    (sheet,) = sheets(saved(Image.new("RGBA", (60, 40), (0, 0, 0, 0)), "PNG"))
    assert sheet.pixels.min() == 255
    assert ("transparent", 0) in sheet.notes
    assert not next(sheets(saved(blue("RGBA"), "PNG"))).notes


def test_of_an_animation_the_first_picture_is_read_and_that_is_said() -> None:
    frames = [blue(), Image.new("RGB", (60, 40), "red")]
    for kind in ("WEBP", "PNG"):
        data = saved(frames[0], kind, save_all=True, append_images=frames[1:], duration=100)
        (sheet,) = sheets(data)
        assert ("animation", 0) in sheet.notes
        assert middle(data)[2] > 150


def bomb(width: int, height: int) -> bytes:
    """A PNG that says it is large, with next to nothing in it."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(3000))) + chunk(b"IEND", b"")
    )


REFUSED: dict[str, tuple[type[Problem], bytes]] = {
    "nothing": (InvalidRequest, b""),
    "text": (UnsupportedMediaType, b"hello, world"),
    "a GIF": (UnsupportedMediaType, b"GIF89a" + bytes(40)),
    "a page": (UnsupportedMediaType, b"<!doctype html><p>no drawing"),
    "too many bytes": (TooLarge, b"\xff\xd8\xff" + bytes(MOST_BYTES)),
    "an image bomb": (TooLarge, bomb(30000, 30000)),
    "a picture cut short": (InvalidRequest, saved(Image.effect_noise((200, 200), 60), "PNG")[:9000]),
    "a JPEG cut short": (InvalidRequest, saved(Image.effect_noise((200, 200), 60), "JPEG")[:4000]),
    "a WebP cut short": (InvalidRequest, saved(blue(), "WEBP")[:30]),
    "a PDF cut short": (InvalidRequest, b"%PDF-1.7\n1 0 obj\n"),
    "a script": (InvalidRequest, SVG % b"<script>alert(1)</script>"),
    "a handler": (InvalidRequest, SVG % b'<rect onload="alert(1)"/>'),
    "an outside picture": (InvalidRequest, SVG % b'<image href="https://example.org/a.png"/>'),
    "an outside style": (InvalidRequest, SVG % b"<style>@import 'a.css';</style>"),
    "an outside paint": (InvalidRequest, SVG % b'<rect fill="url(other.svg#a)"/>'),
    "no well-formed drawing": (InvalidRequest, b"<svg xmlns='http://www.w3.org/2000/svg'><rect></svg>"),
    "entities": (InvalidRequest, b'<!DOCTYPE svg [<!ENTITY a "aaaa">]>' + SVG % b"<desc>&a;</desc>"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_looked_at_is_refused_with_the_reason(name: str) -> None:
    kind, data = REFUSED[name]
    with pytest.raises(kind) as refused:
        list(sheets(data))
    assert refused.value.detail.endswith(".")


def test_an_encrypted_pdf_is_refused_with_the_fix() -> None:
    # The standard security handler with a user password, as in ISO 32000-1, 7.6.3; the page is never reached.
    data = (
        b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
        b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 72 72]>>endobj\n"
        b"4 0 obj<</Filter/Standard/V 1/R 2/P -4/O<" + b"41" * 32 + b">/U<" + b"42" * 32 + b">>>endobj\n"
        b"trailer<</Root 1 0 R/Encrypt 4 0 R/ID[<00><00>]/Size 5>>\n%%EOF"
    )
    with pytest.raises(InvalidRequest, match="encrypted"):
        list(sheets(data))


def test_a_large_picture_is_reduced_and_that_is_said() -> None:
    (sheet,) = sheets(saved(blue(size=(4000, 3000)), "JPEG"))
    assert (sheet.width, sheet.height) == (4000, 3000)
    assert sheet.pixels.shape[0] * sheet.pixels.shape[1] < 9_100_000
    assert sheet.zoom == pytest.approx(sheet.pixels.shape[1] / 4000)
    assert sheet.notes == (("reduced", 87),)


def test_kinds_are_told_by_their_bytes() -> None:
    assert kind_of(b"\xef\xbb\xbf<?xml version='1.0'?>\n<!-- a -->\n<svg") == "svg"
    assert kind_of(b"junk\n%PDF-1.4") == "pdf"
