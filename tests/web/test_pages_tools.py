"""From a package's page to its bytes, and what belongs to somebody shown to nobody else."""

from __future__ import annotations

import hashlib
import io
from collections import Counter
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from PIL import Image, ImageChops, ImageStat

from .visitor import Visitor

if TYPE_CHECKING:
    from flask import Flask


@pytest.fixture
def visitor(app: Flask) -> Visitor:
    return Visitor(app)


def test_each_package_shows_picture_size_formats_and_licence_before_any_download(visitor: Visitor) -> None:
    catalogue = visitor.parts.catalogue
    packages = catalogue.current()
    assert len(packages) >= 5
    listed = visitor.get("tools").text
    for package in packages:
        assert f"/en/tools/{package.id}" in visitor.html.links()
        picture = f"/brand/packages/{package.id}/{package.version}.png"
        assert picture in listed
        assert visitor.client.get(picture).data == catalogue.preview(package)
    for package in packages:
        text = visitor.get(f"tools/{package.id}").text
        assert package.sha256 in text
        assert ", ".join(package.formats) in text
        for file in package.files:
            assert file["path"] in text
            assert file["sha256"] in text
        assert "/en/join" in visitor.html.links()


@pytest.mark.parametrize(("form", "share"), [("avif", 0.4), ("webp", 0.6)])
def test_previews_are_shown_in_the_width_and_format_that_the_browser_needs(
    visitor: Visitor, form: str, share: float
) -> None:
    catalogue = visitor.parts.catalogue
    listed = visitor.get("tools").text
    taken: Counter[int] = Counter()
    for package in catalogue.current():
        for width in (384, 640):
            address = f"/brand/packages/{package.id}/{package.version}/{width}.{form}"
            assert f"{address} {width}w" in listed
            answer = visitor.client.get(address)
            assert (answer.status_code, answer.mimetype) == (200, f"image/{form}")
            assert visitor.client.get(address, headers={"If-None-Match": answer.headers["ETag"]}).status_code == 304
            taken[width] += len(answer.data)
            shown = Image.open(io.BytesIO(answer.data)).convert("RGB")
            published = Image.open(io.BytesIO(catalogue.preview(package))).convert("RGB")
            assert shown.size == (width, width * 400 // 640)
            beside = published.resize(shown.size, Image.Resampling.LANCZOS)
            assert max(ImageStat.Stat(ImageChops.difference(shown, beside)).rms) < 8
    assert taken[384] < taken[640] < share * sum(len(catalogue.preview(one)) for one in catalogue.current())


@pytest.mark.parametrize("file", ["100.webp", "640.png", "384.jpg", "x.avif"])
def test_other_previews_are_not_made(visitor: Visitor, file: str) -> None:
    package = visitor.parts.catalogue.current()[0]
    assert visitor.client.get(f"/brand/packages/{package.id}/{package.version}/{file}").status_code == 404


@pytest.mark.parametrize("lang", ["ar", "en", "es", "fr", "ru", "zh"])
def test_printers_are_told_which_folder_is_for_what_and_the_inks(app: Flask, lang: str) -> None:
    visitor = Visitor(app, lang=lang)
    told = visitor.get("tools/logo").text.partition('id="printers"')[2].partition("</section>")[0]
    for folder in ("svg/", "png/", "pdf-screen/", "pdf-print-cmyk/", "pdf-print-spot/", "eps-print-cmyk/"):
        assert f"<bdi>{folder}</bdi>" in told
    for name, colourway in visitor.parts.campaign.brand.colourways.items():
        assert f"<bdi>#{colourway.hex}</bdi>" in told, name
        assert f"<bdi>{' '.join(map(str, colourway.cmyk))}</bdi>" in told
    assert "Blue Heart Blue" in told
    assert ("For printers" in visitor.get("tools/logo").text) == (lang == "en")
    assert 'id="printers"' in visitor.get("tools/posters").text
    assert 'id="printers"' not in visitor.get("tools/web-banners").text


def test_the_walk_from_the_terms_to_the_bytes(visitor: Visitor) -> None:
    visitor.join()
    visitor.get("tools/logo")
    shown = visitor.html.hidden
    terms = visitor.parts.campaign.terms.current("logo-terms", visitor.parts.clock())
    assert (shown["version"], shown["digest"]) == (terms.version, terms.digest("en"))
    visitor.accept()
    (acceptance,) = visitor.parts.participants.acceptances.of(visitor.parts.participants.listing.list().items[0].id)
    assert (acceptance.digest, acceptance.signatory_name) == (terms.digest("en"), "Example Person")
    visitor.get("tools/logo")
    ready = visitor.post("download", {}).headers["Location"]
    visitor.get(ready)
    (link,) = [one.attributes["href"] for one in visitor.html.all("a") if "download" in one.attributes]
    got = visitor.client.get(urlsplit(link).path, headers={"User-Agent": "Mozilla/5.0 (X11) Firefox/140.0"})
    assert hashlib.sha256(got.data).hexdigest() == visitor.parts.catalogue.current_version("logo").sha256
    visitor.get("tools/logo")
    visitor.get(visitor.post("download", {"path": "svg/heart-blue.svg"}).headers["Location"])
    (single,) = [one.attributes["href"] for one in visitor.html.all("a") if "download" in one.attributes]
    assert visitor.client.get(urlsplit(single).path).mimetype == "image/svg+xml"
    account = visitor.get("account").text
    assert acceptance.digest in account
    assert urlsplit(ready).path in visitor.html.links()
    stranger = Visitor(visitor.app)
    stranger.get(ready, status=401)
    stranger.join()
    stranger.get(ready, status=404)
    link_id = urlsplit(ready).path.rpartition("/")[2]
    stranger.get("account")
    stranger.post(f"account/links/{link_id}/revocation", {}, status=404)
    stranger.get(f"account/receipts/{acceptance.id}", status=404)
    visitor.get("account")
    visitor.post(f"account/links/{link_id}/revocation", {})
    assert visitor.client.get(urlsplit(link).path).status_code == 410
    assert "download any more" in visitor.get(ready).text


def test_accepting_needs_a_name_and_a_capacity(visitor: Visitor) -> None:
    visitor.join("civil_society")
    visitor.get("tools/logo")
    visitor.post("download", {"name": "Example & Person", "capacity": ""}, status=422)
    assert {one.attributes["href"] for one in visitor.html.all("a") if "#f-" in one.attributes["href"]} == {
        "#f-capacity",
    }
    assert visitor.html.all("input", id="f-name")[0].attributes["value"] == "Example & Person"
    assert visitor.parts.participants.acceptances.of(visitor.parts.participants.listing.list().items[0].id) == ()


def test_only_the_text_that_was_shown_can_be_accepted(visitor: Visitor) -> None:
    visitor.join()
    given = {"name": "Example Person", "capacity": "For myself"}
    old = visitor.parts.campaign.terms.versions("logo-terms")[-1]
    for wrong in ({"digest": "0" * 64}, {"version": old.version, "digest": old.digest("en")}):
        visitor.get("tools/logo")
        visitor.post("download", given | wrong, status=409)
        assert "have changed" in visitor.html.all("div", class_="summary")[0].text
    assert visitor.parts.participants.acceptances.of(visitor.parts.participants.listing.list().items[0].id) == ()


def test_who_is_not_approved_is_told_so_and_gets_no_link(visitor: Visitor) -> None:
    visitor.join(purposes=["commercial"])
    visitor.get("tools/logo")
    assert visitor.html.all("span", class_="badge-under_review")
    visitor.get("account")
    visitor.post("download", {"package": "logo"}, status=403)


def test_embeds_are_made_shown_and_ended(visitor: Visitor) -> None:
    visitor.join()
    visitor.get("account/embeds/new")
    form = {"logo": "heart", "origins": "https://www.example.org", "unlisted": "report"}
    visitor.post("account/embeds/new", form, status=403)
    visitor.accept()
    visitor.get("account/embeds/new")
    visitor.post("account/embeds/new", form | {"origins": "https://www.example.org/path"}, status=422)
    assert "https://www.example.org/path" in visitor.html.all("textarea")[0].text
    page = visitor.post("account/embeds/new", form).headers["Location"]
    key = page.rpartition("/")[2]
    text = Visitor(visitor.app).get(page).text
    assert f"/logos/{key}/heart/" in text
    assert "application/json+oembed" in text
    stranger = Visitor(visitor.app)
    stranger.join()
    stranger.get("account")
    stranger.post(f"account/embeds/{key}/revocation", {}, status=404)
    visitor.get("account")
    visitor.post(f"account/embeds/{key}/revocation", {})
    visitor.get(page, status=410)
    visitor.get("embeds/ebd_none-such", status=404)
