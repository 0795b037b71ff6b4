"""The pages for everyone: there in six languages, well-formed, without anything from elsewhere or dead links."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from service.campaign import LANGUAGES
from service.problems import REGISTRY

from .visitor import Html, Visitor, inside

if TYPE_CHECKING:
    from flask import Flask

PAGES: tuple[str, ...] = (
    "",
    "actions",
    "actions/individual/learn-the-signs",
    "protocol",
    "rules",
    "terms/logo-terms",
    "join",
    "join?kind=government",
    "sign-in",
)
PAGES += ("tools", "tools/logo", "privacy", "join/sent", "sign-in/sent")


@pytest.fixture
def visitor(app: Flask) -> Visitor:
    return Visitor(app)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_page_is_served_in_every_language(visitor: Visitor, lang: str) -> None:
    visitor.lang = lang
    for page in PAGES:
        answer = visitor.get(page)
        (root,) = visitor.html.all("html")
        assert root.attributes == {"lang": lang, "dir": "rtl" if lang == "ar" else "ltr"}, page
        assert not visitor.html.mistakes, (page, visitor.html.mistakes[:3])
        assert len(visitor.html.all("h1")) == 1, page
        assert visitor.html.all("title")[0].text.strip(), page
        assert answer.headers["Content-Language"] == lang


@pytest.mark.parametrize("lang", LANGUAGES)
def test_no_page_has_inline_code_or_anything_from_elsewhere(visitor: Visitor, lang: str) -> None:
    visitor.lang = lang
    for page in PAGES:
        visitor.get(page)
        for element in visitor.html.elements:
            assert "style" not in element.attributes, (page, element)
            assert not [name for name in element.attributes if name.startswith("on")], (page, element)
            assert element.tag != "style", page
            for name in ("src", "srcset", "data"):
                assert not re.match(r"(https?:)?//|data:", element.attributes.get(name, "")), (page, element)
            if element.tag == "script" and element.attributes.get("type") != "application/ld+json":  # which is data
                assert element.attributes["src"].startswith("/static/")
            if element.tag == "link" and element.attributes["rel"] in ("stylesheet", "icon"):
                assert element.attributes["href"].startswith("/"), (page, element)


def test_links_lead_somewhere(visitor: Visitor) -> None:
    seen: set[str] = set()
    waiting = [f"/{visitor.lang}/"]
    while waiting:
        page = waiting.pop()
        if page in seen:
            continue
        seen.add(page)
        answer = visitor.client.get(page, headers={"Accept": "text/html"})
        assert answer.status_code in (200, 302), (page, answer.status)
        if answer.mimetype != "text/html" or answer.status_code != 200:
            continue
        html = Html(answer.text)
        ids = {element.attributes["id"] for element in html.elements if "id" in element.attributes}
        for link in html.links():
            if link.startswith("#"):
                assert link[1:] in ids, (page, link)
            elif inside(page, link) and (page.startswith("/en/") or link.startswith("/en/")):
                waiting.append(inside(page, link))
    assert len(seen) > 30


def test_ids_are_given_once(visitor: Visitor) -> None:
    for page in PAGES:
        visitor.get(page)
        ids = [element.attributes["id"] for element in visitor.html.elements if "id" in element.attributes]
        assert len(ids) == len(set(ids)), (page, sorted(one for one in ids if ids.count(one) > 1))


def test_headings_go_down_one_level_at_a_time(visitor: Visitor) -> None:
    for page in PAGES:
        visitor.get(page)
        levels = [int(element.tag[1]) for element in visitor.html.elements if re.fullmatch("h[1-6]", element.tag)]
        assert levels[0] == 1, page
        for before, after in pairwise(levels):
            assert after <= before + 1, (page, levels)


def test_every_field_has_a_label(visitor: Visitor) -> None:
    for kind in visitor.parts.campaign.eligibility.kinds:
        visitor.get(f"join?kind={kind.id}")
        labelled = {label.attributes["for"] for label in visitor.html.all("label")}
        for tag in ("input", "select", "textarea"):
            for found in visitor.html.all(tag):
                if found.attributes.get("type") != "hidden":
                    assert found.attributes["id"] in labelled, (kind.id, found)


@pytest.mark.parametrize(
    ("accepted", "lang"),
    [
        ("fr", "fr"),
        ("fr-CA, en;q=0.8", "fr"),
        ("de, ru;q=0.7, en;q=0.3", "ru"),
        ("zh-Hans-CN", "zh"),
        ("pt", "en"),
        ("", "en"),
        ("ar;q=0, es", "es"),
    ],
)
def test_the_address_without_language_leads_to_the_visitors(visitor: Visitor, accepted: str, lang: str) -> None:
    answer = visitor.client.get("/", headers={"Accept-Language": accepted})
    assert answer.status_code == 302
    assert answer.headers["Location"] == f"/{lang}/"
    assert "Accept-Language" in answer.headers["Vary"]


def test_pages_name_themselves_in_the_other_languages(visitor: Visitor) -> None:
    visitor.get("rules")
    alternates = {
        one.attributes["hreflang"]: one.attributes["href"]
        for one in visitor.html.all("link", rel="alternate")
        if "type" not in one.attributes  # the feed is another form of the page, and no other language
    }
    base = visitor.parts.settings.base_url
    expected = {lang: f"{base}/{lang}/rules" for lang in LANGUAGES}
    assert alternates == expected | {"x-default": f"{base}/en/rules"}
    assert {f"/{lang}/rules" for lang in LANGUAGES} <= visitor.html.links()


def test_the_language_switch_keeps_what_was_chosen(visitor: Visitor) -> None:
    visitor.get("join?kind=government")
    switch = {one.attributes["formaction"] for one in visitor.html.all("button", name="keep")}
    assert "/fr/join?kind=government" in switch
    visitor.get("tools?kind=logo")
    assert "/fr/tools?kind=logo" in visitor.html.links()


def test_public_pages_are_cacheable_and_known_ones_are_not_sent_again(visitor: Visitor) -> None:
    answer = visitor.get("protocol")
    assert answer.headers["Cache-Control"] == "public, max-age=60"
    again = visitor.client.get("/en/protocol", headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304
    assert not answer.headers.getlist("Set-Cookie")


def test_unknown_pages_are_explained_in_the_visitors_language(visitor: Visitor) -> None:
    visitor.lang = "fr"
    visitor.get("nothing-here", status=404)
    assert visitor.html.all("html")[0].attributes["lang"] == "fr"
    assert "Il n’y a rien ici" in visitor.html.all("h1")[0].text


def test_every_problem_has_its_page(visitor: Visitor) -> None:
    for slug, kind in REGISTRY.items():
        answer = visitor.client.get(f"/problems/{slug}")
        assert answer.status_code == 200, slug
        html = Html(answer.text)
        assert html.all("h1")[0].text == kind.title
        assert "Accept-Language" in answer.headers["Vary"]
    assert visitor.client.get("/problems/none-such").status_code == 404


def test_terms_are_shown_by_version_with_the_digest_of_their_text(visitor: Visitor) -> None:
    terms = visitor.parts.campaign.terms
    for version in terms.versions("logo-terms"):
        for visitor.lang in LANGUAGES:
            visitor.get(f"terms/logo-terms/{version.version}")
            digests = [one.text for one in visitor.html.all("span", class_="digest")]
            assert digests == [version.digest(visitor.lang)]
            # A translation says which text counts, and leads there.
            counts = f"/en/terms/logo-terms/{version.version}"
            notices = [one for one in visitor.html.all("div", class_="notice") if "English" in one.text]
            assert len(notices) == (visitor.lang != "en")
            assert not notices or counts in visitor.html.links()
    for wrong in ("terms/none-such", "terms/logo-terms/1999-01-01"):
        visitor.get(wrong, status=404)


def test_the_rules_page_draws_what_the_brand_rules_say(visitor: Visitor) -> None:
    text = visitor.get("rules").text
    brand = visitor.parts.campaign.brand
    for change in brand.forbidden:
        assert change.title.get("en") in text
    for rules in brand.logos.values():
        assert f"{rules.minimum.px} pixels" in text
    table = text[text.index("<table") : text.index("</table>")]
    for colour in re.findall(r'fill="#([0-9a-f]{6})"/><image href="/brand/heart/', table):
        brand.allowed_on("heart", colour)
    rows = re.findall(r"<tr>\s*<th scope=\"row\">.*?</tr>", table, re.DOTALL)
    assert rows
    for row in rows:
        background = re.search(r"<code>#([0-9a-f]{6})</code>", row)
        assert background
        ways = re.findall(r"/brand/heart/(\w+)\.svg.*?badge-(right|wrong)", row, re.DOTALL)
        assert {way for way, verdict in ways if verdict == "right"} == set(brand.allowed_on("heart", background[1]))


def test_masters_are_served_to_our_pages_and_run_nothing(visitor: Visitor) -> None:
    answer = visitor.client.get("/brand/heart/blue.svg")
    assert answer.mimetype == "image/svg+xml"
    assert answer.data == visitor.parts.campaign.logos["heart"].drawing("blue").plain()
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
    for wrong in ("/brand/heart/pink.svg", "/brand/nothing/blue.svg"):
        visitor.get(wrong, status=404)
