"""Versions of the terms, their bytes and digests, and the HTML made of them."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.campaign import Campaign
from service.campaign.terms import render
from service.problems import UnknownTerms, UnknownVersion

from .conftest import ROOT, Copy

SOON = datetime(2027, 1, 1, tzinfo=UTC)


def test_each_has_an_older_version_beside_the_current_one(campaign: Campaign) -> None:
    assert campaign.terms.ids() == ("logo-terms", "tool-terms")
    for terms in campaign.terms.ids():
        newest, *older = campaign.terms.versions(terms)
        assert older
        assert all(version.effective < newest.effective for version in older)
        assert campaign.terms.current(terms, SOON) == newest
        assert campaign.terms.current(terms, newest.effective) == newest
        assert campaign.terms.current(terms, newest.effective - timedelta(microseconds=1)) == older[0]


def test_before_the_first_version_none_is_current(campaign: Campaign) -> None:
    with pytest.raises((UnknownTerms, UnknownVersion)):
        campaign.terms.current("logo-terms", datetime(2000, 1, 1, tzinfo=UTC))


def test_a_version_to_come_is_listed_and_not_current(copy: Copy) -> None:
    folder = copy.policies / "terms" / "logo-terms"
    (folder / "2026-03-01").rename(folder / "2099-01-01.2")
    copy.edit("terms/logo-terms/terms.yaml", '"2026-03-01"', '"2099-01-01.2"')
    copy.edit("terms/logo-terms/terms.yaml", "2026-03-01T00:00:00Z", "2099-01-01T02:00:00+02:00")
    terms = copy.load().terms
    coming = terms.versions("logo-terms")[0]
    assert (coming.version, coming.effective) == ("2099-01-01.2", datetime(2099, 1, 1, tzinfo=UTC))
    assert terms.current("logo-terms", SOON).version == "2024-07-30"
    assert terms.get("logo-terms", "2099-01-01.2") == coming


def test_later_corrections_of_a_day_are_newer(copy: Copy) -> None:
    folder = copy.policies / "terms" / "logo-terms"
    (folder / "2026-03-01").rename(folder / "2026-03-01.10")
    (folder / "2024-07-30").rename(folder / "2026-03-01.9")
    copy.edit("terms/logo-terms/terms.yaml", '"2026-03-01"', '"2026-03-01.10"')
    copy.edit("terms/logo-terms/terms.yaml", '"2024-07-30"', '"2026-03-01.9"')
    assert [version.version for version in copy.load().terms.versions("logo-terms")] == [
        "2026-03-01.10",
        "2026-03-01.9",
    ]


def test_the_digest_is_that_of_exactly_the_files_bytes(campaign: Campaign) -> None:
    for terms in campaign.terms.ids():
        for version in campaign.terms.versions(terms):
            for lang in version.languages:
                raw = (ROOT / "policies" / "terms" / terms / version.version / f"{lang}.md").read_bytes()
                assert version.text(lang).encode() == version.raw(lang) == raw
                assert version.digest(lang) == hashlib.sha256(raw).hexdigest()


def test_line_ends_and_spaces_are_kept(copy: Copy) -> None:
    path = copy.policies / "terms/logo-terms/2026-03-01/en.md"
    path.write_bytes(b"# Terms\r\n\r\nOne.  \r\n\xe2\x80\xa8Two.\n\n\n")
    version = copy.load().terms.get("logo-terms", "2026-03-01")
    assert version.text("en").encode() == path.read_bytes()
    assert version.title("en") == "Terms"


def test_a_language_that_does_not_exist_gives_english(copy: Copy) -> None:
    copy.edit("terms/logo-terms/terms.yaml", "[ar, en, es, fr, ru, zh]", "[en, fr]")
    for language in ("ar", "es", "ru", "zh"):
        (copy.policies / "terms" / "logo-terms" / "2026-03-01" / f"{language}.md").unlink()
    version = copy.load().terms.get("logo-terms", "2026-03-01")
    assert version.languages == ("en", "fr")
    assert version.language("ru") == "en"
    assert version.digest("ru") == version.digest("en") != version.digest("fr")
    assert version.title("fr") == "Conditions d\u2019utilisation du logo Cœur bleu"


def test_html_has_the_headings_and_can_leave_out_the_title(campaign: Campaign) -> None:
    version = campaign.terms.get("logo-terms", "2026-03-01")
    assert version.html("en").startswith("<h1>Terms of use for the Blue Heart logo</h1>")
    assert "<h1>" not in version.html("en", heading=False)
    assert "<li><strong>Fundraising.</strong>" in version.html("en").replace("<p>", "").replace("\n", "")


def test_unknown_terms_and_versions(campaign: Campaign) -> None:
    for call in (
        lambda: campaign.terms.versions("x"),
        lambda: campaign.terms.get("logo-terms", "2020-01-01"),
        lambda: campaign.terms.current("x", SOON),
    ):
        with pytest.raises((UnknownTerms, UnknownVersion)):
            call()


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[click](javascript:alert(1))",
        "[click](data:text/html,x)",
        "<p style='position:fixed' onclick='x()'>Hi</p>",
        "<iframe src='https://example.org'></iframe>",
        "![picture](https://example.org/x.png)",
    ],
)
def test_nothing_that_runs_or_loads_is_left(text: str) -> None:
    html = render(text)
    for word in ("<script", "<img", "<iframe", "javascript:", "data:", "onclick", "onerror", "style="):
        assert word not in html


@given(text=st.text())
def test_no_markdown_makes_a_script(text: str) -> None:
    assert "<script" not in render(text).lower()
