"""Encoding: fewest bytes, exact size, transparency kept, and more effort where nobody waits."""

from __future__ import annotations

import io
import subprocess
import sys

import numpy
import oxipng
import pytest
import pyvips
from PIL import Image

from service.logos import palette
from service.logos.encoders import encode
from service.logos.encoders.pixels import STEPS
from service.logos.encoders.png import LEVEL, LEVEL_AHEAD
from service.logos.formats import FORMATS
from service.logos.palette import inks_of
from service.logos.render import Picture, render
from service.svg import read

FLAT = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 300 200">
<circle cx="100" cy="100" r="90" fill="#0b5cad"/>
<path d="M150 20L290 60L200 190Z" fill="{second}"/></svg>"""
GRADIENT = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 300 200">
<linearGradient id="g"><stop stop-color="#0b5cad"/><stop offset="1" stop-color="#f2c200"/></linearGradient>
<circle cx="150" cy="100" r="95" fill="url(#g)"/></svg>"""
DRAWINGS = {
    "one ink": FLAT.format(second="#0b5cad"),
    "two inks": FLAT.format(second="#c8102e"),
    "a gradient": GRADIENT,
}


def picture_of(name: str, width: int = 300) -> Picture:
    drawing = read(DRAWINGS[name].encode())
    return render(drawing, width, 0, inks_of(drawing))


def seen(content: bytes) -> numpy.ndarray[tuple[int, ...], numpy.dtype[numpy.float64]]:
    """The decoded picture, colours multiplied by alpha."""
    rgba = numpy.asarray(Image.open(io.BytesIO(content)).convert("RGBA"), dtype=numpy.float64)
    return numpy.concatenate([rgba[..., :3] * rgba[..., 3:] / 255, rgba[..., 3:]], axis=2)


@pytest.mark.parametrize(("name", "inks"), [("one ink", 1), ("two inks", 2), ("a gradient", 0)])
def test_the_inks_of_a_drawing_are_found(name: str, inks: int) -> None:
    assert len(picture_of(name).inks) == inks


@pytest.mark.parametrize("ahead", [False, True])
@pytest.mark.parametrize("kind", ["png", "webp", "avif", "jxl"])
@pytest.mark.parametrize("name", DRAWINGS)
def test_every_drawing_keeps_its_look_in_every_format(name: str, kind: str, ahead: bool) -> None:
    picture = picture_of(name)
    truth = seen(encode(render(read(DRAWINGS[name].encode()), 300), "png"))
    got = seen(encode(picture, kind, ahead=ahead))
    assert got.shape == truth.shape == (200, 300, 4)
    assert numpy.sqrt(((got - truth) ** 2).mean()) < 4
    assert numpy.abs(got[0, 0]).max() == 0  # a corner is transparent, and stays so


@pytest.mark.parametrize("kind", ["png", "webp", "avif", "jxl"])
@pytest.mark.parametrize("name", ["one ink", "two inks"])
def test_made_ahead_is_smaller(name: str, kind: str) -> None:
    picture = picture_of(name)
    saved = len(encode(picture, kind)) - len(encode(picture, kind, ahead=True))
    assert saved >= 0 if kind == "webp" else saved > 0  # two searches for WebP, and often the quick one wins


@pytest.mark.parametrize("name", ["one ink", "two inks"])
def test_a_flat_drawing_is_an_indexed_png_and_a_gradient_is_not(name: str) -> None:
    assert Image.open(io.BytesIO(encode(picture_of(name), "png"))).mode == "P"
    assert Image.open(io.BytesIO(encode(picture_of("a gradient"), "png"))).mode == "RGBA"


#: Few colours, so that pixels take less than a byte: 2 (a byte has eight pixels), 3 and 4 (four), up to 16 (two).
FEW = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 300 200">
<path fill="#05a" d="M{at} 30h200v100h-200z"/></svg>"""
#: Opaque greys, which need no palette.
GREY = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 300 200"><path fill="#fff" d="M0 0h300v200H0z"/>
<circle cx="100" cy="100" r="90"/></svg>"""


@pytest.mark.parametrize("ahead", [False, True])
@pytest.mark.parametrize(
    ("drawing", "width", "form"),
    [
        (DRAWINGS["one ink"], 100, (8, 3)),
        (DRAWINGS["two inks"], 600, (8, 3)),
        (FEW.format(at=30), 300, (1, 3)),
        (FEW.format(at=30), 299, (4, 3)),
        (FEW.format(at="30.5"), 301, (4, 3)),
        (GREY, 301, (8, 3)),
        (GREY, 40, (8, 0)),
    ],
)
def test_a_flat_png_has_the_pixels_of_its_palette_in_no_more_bytes_than_oxipng_makes(
    drawing: str, width: int, form: tuple[int, int], ahead: bool
) -> None:
    """Bits a pixel and colour type (PNG Specification, 11.2.1) are those that take the fewest bytes."""
    master = read(drawing.encode())
    picture = render(master, width, 0, inks_of(master))
    indexed = palette.index(picture, STEPS)
    assert indexed is not None
    colours = oxipng.ColorType.indexed([list(colour) for colour in indexed.palette])
    raw = oxipng.RawImage(indexed.indexes, indexed.width, indexed.height, color_type=colours)
    deflate = oxipng.Deflaters.libdeflater(LEVEL_AHEAD if ahead else LEVEL)
    optimized = raw.create_optimized_png(level=2, filter=[oxipng.RowFilter.NoOp], deflate=deflate)
    content = encode(picture, "png", ahead=ahead)
    assert (content[24], content[25]) == form
    assert len(content) <= len(optimized) * 1.01  # colours in another order are a few bytes more or fewer
    drawn = pyvips.Image.new_from_buffer(content, "", access="sequential", fail_on="warning").colourspace("srgb")
    with Image.open(io.BytesIO(content)) as image:
        assert seen(content).tolist() == seen(bytes(optimized)).tolist()
        shown = image.convert("RGBA")
    bands = drawn if drawn.hasalpha() else drawn.bandjoin(255)
    assert bytes(bands.write_to_memory()) == shown.tobytes()


@pytest.mark.parametrize("kind", ["png", "webp", "avif", "jxl"])
def test_the_same_picture_gives_the_same_bytes(kind: str) -> None:
    assert encode(picture_of("two inks"), kind) == encode(picture_of("two inks"), kind)


def test_what_is_drawn_finely_is_nearer_to_the_drawing() -> None:
    """Against the average of eight times as many rows and columns, a wide AVIF made ahead is nearer than another."""
    drawing = read(DRAWINGS["one ink"].encode())
    inks = inks_of(drawing)
    truth = pyvips.Image.svgload_buffer(drawing.document(8 * 720, 8 * 480, fill=True)).extract_band(3).shrink(8, 8)
    wanted = numpy.frombuffer(bytes(truth.cast("uchar").write_to_memory()), dtype=numpy.uint8).astype(float)

    def error(ahead: bool) -> float:
        fine = FORMATS["avif"].drawn_finely(720, ahead)
        picture = render(drawing, 720, 0, inks, fine=fine)
        with Image.open(io.BytesIO(encode(picture, "avif", ahead=ahead))) as image:
            assert image.size == (720, 480)
            return float(((numpy.asarray(image)[..., 3].ravel() - wanted) ** 2).mean())

    assert error(ahead=True) < error(ahead=False)
    assert not FORMATS["png"].drawn_finely(1024, True)


FADE = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 200 100">
<defs><linearGradient id="f"><stop stop-color="{first}"/><stop offset="1" stop-color="{last}" stop-opacity="{end}"/>
</linearGradient></defs><path d="M0 0h50v100H0z" fill="#0b5cad"/><path d="M0 90h200v10H0z" fill="{last}"/>
<path d="M50 35h150v30H50z" fill="url(#f)"/></svg>"""


@pytest.mark.parametrize("ahead", [False, True])
@pytest.mark.parametrize("kind", ["png", "webp", "avif", "jxl"])
@pytest.mark.parametrize(("last", "end"), [("#0b5cad", 0), ("#f2c200", 1)])
def test_a_gradient_is_not_taken_for_flat(kind: str, ahead: bool, last: str, end: int) -> None:
    """What fades to nothing, or between two colours that stand alone as well, is drawn without bands."""
    drawing = read(FADE.format(first="#0b5cad", last=last, end=end).encode())
    picture = render(drawing, 1024, 0, inks_of(drawing))
    row = numpy.asarray(Image.open(io.BytesIO(encode(picture, kind, ahead=ahead))).convert("RGBA"))[256, 260:1020]
    assert len(numpy.unique(row, axis=0)) >= 200
    if end == 0:
        assert len(numpy.unique(row[:, 3])) >= 200


def test_a_gradient_drawn_in_strips_is_not_flat() -> None:
    strips = "".join(f'<path d="M{20 + 4 * n} 0h4v100h-4z" fill="rgb({4 * n},{4 * n},{4 * n})"/>' for n in range(1, 40))
    ends = '<path d="M0 0h24v100h-24z"/><path d="M180 0h20v100h-20z" fill="#a0a0a0"/>'
    drawing = read(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 200 100">{ends}{strips}</svg>'.encode())
    assert inks_of(drawing) == ()


HASHES = """
import hashlib, os, sys
os.sched_setaffinity(0, {sorted(os.sched_getaffinity(0))[0]} if sys.argv[1] == "one" else os.sched_getaffinity(0))
from service.logos.encoders import encode
from service.logos.formats import RASTERS
from tests.logos.test_encoders import DRAWINGS, picture_of
for kind in RASTERS:
    for name in DRAWINGS:
        for ahead in (False, True):
            print(kind, name, hashlib.sha256(encode(picture_of(name), kind, ahead=ahead)).hexdigest())
"""


def test_the_bytes_do_not_depend_on_the_number_of_cores() -> None:
    """The same URL gives the same bytes on every machine of a deployment."""
    said = {
        subprocess.run([sys.executable, "-c", HASHES, cores], capture_output=True, text=True, check=True).stdout
        for cores in ("one", "all")
    }
    assert len(said) == 1
    assert said.pop().count("\n") == 2 * 4 * len(DRAWINGS)
