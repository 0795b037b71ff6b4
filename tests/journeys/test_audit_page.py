"""The audit for people on a telephone: nothing is wider than the screen, and what plots say can be read."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from service import ledger
from service.store import Database
from tests.audit.conftest import download, entry_of, use
from tests.parts.demo import Demo, MadeDemos

SITE = "https://a-very-long-name-of-a-partner-organisation.press.example.org:8443"
_LETTERS = """() => [...document.querySelectorAll("svg.plot-svg")]
    .filter(plot => plot.getBoundingClientRect().width > 0)
    .map(plot => [...plot.querySelectorAll("text")].map(
        text => parseFloat(getComputedStyle(text).fontSize) * Math.abs(text.getScreenCTM().a || text.getScreenCTM().b)
    ))"""
_BARS = """() => [...document.querySelectorAll("svg.plot-svg")]
    .filter(plot => plot.getBoundingClientRect().width > 0)
    .map(plot => Math.max(...[...plot.querySelectorAll(".series rect")].map(bar => {
        const {width, height} = bar.getBoundingClientRect();
        return Math.max(width, height);
    })))"""


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory, made_demos: MadeDemos) -> Iterator[Demo]:
    """A demo with four weeks of downloads and logo views sealed."""
    folder = tmp_path_factory.mktemp("audited") / "var"
    made_demos.copy(folder)
    demo = Demo(folder, {"EMBLEM_RATE_LIMITS": "off"})
    now = datetime.now(UTC)
    kinds = ("civil_society", "regional_economic_integration_organization")
    database = Database(f"sqlite:///{folder / 'emblem.sqlite3'}")

    def work(session: Any) -> None:
        for number in range(200):
            at = now - timedelta(days=number % 27)
            who = {"participant": f"par_{number % 30:022d}", "participant_kind": kinds[number % 2], "country": "GB"}
            ledger.append(session, entry_of(download(at, bytes=10**10, **who)), at)
            ledger.append(session, entry_of(use(at, at, logo="blue-heart", origin=SITE, views=10**6, **who)), at)

    database.write(work)
    database.close()
    status, said, errors = demo.cli("audit", "seal")
    assert status == 0, said + errors
    yield demo
    assert demo.stop() == 0


@pytest.fixture(scope="module")
def cookies(filled: Demo, browser: Browser) -> list[Any]:
    """A session of staff, signed in by the link that a start of the demo gives."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(filled.facts["staff_sign_in_url"])
    with page.expect_navigation():
        page.locator("main form button[type=submit]").click()
    found: list[Any] = context.cookies()
    context.close()
    return found


@pytest.mark.context(viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True, device_scale_factor=2)
def test_on_a_phone_plots_can_be_read_and_nothing_is_wider_than_the_screen(
    page: Page, filled: Demo, cookies: list[Any]
) -> None:
    page.context.add_cookies(cookies)
    for lang in ("en", "ar", "ru"):
        page.goto(f"{filled.base_url}/staff/audit?lang={lang}")
        for more in page.locator("details.more summary").all():
            more.click()
        wide = page.evaluate("() => document.documentElement.scrollWidth")
        assert wide == 390, lang
        letters = page.evaluate(_LETTERS)
        assert len(letters) == 6, lang
        assert min(size for plot in letters for size in plot) >= 11, lang
        assert min(page.evaluate(_BARS)) > 120, "a long name leaves room for its bar"
        totals = page.locator("table.figures").first.bounding_box()
        assert totals is not None
        if lang != "ru":  # its words are longer: there the last column is reached by scrolling the table alone
            assert totals["width"] <= 352, (lang, "the totals need no scrolling")


@pytest.mark.context(viewport={"width": 1280, "height": 900})
def test_on_a_desk_one_plot_of_each_kind_is_shown(page: Page, filled: Demo, cookies: list[Any]) -> None:
    page.context.add_cookies(cookies)
    page.goto(f"{filled.base_url}/staff/audit?lang=en")
    assert len(page.evaluate(_LETTERS)) == 6
    assert page.locator("svg.plot-narrow:visible").count() == 0
