"""Every page as axe sees it: the rules of WCAG 2.2 up to AA, and axe's best practices, without a finding.

The suite looks at a sample: each page once, and each language, theme and width with some of them. With
``EMBLEM_TESTS_FULL=1`` it is every page in six languages, two themes and two widths, which takes half an hour.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, NamedTuple

import axe_playwright_python
import pytest
from playwright.sync_api import Browser, Page

from service.campaign import LANGUAGES
from tests.parts.demo import Demo
from tests.parts.person import Person

FULL = "EMBLEM_TESTS_FULL"
AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
_RUN = """rules => axe.run(document, {runOnly: rules, resultTypes: ["violations"]}).then(found =>
    found.violations.map(one => [one.id, one.nodes.map(node => node.target.join(" ")).slice(0, 5)]))"""
Theme = Literal["light", "dark"]

PUBLIC = (
    "",
    "actions",
    "actions/individual/learn-the-signs",
    "protocol",
    "rules",
    "terms/logo-terms",
    "join",
    "join?kind=individual",
    "join?kind=government",
    "join/sent",
    "sign-in",
    "tools",
    "tools/logo",
    "tools/posters",
    "download?for=screen",
    "wear",
    "build",
    "check",
    "verify",
    "report",
    "privacy",
    "nowhere",
)
OWN = ("account", "account/embeds/new", "account/requests/new", "tools/logo")
CONSOLE = ("", "/participants", "/links", "/embeds", "/catalogue", "/terms", "/audit", "/downloads", "/webhooks")
DOCS = ("/docs/", "/docs/partners", "/docs/start", "/docs/performance", "/api/v1/docs", "/problems/link-expired")


class View(NamedTuple):
    """How a page is looked at."""

    lang: str
    theme: Theme
    width: int


VIEWS = [View(lang, theme, width) for lang in LANGUAGES for theme in ("light", "dark") for width in (390, 1280)]


def addresses(lang: str) -> list[str]:
    """The pages that need no sign-in, in a language."""
    return [f"/{lang}/{page}" for page in PUBLIC] + [f"{page}?lang={lang}" for page in DOCS]


def sample(pages: list[str], number: int) -> list[str]:
    """All pages in a full run; else those whose turn it is, so that the views together look at each."""
    return pages if os.environ.get(FULL) else pages[number :: len(VIEWS)]


def findings(page: Page, address: str) -> list[Any]:
    """What axe finds on a page, beside its address."""
    page.goto(address)
    page.evaluate(AXE)
    return [[address, *one] for one in page.evaluate(_RUN, RULES)]


@pytest.fixture
def looking(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A page in the theme and width of the view that the test is given."""
    view: View = request.getfixturevalue("view")
    context = browser.new_context(
        color_scheme=view.theme, viewport={"width": view.width, "height": 900}, reduced_motion="reduce"
    )
    yield context.new_page()
    context.close()


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: "-".join(map(str, view)))
def test_public_pages(looking: Page, demo: Demo, view: View) -> None:
    pages = sample(addresses(view.lang), VIEWS.index(view))
    assert [one for page in pages for one in findings(looking, demo.base_url + page)] == []


@pytest.fixture(scope="module")
def own_cookies(browser: Browser, demo: Demo) -> list[Any]:
    """The session of somebody who has joined and accepted."""
    context = browser.new_context()
    person = Person(context.new_page(), demo)
    person.join()
    person.confirm()
    person.accept("logo")
    found: list[Any] = context.cookies()
    context.close()
    return found


@pytest.fixture(scope="module")
def staff_cookies(browser: Browser, demo: Demo) -> list[Any]:
    """A session of staff: by a mailed link, so that the one that the demo printed stays unused."""
    context = browser.new_context()
    person = Person(context.new_page(), demo)
    person.address = "staff@example.org"
    before = len(person.mails())
    person.open("sign-in")
    person.page.locator("[name=email]").fill(person.address)
    person.press()
    person.page.goto(person.link_in_mail(before + 1))
    person.press()
    found: list[Any] = context.cookies()
    context.close()
    return found


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: "-".join(map(str, view)))
def test_account(looking: Page, demo: Demo, own_cookies: list[Any], view: View) -> None:
    looking.context.add_cookies(own_cookies)
    for page in sample([f"/{view.lang}/{page}" for page in OWN], VIEWS.index(view)):
        assert findings(looking, demo.base_url + page) == []


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: "-".join(map(str, view)))
def test_console(looking: Page, demo: Demo, staff_cookies: list[Any], view: View) -> None:
    looking.context.add_cookies(staff_cookies)
    for page in sample([f"/staff{page}?lang={view.lang}" for page in CONSOLE], VIEWS.index(view)):
        assert findings(looking, demo.base_url + page) == []
