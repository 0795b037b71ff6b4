"""Pages in the sizes, colours and media that people set: large text, zoom, forced colours, less motion, paper."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from tests.parts.demo import Demo

PAGES = ("/en/", "/ar/", "/ru/rules", "/es/tools", "/fr/terms/logo-terms", "/zh/join?kind=government", "/docs/design")
_WIDE = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
_CUT = """() => [...document.querySelectorAll("main :is(h1, h2, h3, p, label, .button, .badge)")]
    .filter(one => getComputedStyle(one).overflowX === "hidden" && one.scrollWidth > one.clientWidth + 1)
    .filter(one => !one.classList.contains("vh")).map(one => one.outerHTML.slice(0, 80))"""


@pytest.mark.context(viewport={"width": 320, "height": 512}, device_scale_factor=4)
def test_at_400_per_cent_nothing_is_cut_off_or_scrolls_sideways(page: Page, demo: Demo) -> None:
    for path in PAGES:
        page.goto(demo.base_url + path)
        assert page.evaluate(_WIDE) == 0, path
        assert page.evaluate(_CUT) == [], path


@pytest.mark.context(viewport={"width": 1280, "height": 800})
def test_text_twice_as_large_fits(page: Page, demo: Demo) -> None:
    for path in PAGES:
        page.goto(demo.base_url + path)
        page.evaluate("() => { document.documentElement.style.fontSize = '200%'; }")
        assert page.evaluate(_WIDE) == 0, path
        assert page.evaluate(_CUT) == [], path


@pytest.mark.parametrize("width", [390, 1056, 1200, 1280, 1440, 1640])
def test_the_menu_is_one_line_or_a_button(page: Page, demo: Demo, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    for lang in ("ar", "en", "es", "fr", "ru", "zh"):
        page.goto(f"{demo.base_url}/{lang}/")
        row = page.locator(".nav li").evaluate_all(
            "all => all.map(one => one.getBoundingClientRect()).map(box => [box.top, box.height])"
        )
        shown = page.locator(".nav").is_visible()
        assert shown != page.locator(".menu:not(.languages) summary").is_visible(), lang
        assert len(row) == 6
        if shown:
            assert len({top for top, _ in row}) == 1, lang
            assert max(height for _, height in row) < 48, lang
        assert shown or width < 1640, lang
        assert page.evaluate(_WIDE) == 0, lang


@pytest.mark.context(forced_colors="active", reduced_motion="reduce")
def test_forced_colours_keep_borders_and_less_motion_is_none(page: Page, demo: Demo) -> None:
    page.goto(demo.base_url + "/docs/design")
    widths = page.locator("main .button, main .badge").evaluate_all(
        "all => all.map(one => parseFloat(getComputedStyle(one).borderTopWidth))"
    )
    assert len(widths) > 5
    assert min(widths) >= 1
    moving = page.locator("main *").evaluate_all(
        "all => all.filter(one => parseFloat(getComputedStyle(one).transitionDuration) > 0).length"
    )
    assert moving == 0


def test_rules_and_terms_print_as_text_on_white(page: Page, demo: Demo) -> None:
    page.emulate_media(media="print", color_scheme="dark")
    for path in ("/en/rules", "/ar/terms/logo-terms"):
        page.goto(demo.base_url + path)
        shown = page.locator(".nav, .menu, .skip, .colophon nav, main form, main .button").evaluate_all(
            "all => all.filter(one => one.getClientRects().length).length"
        )
        assert shown == 0, path
        ink, paper = page.evaluate(
            "() => [getComputedStyle(document.body).color, getComputedStyle(document.body).backgroundColor]"
        )
        assert (ink, paper) == ("rgb(0, 0, 0)", "rgb(255, 255, 255)"), path
        assert page.pdf(format="A4").startswith(b"%PDF"), path
        # Pictures stand beside one another instead of one a page.
        tops = page.locator("main .grid-wide > li").evaluate_all("all => all.map(one => one.offsetTop)")
        assert len(set(tops)) <= max(1, len(tops) // 2), path


def test_a_text_is_copied_over_plain_http_too(page: Page, demo: Demo) -> None:
    page.goto(f"{demo.base_url}/en/actions/individual/learn-the-signs")
    # As where there is no https: the browser offers no clipboard to scripts.
    page.evaluate("() => Object.defineProperty(navigator, 'clipboard', {value: undefined})")
    page.evaluate("() => document.addEventListener('copy', () => { window.copied = String(getSelection()); })")
    page.locator("[data-copy=address]").click()
    page.locator("[data-copy=address] [role=status]").get_by_text("✓").wait_for()
    assert page.evaluate("() => window.copied") == page.url
