from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest

from service.embeds.snippets import ShownLogo, height_of, shown_logo, snippets

if TYPE_CHECKING:
    from service.campaign import Campaign

BASE = "https://emblem.example.org/logos/ebd_key/lockup"


def attributes(html: str) -> dict[str, str]:
    """The attributes of the one element in a text."""
    found: list[dict[str, str]] = []

    class Parser(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            assert tag == "img"
            found.append({name: value or "" for name, value in attrs})

    Parser().feed(html)
    (only,) = found
    return only


@pytest.mark.parametrize("logo", ["heart", "lockup"])
def test_the_picture_keeps_its_room_and_is_sharp_on_every_screen(campaign: Campaign, logo: str) -> None:
    shown = shown_logo(campaign, logo, "en")
    given = attributes(snippets(shown, BASE, logo)["html"])
    width, height = int(given["width"]), int(given["height"])
    assert abs(width / campaign.logos[logo].aspect_ratio - height) <= 0.5
    assert given["alt"] == campaign.logos[logo].title.get("en")
    assert given["sizes"] == f"{width}px"
    assert given["src"] == f"{BASE}/{shown.colourway}/{width}.auto"
    offered = re.findall(r"(\S+) (\d+)w(?:, |$)", given["srcset"])
    assert [int(pixels) / width for _, pixels in offered] == [1, 1.5, 2, 3, 4]
    for url, pixels in offered:
        assert url == f"{BASE}/{shown.colourway}/{pixels}.auto"


def test_every_width_in_a_snippet_is_on_the_ladder(campaign: Campaign) -> None:
    for logo in campaign.logos:
        for asked in range(1, 1025):
            shown = shown_logo(campaign, logo, "en", asked)
            assert shown.width >= campaign.brand.logo(logo).minimum.px
            for text in snippets(shown, BASE, logo).values():
                for width in map(int, re.findall(r"/(\d+)\.auto", text)):
                    assert width <= 512 or (width % 16 == 0 and width <= 4096)


def test_the_words_are_those_of_the_language(campaign: Campaign) -> None:
    title = campaign.logos["heart"].title
    assert title.get("fr") != title.get("en")
    assert attributes(snippets(shown_logo(campaign, "heart", "fr"), BASE, "heart")["html"])["alt"] == title.get("fr")


def test_no_title_breaks_out_of_its_snippet() -> None:
    hostile = '"><script>alert(1)</script> [a](b) *c* `d`'
    made = snippets(ShownLogo("blue", 256, 97, hostile), BASE, "heart")
    assert attributes(made["html"])["alt"] == hostile
    assert made["markdown"].startswith(r"![\"\>\<script".replace(r"\"\>", r'"\>'))
    assert made["markdown"].count("](") == 2  # the picture's own, and the one in the title, whose bracket is escaped
    assert r"\]" in made["markdown"]


@pytest.mark.parametrize(("width", "ratio", "height"), [(256, 2.63, 97), (10, 4, 3), (1, 100, 1), (256, 1, 256)])
def test_heights_are_rounded_to_the_nearest(width: int, ratio: float, height: int) -> None:
    assert height_of(width, ratio) == height
