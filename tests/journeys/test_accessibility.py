"""Every page as axe sees it: the rules of WCAG 2.2 up to AA, and axe's best practices, without a finding.

The suite looks at a sample: each page once, and each language, theme and width with some of them. With
``EMBLEM_TESTS_FULL=1`` it is every page in six languages, two themes and two widths, which takes half an hour.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

import axe_playwright_python
import pytest
from playwright.sync_api import Browser, Page

from service.campaign import LANGUAGES
from tests.parts.demo import Demo
from tests.parts.person import Person
from tests.parts.willing import KINDS

FULL = "EMBLEM_TESTS_FULL"
AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
_RUN = """rules => axe.run(document, {runOnly: rules, resultTypes: ["violations"]}).then(found =>
    found.violations.map(one => [one.id, one.nodes.map(node => node.target.join(" ")).slice(0, 5)]))"""
Theme = Literal["light", "dark"]

TOOLS = ("email-and-letterhead", "event-kit", "posters", "social-media-kit", "web-banners")
PUBLIC = (
    "",
    "actions",
    "actions/individual/learn-the-signs",
    "protocol",
    "rules",
    "terms/logo-terms",
    "terms/tool-terms/2024-07-30",
    "join",
    *(f"join?kind={kind}" for kind in KINDS),
    "join/sent",
    "sign-in",
    "sign-in/sent",
    "tools",
    "tools/logo",
    *(f"tools/{tool}" for tool in TOOLS),
    "download?for=screen",
    "wear",
    "build",
    "check",
    "verify",
    "report",
    "privacy",
    "nowhere",
)
OWN = ("account", "account/members", "account/embeds/new", "account/requests/change", "tools/logo", "sign-in/passkey")
CONSOLE = (
    "",
    "/participants",
    "/links",
    "/embeds",
    "/keys",
    "/catalogue",
    "/terms",
    "/publishing",
    "/artwork",
    "/audit",
    "/audit?country=AT",
    "/downloads",
    "/outbox",
    "/passkeys",
    "/webhooks",
)
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


@dataclass(frozen=True)
class Signed:
    """A session, and the pages that it opens, without host and language."""

    cookies: list[Any]
    pages: list[str]


def one_of_each(page: Page, pattern: str) -> list[str]:
    """The links of a page that match, one of each kind: what comes after the name of the kind tells them apart."""
    found = page.locator("main a[href]").evaluate_all("all => all.map(one => one.getAttribute('href'))")
    return list({hit[1]: hit[0] for href in found if (hit := re.search(pattern, href))}.values())


@pytest.fixture(scope="module")
def own(browser: Browser, demo: Demo) -> Iterator[Signed]:
    """A society that has accepted, embeds the logo, had a picture checked, and asked for another purpose."""
    context = browser.new_context()
    person = Person(context.new_page(), demo)
    page = person.page
    person.join("civil_society")
    person.confirm()
    person.accept("logo")
    person.open("account/embeds/new")
    page.locator("[name=origins]").fill("https://shelter.example.org")
    page.locator("[name=unlisted]").first.check()
    page.locator("[name=logo]").first.check()
    person.submit()
    picture = page.request.get(f"{demo.base_url}/brand/heart/blue/400.png").body()
    person.open("check")
    page.locator("[name=file]").set_input_files({"name": "a.png", "mimeType": "image/png", "buffer": picture})
    page.locator("[name=keep]").check()
    person.press()
    page.wait_for_url("**/check/chk_*")
    person.open("account/requests/change")
    page.locator("[name=purposes][value=fundraising]").check()
    person.press()
    page.wait_for_url("**/account/cases/*")
    person.open("account")
    kinds = r"/en/((?:account/cases|embeds|download|verify|check)/)[^?#]+$"
    opened = [link.removeprefix("/en/") for link in one_of_each(page, kinds)]
    assert len(opened) >= 4, opened
    yield Signed(context.cookies(), [*OWN, *opened])
    context.close()


@pytest.fixture(scope="module")
def staff(browser: Browser, demo: Demo, own: Signed) -> Iterator[Signed]:
    """Staff, after somebody used what there is: by a mailed link, so that the one that was printed stays unused."""
    assert own.pages
    context = browser.new_context()
    person = Person(context.new_page(), demo)
    person.address = "staff@example.org"
    before = len(person.mails())
    person.open("sign-in")
    person.page.locator("[name=email]").fill(person.address)
    person.submit()
    person.page.goto(person.link_in_mail(before + 1))
    person.submit()
    opened: dict[str, str] = {}
    for listed in CONSOLE:
        person.page.goto(f"{demo.base_url}/staff{listed}")
        for link in one_of_each(
            person.page, r"/staff/((?:participants|cases|links|embeds|artwork|outbox|terms/\w)[^/]*/)[^?#/]+"
        ):
            opened.setdefault(link.split("/")[2], link.partition("?")[0].removeprefix("/staff"))
    assert set(opened) >= {"participants", "cases", "links", "embeds", "artwork", "outbox", "terms"}, opened
    yield Signed(context.cookies(), [*CONSOLE, *opened.values()])
    context.close()


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: "-".join(map(str, view)))
def test_account(looking: Page, demo: Demo, own: Signed, view: View) -> None:
    looking.context.add_cookies(own.cookies)
    pages = sample([f"/{view.lang}/{page}" for page in own.pages], VIEWS.index(view))
    assert [one for page in pages for one in findings(looking, demo.base_url + page)] == []


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: "-".join(map(str, view)))
def test_console(looking: Page, demo: Demo, staff: Signed, view: View) -> None:
    looking.context.add_cookies(staff.cookies)
    pages = [f"/staff{page}{'&' if '?' in page else '?'}lang={view.lang}" for page in staff.pages]
    assert [one for page in sample(pages, VIEWS.index(view)) for one in findings(looking, demo.base_url + page)] == []
