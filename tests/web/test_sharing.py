"""What other programs show of a page when its address is shared, and the feed of new packages."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote
from xml.etree import ElementTree

import pytest
from PIL import Image

from service.campaign import LANGUAGES
from service.web import sharing

from .visitor import Visitor

if TYPE_CHECKING:
    from flask import Flask

ATOM = "{http://www.w3.org/2005/Atom}"
PAGES = (*sharing.PAGES, "actions/individual/learn-the-signs", "tools/posters", "terms/logo-terms")


@pytest.mark.parametrize("lang", ["en", "ar"])
def test_each_page_says_what_it_is_and_shows_a_picture(app: Flask, lang: str) -> None:
    visitor = Visitor(app, lang)
    base, titles = visitor.parts.settings.base_url, set[str]()
    descriptions, pictures = set[str](), set[str]()
    for page in PAGES:
        visitor.get(page)
        said = {
            one.attributes.get("property") or one.attributes.get("name", ""): one.attributes.get("content", "")
            for one in visitor.html.all("meta")
        }
        assert said["description"] == said["og:description"] != "", page
        assert said["og:url"] == f"{base}/{lang}/{page}"
        assert not page or said["og:title"] in visitor.html.all("title")[0].text
        titles.add(said["og:title"])
        descriptions.add(said["description"])
        pictures.add(said["og:image"])
        assert said["og:image"].startswith(f"{base}/share/{lang}/{page or 'home'}.png?v="), page
        assert (said["og:image:width"], said["og:image:height"]) == ("1200", "630")
        (told,) = (one.text for one in visitor.html.all("script", type="application/ld+json"))
        check_structured(json.loads(told), f"{base}/{lang}/{page}", said)
        (oembed,) = visitor.html.all("link", type="application/json+oembed")
        link = visitor.client.get(oembed.attributes["href"].removeprefix(base)).json
        assert link is not None
        assert (link["type"], link["thumbnail_url"]) == ("link", said["og:image"])
        assert link["title"] in said["og:title"]
        assert said["twitter:card"] == "summary_large_image"
        feeds = visitor.html.all("link", type="application/atom+xml")
        assert [one.attributes["href"] for one in feeds] == [f"{base}/{lang}/feed.atom"]
    assert len(titles) == len(pictures) == len(PAGES)
    assert len(descriptions) == len(PAGES), "each page says what it is, and not what the campaign is"
    visitor.get("sign-in")
    assert visitor.html.all("meta", property="og:title") == [], "what is for one person is not shared"


def check_structured(said: dict[str, Any], address: str, meta: dict[str, str]) -> None:
    """What search engines read: one page of a site of an organization, each named once, all references known."""
    assert said["@context"] == "https://schema.org"
    things = {one["@id"]: one for one in said["@graph"]}
    assert len(things) == len(said["@graph"])
    assert {one["@type"] for one in things.values()} >= {"Organization", "WebSite", "WebPage"}
    page = things[address]
    assert (page["url"], page["description"]) == (address, meta["description"])
    assert page["primaryImageOfPage"]["url"] == meta["og:image"]
    for name in ("isPartOf", "publisher", *(["breadcrumb"] if "breadcrumb" in page else [])):
        assert page[name]["@id"] in things
    if "/tools/" in address:
        assert things[page["mainEntity"]["@id"]]["isAccessibleForFree"] is True
    if "breadcrumb" in page:
        steps = things[page["breadcrumb"]["@id"]]["itemListElement"]
        assert [one["position"] for one in steps] == list(range(1, len(steps) + 1))
        assert steps[-1]["item"] == address


def test_the_picture_of_a_page_is_kept_by_caches(app: Flask) -> None:
    visitor = Visitor(app, "zh")
    page = visitor.get("tools/posters")
    assert page.status_code == 200
    (named,) = visitor.html.all("meta", property="og:image")
    address = named.attributes["content"].removeprefix(visitor.parts.settings.base_url)
    picture = visitor.client.get(address)
    assert (picture.status_code, picture.mimetype) == (200, "image/png")
    with Image.open(io.BytesIO(picture.data)) as image:
        assert image.size == (1200, 630)
    assert "immutable" in picture.headers["Cache-Control"]
    again = visitor.client.get(address, headers={"If-None-Match": picture.headers["ETag"]})
    assert again.status_code == 304
    old = visitor.client.get(address.partition("?")[0])
    assert (old.data, old.headers["Cache-Control"]) == (picture.data, "public, max-age=300")
    for missing in ("/share/zh/tools/none.png", "/share/xx/home.png", "/share/zh/account.png", "/share/zh/.png"):
        assert visitor.client.get(missing).status_code == 404


def test_oembed_gives_a_picture_within_the_limits(app: Flask) -> None:
    visitor = Visitor(app)
    url = f"{visitor.parts.settings.base_url}/fr/rules"
    small = visitor.client.get("/oembed", query_string={"url": url, "maxwidth": "600"}).json
    large = visitor.client.get("/oembed", query_string={"url": url, "maxwidth": "1200"}).json
    assert small is not None
    assert large is not None
    assert "thumbnail_url" not in small
    assert (large["thumbnail_width"], large["thumbnail_height"]) == (1200, 630)


def test_the_sitemap_names_every_page_in_every_language(app: Flask) -> None:
    visitor = Visitor(app)
    base = visitor.parts.settings.base_url
    root = ElementTree.fromstring(visitor.client.get("/sitemap.xml").data)
    spaces = {"map": "http://www.sitemaps.org/schemas/sitemap/0.9", "x": "http://www.w3.org/1999/xhtml"}
    listed = {}
    for url in root.findall("map:url", spaces):
        others = {one.attrib["hreflang"]: one.attrib["href"] for one in url.findall("x:link", spaces)}
        listed[url.findtext("map:loc", "", spaces)] = others
    for page in PAGES:
        expected = {lang: f"{base}/{lang}/{page}" for lang in LANGUAGES} | {"x-default": f"{base}/en/{page}"}
        assert all(listed[f"{base}/{lang}/{page}"] == expected for lang in LANGUAGES), page
    assert sum("/en/actions/" in address for address in listed) == len(list(sharing.actions(visitor.parts.campaign)))


def test_each_action_has_a_page_to_share(app: Flask) -> None:
    visitor = Visitor(app, "ru")
    visitor.get("actions")
    links = [one.attributes["href"] for one in visitor.html.all("a") if "/actions/" in one.attributes.get("href", "")]
    assert len(links) == len(list(sharing.actions(visitor.parts.campaign)))
    for address in (links[0], links[-1]):
        visitor.get(address)
        assert visitor.html.all("pre", id="address")[0].text == visitor.parts.settings.base_url + address
        (mail,) = (one for one in visitor.html.all("a") if one.attributes["href"].startswith("mailto:?subject="))
        assert quote(address, safe="/") in mail.attributes["href"]
    assert visitor.client.get("/ru/actions/individual/none").status_code == 404


@pytest.mark.parametrize("lang", ["fr", "zh"])
def test_the_feed_lists_the_packages_newest_first(app: Flask, lang: str) -> None:
    visitor = Visitor(app, lang)
    answer = visitor.client.get(f"/{lang}/feed.atom")
    assert answer.mimetype == "application/atom+xml"
    root = ElementTree.fromstring(answer.data)
    entries = root.findall(f"{ATOM}entry")
    packages = {one.id: one for one in visitor.parts.catalogue.current()}
    assert {entry.findtext(f"{ATOM}title") for entry in entries} == {
        f"{one.title.get(lang)} {one.version}" for one in packages.values()
    }
    told = [entry.findtext(f"{ATOM}updated") or "" for entry in entries]
    assert told == sorted(told, reverse=True)
    assert len({entry.findtext(f"{ATOM}id") for entry in entries}) == len(entries)
    for entry in entries:
        link = entry.find(f"{ATOM}link")
        assert link is not None
        visitor.get(link.attrib["href"].removeprefix(visitor.parts.settings.base_url))
    posters = packages["posters"]
    visitor.parts.catalogue.withdraw("posters", posters.version, "a fault in print", by="staff:cli")
    assert f"/{lang}/tools/posters" not in visitor.client.get(f"/{lang}/feed.atom").text
    known = visitor.client.get(f"/{lang}/feed.atom")
    again = visitor.client.get(f"/{lang}/feed.atom", headers={"If-None-Match": known.headers["ETag"]})
    assert again.status_code == 304
