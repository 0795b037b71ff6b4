"""The picture that stands for a page where its address is shared."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from service.campaign import LANGUAGES, Campaign
from service.sharing import SIZE, Card, SharePictures
from service.storage import open_storage


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> SharePictures:
    return SharePictures(open_storage(tmp_path_factory.mktemp("shared").as_uri()))


def card(campaign: Campaign, language: str, title: str = "") -> Card:
    return Card.of(campaign, "heart", language, title or campaign.info.title.get(language))


def inked(png: bytes, left: int, right: int) -> tuple[int, int]:
    """How many pixels of the first line are not the ground, at the left and at the right of a picture."""
    image = Image.open(io.BytesIO(png)).convert("RGB")
    assert image.size == SIZE
    ground, edge = image.getpixel((2, 2)), 150
    counts = []
    for box in ((72, 60, 72 + left, edge), (1128 - right, 60, 1128, edge)):
        part = image.crop(box)
        counts.append(sum(1 for pixel in part.get_flattened_data() if pixel != ground))
    return counts[0], counts[1]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_title_begins_at_the_edge_where_the_language_begins(
    campaign: Campaign, pictures: SharePictures, language: str
) -> None:
    title = {"ar": "قلب", "zh": "蓝心", "ru": "Сердце"}.get(language, "Heart")
    left, right = inked(pictures.png(card(campaign, language, title)), 60, 60)
    assert (right > left == 0) if language == "ar" else (left > right == 0)


@pytest.mark.parametrize("language", ["ar", "ru", "zh"])
def test_letters_of_each_script_are_drawn_and_not_boxes(
    campaign: Campaign, pictures: SharePictures, language: str
) -> None:
    one, other = {"ar": ("قلب", "كتب"), "ru": ("Жар", "Щит"), "zh": ("蓝", "红")}[language]
    assert pictures.png(card(campaign, language, one)) != pictures.png(card(campaign, language, other))


def test_a_title_however_long_leaves_the_foot_free(campaign: Campaign, pictures: SharePictures) -> None:
    foot = (72, 520, 740, 630)
    long = "Ответственность организаций за предупреждение торговли людьми и поддержку пострадавших"
    shown = Image.open(io.BytesIO(pictures.png(card(campaign, "ru", long)))).crop(foot)
    usual = Image.open(io.BytesIO(pictures.png(card(campaign, "ru", "Сердце")))).crop(foot)
    assert list(shown.convert("RGB").get_flattened_data()) == list(usual.convert("RGB").get_flattened_data())


def test_a_picture_is_drawn_once_for_all_processes(campaign: Campaign, tmp_path: Path) -> None:
    storage = open_storage(tmp_path.as_uri())
    first = SharePictures(storage).png(card(campaign, "en"))
    (kept,) = storage.list("shared/")
    storage.replace(kept.key, first + b"\0")  # whoever reads it has not drawn it anew
    assert SharePictures(storage).png(card(campaign, "en")) == first + b"\0"


def test_whatever_shows_is_in_the_digest(campaign: Campaign) -> None:
    one = card(campaign, "en")
    others = [
        replace(one, title="Other"),
        replace(one, language="fr"),
        replace(one, campaign="Other"),
        replace(one, ground="000000"),
        replace(one, ink="000000"),
        replace(one, logo=b"<svg/>"),
        replace(one, preview=b"png"),
        replace(one, aspect_ratio=2.0),
    ]
    assert len({each.digest for each in (one, *others)}) == 9
