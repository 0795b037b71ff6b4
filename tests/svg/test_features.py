"""Every feature of SVG that is taken, one small file each: drawn as Chromium draws the file, in every format.

``features/`` is the table: a file's name is the feature. Chromium's rendering of the file as it is stands beside
its rendering of the SVG variant, our pictures, and PDFium's rendering of the PDF.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image, ImageStat
from playwright.sync_api import Browser

from service.logos.encoders import encode
from service.logos.palette import inks_of
from service.logos.render import render
from service.svg import Drawing, read
from tests.parts.renderings import SAME, apart, decoded, in_browser, in_pdf

FEATURES = sorted((Path(__file__).parent / "features").glob("*.svg"), key=lambda path: path.name)
WIDTH = 256  # pixels


@pytest.fixture(scope="module")
def drawings() -> dict[str, Drawing]:
    return {path.stem: read(path.read_bytes()) for path in FEATURES}


@pytest.fixture(scope="module")
def renderings(drawings: dict[str, Drawing], browser: Browser) -> dict[str, dict[str, Image.Image]]:
    """By feature: Chromium's rendering of the file and of the variant, and PDFium's of the PDF."""
    sizes = {name: (WIDTH, drawing.height(WIDTH)) for name, drawing in drawings.items()}
    with browser.new_page() as page:
        files = in_browser(page, [(path.read_bytes(), *sizes[path.stem]) for path in FEATURES])
        shown = dict(zip(sizes, list(files), strict=True))
        variants = in_browser(page, [(drawings[name].document(*size), *size) for name, size in sizes.items()])
        in_svg = dict(zip(sizes, list(variants), strict=True))
    pages = dict(zip(sizes, in_pdf((drawings[name], *size) for name, size in sizes.items()), strict=True))
    return {name: {"file": shown[name], "svg": in_svg[name], "pdf": pages[name]} for name in sizes}


@pytest.mark.parametrize("kind", ["svg", "png", "webp", "avif", "pdf"])
@pytest.mark.parametrize("feature", [path.stem for path in FEATURES])
def test_every_format_shows_what_the_browser_shows_of_the_file(
    feature: str, kind: str, drawings: dict[str, Drawing], renderings: dict[str, dict[str, Image.Image]]
) -> None:
    found = renderings[feature].get(kind)
    if found is None:
        drawing = drawings[feature]
        found = decoded(encode(render(drawing, WIDTH, 0, inks_of(drawing)), kind))
    assert apart(renderings[feature]["file"], found) <= SAME


def test_the_browser_shows_something_of_every_feature(renderings: dict[str, dict[str, Image.Image]]) -> None:
    for feature, shown in renderings.items():
        assert max(ImageStat.Stat(shown["file"]).stddev) > 3, feature


@pytest.mark.parametrize("feature", [path.stem for path in FEATURES])
def test_a_resolved_drawing_resolves_to_itself(feature: str, drawings: dict[str, Drawing]) -> None:
    assert read(drawings[feature].plain()) == drawings[feature]
