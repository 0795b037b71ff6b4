"""What other programs show of a page when its address is shared, and the feed of new packages."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree

import pytest

from .visitor import Visitor

if TYPE_CHECKING:
    from flask import Flask

ATOM = "{http://www.w3.org/2005/Atom}"
PAGES = ("", "actions", "protocol", "rules", "tools", "tools/posters", "wear", "build", "join", "terms/logo-terms")


@pytest.mark.parametrize("lang", ["en", "ar"])
def test_each_page_says_what_it_is_and_shows_a_picture(app: Flask, lang: str) -> None:
    visitor = Visitor(app, lang)
    base, titles = visitor.parts.settings.base_url, set()
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
        picture = visitor.client.get(said["og:image"].removeprefix(base))
        assert (picture.status_code, picture.mimetype) == (200, "image/png"), page
        assert said["twitter:card"] == "summary_large_image"
        feeds = visitor.html.all("link", type="application/atom+xml")
        assert [one.attributes["href"] for one in feeds] == [f"{base}/{lang}/feed.atom"]
    assert len(titles) == len(PAGES)
    visitor.get("sign-in")
    assert visitor.html.all("meta", property="og:title") == [], "what is for one person is not shared"


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
