"""The variant builder: what the rules allow is shown and measured, what they refuse is explained, with the way on."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree

import brotli
import pytest

from service.logos import FORMATS, VariantRequest

from .visitor import Html, Visitor

if TYPE_CHECKING:
    from flask import Flask

BLUE = "0b5cad"


@pytest.fixture
def visitor(app: Flask) -> Visitor:
    return Visitor(app)


def sizes(visitor: Visitor) -> dict[str, int]:
    """The bytes that the page tells of each format."""
    rows = [element.text for element in visitor.html.all("tr")][1:]
    found = [re.match(r"\s*([A-Z]+)\D*([\d,]+)", row) for row in rows]
    return {one[1].lower(): int(one[2].replace(",", "")) for one in found if one}


def test_everyone_sees_the_picture_and_the_bytes_that_each_format_really_has(visitor: Visitor) -> None:
    visitor.get("build?logo=heart&colourway=white&width=96&on=0B5CAD&space=1")
    variants = visitor.parts.variants
    told = sizes(visitor)
    assert set(told) == set(FORMATS)
    for form in FORMATS:
        wanted = VariantRequest("heart", "white", 96, form, space=True)
        assert told[form] == len(variants.get(wanted).bytes), form
    assert visitor.html.all("rect")[0].attributes["fill"] == f"#{BLUE}"
    around = variants.padding("heart", 96)
    (picture,) = visitor.html.all("image")
    assert {name: int(picture.attributes[name]) for name in ("x", "y", "width")} == {
        "x": around,
        "y": around,
        "width": 96,
    }
    assert "/en/join" in visitor.html.links(), "who may not embed is told how to"
    assert visitor.html.all("pre") == []


def test_a_drawing_is_counted_as_it_is_sent_to_who_takes_a_coding(app: Flask) -> None:
    """True bytes of each format: what ``auto`` sends is the one that is called the smallest."""
    answer = app.test_client().get("/en/build?logo=lockup&width=256", headers={"Accept-Encoding": "br"})
    assert "Accept-Encoding" in answer.vary
    visitor = Visitor(app)
    visitor.html = Html(brotli.decompress(answer.data).decode())
    variants = visitor.parts.variants
    wanted = VariantRequest("lockup", "blue", 256, "auto", coding="br")
    assert sizes(visitor)["svg"] == len(variants.get(replace(wanted, format="svg")).bytes)
    (badge,) = visitor.html.all("span", class_="badge-approved")
    assert badge.text
    least = min(sizes(visitor).items(), key=lambda one: one[1])[0]
    assert least == variants.smallest(wanted, tuple(FORMATS)).format == "svg"


REFUSED = {
    f"colourway=blue&on={BLUE}": {"colourway": "white", "on": BLUE},
    "width=8": {"width": "24"},
    "width=1000": {"width": "1008"},
    "width=999999999": {"width": "4096"},
    "on=blue": {"on": "ffffff"},
    "on=%22%3E%3Cb%3E": {"on": "ffffff"},
}


@pytest.mark.parametrize("lang", ["en", "ar"])
def test_each_refusal_leads_to_the_nearest_that_is_right(app: Flask, lang: str) -> None:
    visitor = Visitor(app, lang)
    for asked, nearest in REFUSED.items():
        visitor.get(f"build?logo=heart&{asked}")
        (notice,) = visitor.html.all("div", class_="notice-warn")
        assert notice.text.strip()
        assert visitor.html.all("image") == []
        right = visitor.html.all("a", class_="button-small")[0].attributes["href"]
        query = {name: values[0] for name, values in parse_qs(urlsplit(right).query).items()}
        assert nearest.items() <= query.items(), asked
        if nearest != {"width": "4096"}:  # takes seconds in every format
            visitor.get(right)
            assert visitor.html.all("div", class_="notice-warn") == []
            assert len(visitor.html.all("image")) == 1


def test_what_no_form_sends_is_the_first_choice(visitor: Visitor) -> None:
    for nonsense in ("logo=../x", "colourway=pink", "format=exe", "width=-3", "width=%D9%A3%D9%A0", "space=yes"):
        visitor.get(f"build?{nonsense}")
        assert len(visitor.html.all("image")) == 1, nonsense


def test_who_may_embed_gets_texts_that_work(visitor: Visitor) -> None:
    visitor.join()
    visitor.accept()
    visitor.get("build?logo=heart")
    assert "/en/account/embeds/new" in visitor.html.links()
    visitor.get("account/embeds/new")
    form = {"logo": "heart", "origins": "https://www.example.org", "unlisted": "report"}
    key = visitor.post("account/embeds/new", form).headers["Location"].rpartition("/")[2]
    visitor.get("build?logo=lockup")
    assert visitor.html.all("pre") == [], "an embed is for one logo"
    visitor.get(f"build?logo=heart&colourway=white&width=200&on={BLUE}&space=1&format=png")
    texts = {one.attributes["id"][2:]: one.text for one in visitor.html.all("pre")}
    assert list(texts) == ["url", "picture", "markdown", "css", "react", "signature", "oembed"]
    base = visitor.parts.settings.base_url
    assert texts["url"] == f"{base}/logos/{key}/heart/white/200.png?on={BLUE}&space=1"
    assert texts["oembed"] == f"{base}/en/embeds/{key}"
    width, height = visitor.parts.variants.size(VariantRequest("heart", "white", 200, "png", space=True))
    addresses = set()
    for name, text in texts.items():
        found = re.findall(rf"{re.escape(base)}/logos/[^\s\"')]+", html.unescape(text))
        assert found or name == "oembed", name
        addresses.update(found)
        if name in ("picture", "react", "signature"):
            assert re.search(rf'width="?{{?{width}\b', text), name
            assert re.search(rf'height="?{{?{height}\b', text), name
    for address in addresses:
        answer = visitor.client.get(address.removeprefix(base), headers={"Origin": "https://www.example.org"})
        assert answer.status_code == 200, address
    ElementTree.fromstring(re.sub(r"<((?:source|img)[^>]*)>", r"<\1/>", texts["picture"]))
    ElementTree.fromstring(re.sub(r"<(img[^>]*)>", r"<\1/>", texts["signature"]))
    visitor.get("build?logo=heart&width=1504&format=svg")
    largest = {one.attributes["id"]: one.text for one in visitor.html.all("pre")}["s-picture"]
    assert "4512" not in largest, "a density that is not offered is left out"
    assert visitor.client.get(f"/oembed?url={texts['oembed']}").status_code == 200
