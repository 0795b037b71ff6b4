"""oEmbed: an editor that is given the address of an embed's page gets the logo, within its limits."""

from __future__ import annotations

import io
import re
from html import unescape
from typing import Any
from urllib.parse import urlencode
from xml.etree import ElementTree

import pytest
from PIL import Image

from .conftest import Api, problem

FIELDS = ["version", "type", "title", "provider_name", "provider_url", "cache_age", "url", "width", "height"]


def embed(api: Api, logo: str = "heart", **changes: Any) -> str:
    """The key of a new embed."""
    body = {"participant": api.ready(), "logo": logo, "origins": ["https://www.example.org"]} | changes
    answer = api.ask("POST", "/api/v1/embeds", key="portal", json=body)
    assert answer.status_code == 201, answer.text
    return str(answer.json["key"])


def page(api: Api, key: str, lang: str = "en") -> str:
    """The address of an embed's page."""
    return f"{api.parts.settings.base_url}/{lang}/embeds/{key}"


def oembed(api: Api, url: str, **query: Any) -> Any:
    """What an editor gets for an address."""
    return api.ask("GET", "/oembed?" + urlencode({"url": url} | query))


def height(api: Api, width: int, logo: str = "heart") -> int:
    return round(width / api.parts.campaign.logos[logo].aspect_ratio)


@pytest.mark.parametrize("logo", ["heart", "lockup"])
def test_the_answer_is_a_photo_that_is_as_large_as_it_says(api: Api, logo: str) -> None:
    key = embed(api, logo)
    answer = oembed(api, page(api, key))
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/json")
    assert answer.headers["Cache-Control"] == "public, max-age=300"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    told = answer.json
    base = api.parts.settings.base_url
    assert list(told) == FIELDS
    assert (told["version"], told["type"], told["cache_age"]) == ("1.0", "photo", 300)
    assert told["title"] == api.parts.campaign.logos[logo].title.get("en")
    assert told["provider_name"] == api.parts.campaign.info.name.get("en")
    assert told["provider_url"] == f"{base}/en/"
    assert (told["width"], told["height"]) == (512, height(api, 512, logo))
    assert told["url"].startswith(f"{base}/logos/{key}/{logo}/")
    shown = api.ask("GET", told["url"].removeprefix(base))
    assert (shown.status_code, shown.mimetype) == (200, "image/png")
    with Image.open(io.BytesIO(shown.data)) as picture:
        assert picture.size == (told["width"], told["height"])


def test_xml_says_the_same_as_json(api: Api) -> None:
    url = page(api, embed(api))
    answer = oembed(api, url, format="xml")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/xml; charset=utf-8")
    root = ElementTree.fromstring(answer.data)
    assert root.tag == "oembed"
    as_json = oembed(api, url, format="json")
    assert as_json.json == oembed(api, url).json
    assert {field.tag: field.text for field in root} == {name: str(value) for name, value in as_json.json.items()}


def test_xml_keeps_every_sign_of_a_title(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    title = 'R & D <b>"heart"</b> ]]> 心'
    monkeypatch.setattr(type(api.parts.campaign.logos["heart"].title), "get", lambda *_: title)
    url = page(api, embed(api))
    assert ElementTree.fromstring(oembed(api, url, format="xml").data).findtext("title") == title
    assert oembed(api, url).json["title"] == title


@pytest.mark.parametrize("lang", ["ar", "en", "es", "fr", "ru", "zh"])
def test_the_words_are_those_of_the_page(api: Api, lang: str) -> None:
    told = oembed(api, page(api, embed(api), lang)).json
    assert told["title"] == api.parts.campaign.logos["heart"].title.get(lang)
    assert told["provider_url"].endswith(f"/{lang}/")


def test_the_page_leads_to_both_answers(api: Api) -> None:
    key = embed(api)
    text = api.ask("GET", f"/fr/embeds/{key}").text
    found = dict(re.findall(r'<link rel="alternate" type="([^"]+oembed)" href="([^"]+)"', text))
    assert set(found) == {"application/json+oembed", "text/xml+oembed"}
    for kind, address in found.items():
        path = unescape(address).removeprefix(api.parts.settings.base_url)
        answer = api.ask("GET", path)
        assert (answer.status_code, answer.mimetype) == (200, kind.removesuffix("+oembed"))
        assert api.parts.campaign.logos["heart"].title.get("fr") in answer.text


@pytest.mark.parametrize("more", ["?utm_source=mail", "#title-html", "?a=b#c"])
def test_what_is_added_to_the_address_changes_nothing(api: Api, more: str) -> None:
    url = page(api, embed(api))
    assert oembed(api, url + more).json == oembed(api, url).json


# ---- limits of the editor


@pytest.mark.parametrize(
    ("limits", "width"),
    [
        ({"maxwidth": 200}, 200),
        ({"maxwidth": 511}, 511),
        ({"maxwidth": 100_000}, 512),
        ({"maxwidth": 100, "maxheight": 100_000}, 100),
    ],
)
def test_a_width_is_kept_within_the_limits(api: Api, limits: dict[str, int], width: int) -> None:
    told = oembed(api, page(api, embed(api)), **limits).json
    assert (told["width"], told["height"]) == (width, height(api, width))
    assert f"/{width}.png" in told["url"]


@pytest.mark.parametrize("highest", [50, 97, 100, 300])
def test_the_picture_is_the_widest_that_is_not_too_high(api: Api, highest: int) -> None:
    told = oembed(api, page(api, embed(api, "lockup")), maxheight=highest).json
    assert told["height"] <= highest
    assert told["height"] == height(api, told["width"], "lockup")
    assert told["width"] == 512 or height(api, told["width"] + 1, "lockup") > highest


@pytest.mark.parametrize("name", ["maxwidth", "maxheight"])
def test_smaller_than_the_rules_allow_is_refused_and_not_shown(api: Api, name: str) -> None:
    told = problem(oembed(api, page(api, embed(api)), **{name: 5}), 422, "below-minimum-size")
    assert told["minimum"] == api.parts.campaign.brand.logo("heart").minimum.px
    smallest = told["minimum"]
    assert oembed(api, page(api, embed(api)), maxwidth=smallest).json["width"] == smallest


@pytest.mark.parametrize("name", ["maxwidth", "maxheight"])
@pytest.mark.parametrize("value", ["", "0", "-1", "1.5", "1e3", "wide", "٦٤", "9" * 10, " 64"])
def test_a_limit_that_is_no_number_of_pixels_is_pointed_at(api: Api, name: str, value: str) -> None:
    told = problem(oembed(api, page(api, "ebd_x"), **{name: value}), 422, "invalid-request")
    assert [error["pointer"] for error in told["errors"]] == [f"?{name}"]


# ---- what is refused


@pytest.mark.parametrize("kind", ["yaml", "JSON", "", "jsonp"])
def test_a_format_that_is_not_made_is_501(api: Api, kind: str) -> None:
    problem(oembed(api, page(api, embed(api)), format=kind), 501, "oembed-format")


def test_without_an_address_it_is_asked_for(api: Api) -> None:
    for path in ("/oembed", "/oembed?url=", "/oembed?format=xml"):
        told = problem(api.ask("GET", path), 422, "invalid-request")
        assert [error["pointer"] for error in told["errors"]] == ["?url"]


@pytest.mark.parametrize(
    "address",
    [
        "{base}/en/embeds/ebd_none",
        "{base}/en/embeds/ebd_AAAAAAAAAAAAAAAAAAAAAA",
        "{base}/de/embeds/{key}",
        "{base}/embeds/{key}",
        "{base}/en/embeds/{key}/more",
        "{base}/en/embeds/",
        "{base}/en/tools/{key}",
        "{base}/en/embeds/{key}%2F..",
        "{base}/en/embeds/{key}%00",
        "{base}//en/embeds/{key}",
        "{base}@evil.example/en/embeds/{key}",
        "{base}0/en/embeds/{key}",
        "https://evil.example/en/embeds/{key}",
        "//evil.example/en/embeds/{key}",
        "/en/embeds/{key}",
        "en/embeds/{key}",
        "javascript:alert(1)",
        "{key}",
        "{base}/en/embeds/" + "A" * 10_000,
    ],
)
def test_any_other_address_is_404(api: Api, address: str) -> None:
    key = embed(api)
    url = address.format(base=api.parts.settings.base_url, key=key)
    known = address.startswith("{base}/en/embeds/") and not address.endswith(("/more", "/"))
    for form in ("json", "xml"):
        problem(oembed(api, url, format=form), 404, "unknown-embed" if known else "not-found")


def test_an_embed_that_may_not_show_its_logo_is_not_handed_out(api: Api) -> None:
    key = embed(api)
    url = page(api, key)
    who = api.ask("GET", f"/api/v1/embeds/{key}", key="staff").json["participant"]
    body = {"outcome": "suspended", "reason": "A test."}
    api.ask("POST", f"/api/v1/participants/{who}/decisions", key="staff", json=body)
    api.parts.embeds.refresh()
    problem(oembed(api, url), 403, "participant-suspended")
    api.ask("DELETE", f"/api/v1/embeds/{key}", key="staff")
    problem(oembed(api, url), 410, "embed-revoked")


def test_who_guesses_keys_is_sent_away(api: Api) -> None:
    api.parts.limiter.enabled = True
    statuses = [oembed(api, page(api, f"ebd_{number:022}")).status_code for number in range(61)]
    assert statuses == [404] * 60 + [429]
    assert int(oembed(api, page(api, f"ebd_{77:022}")).headers["Retry-After"]) > 0


def test_an_address_with_nul_is_a_mistake_as_everywhere(api: Api) -> None:
    problem(oembed(api, "\0", format="json"), 422, "invalid-request")
