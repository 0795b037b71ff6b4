"""What has a bleed says to the print shop's machines where to cut: ISO 15930 (PDF/X) calls it the TrimBox."""

from __future__ import annotations

from pathlib import Path

import pypdfium2
import pytest

from service.campaign import load
from service.packages.inks import print_inks_of
from service.packages.renderers import Maker

ASSETS = Path(__file__).resolve().parents[2] / "assets"
MM = 72 / 25.4  # points
CAMPAIGN = load(ASSETS.with_name("policies"), ASSETS)
INKS = print_inks_of(CAMPAIGN.brand)
FILES = {
    rule.path: rule
    for package in ("posters", "event-kit")
    for rule in CAMPAIGN.packages[package].files
    if rule.path.endswith(".pdf")
}
WITH_BLEED = sorted(path for path in FILES if path.endswith(("-bleed-ar.pdf", "-bleed-en.pdf")))
TO_THE_EDGE = [f"print-cmyk/{name}-{lang}.pdf" for name in ("roll-up", "table-card") for lang in ("ar", "en")]


def page_of(path: str) -> pypdfium2.PdfPage:
    (page,) = pypdfium2.PdfDocument(Maker(ASSETS, INKS).make(FILES[path]), autoclose=True)
    return page


def test_there_are_posters_with_bleed() -> None:
    assert len(WITH_BLEED) == 8


@pytest.mark.parametrize("path", WITH_BLEED)
def test_a_poster_with_bleed_has_its_cut_size_as_trim_box(path: str) -> None:
    page = page_of(path)
    assert page.get_mediabox() == pytest.approx((0, 0, 303 * MM, 426 * MM), abs=0.01)
    assert page.get_bleedbox() == page.get_mediabox()
    assert page.get_trimbox() == pytest.approx((3 * MM, 3 * MM, 300 * MM, 423 * MM), abs=0.01)


@pytest.mark.parametrize("path", [*WITH_BLEED, *TO_THE_EDGE])
def test_the_drawing_goes_on_to_the_edge_of_the_bleed(path: str) -> None:
    picture = page_of(path).render(scale=0.5).to_pil().convert("RGB")
    across, down = picture.size
    edges = [(x, y) for x in range(across) for y in (0, down - 1)] + [
        (x, y) for y in range(down) for x in (0, across - 1)
    ]
    assert (255, 255, 255) not in {picture.getpixel(place) for place in edges}, "paper shows at the edge"


def test_a_poster_without_bleed_is_cut_at_its_edge() -> None:
    page = page_of("screen/poster-wear-a4-en.pdf")
    assert page.get_mediabox() == pytest.approx((0, 0, 210 * MM, 297 * MM), abs=0.01)
    assert page.get_trimbox() == page.get_mediabox()
