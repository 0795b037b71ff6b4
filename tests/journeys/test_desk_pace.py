"""How fast a queue is cleared: keys and clicks a decision, and what a page of it weighs, counted in the browser."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from service.desk import Filter
from tests.parts import willing
from tests.parts.served import served

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from service.deployment import Deployment
    from service.settings import Settings

BY_KEYBOARD, BY_MOUSE = 30, 5
_WEIGHT = """() => performance.getEntriesByType("navigation").concat(performance.getEntriesByType("resource"))
    .reduce((sum, entry) => sum + entry.transferSize, 0)"""


@pytest.fixture
def console(settings: Settings, page: Page) -> Iterator[tuple[Page, Deployment]]:
    """The console of staff who are signed in, before a queue that is long."""
    from service.app import create_app

    app = create_app(settings=settings)
    parts: Deployment = app.extensions["emblem"]
    for number in range(BY_KEYBOARD + BY_MOUSE):
        said = {
            "kind": "civil_society",
            "name": f"Quillmarsh {number}",
            "email": f"quill{number}@example.org",
            "country": "AT",
            "purposes": ["fundraising"],
            "answers": willing.answers(parts.campaign, "civil_society"),
        }
        parts.participants.joining.join(said, via="portal:key_x")
    with served(app) as url:
        parts.settings = replace(parts.settings, base_url=url)
        link = parts.participants.sign_in.issue_url("staff@example.org")
        page.goto(url + link.removeprefix(settings.base_url))
        page.locator("main form button[type=submit]").click()
        page.wait_for_url("**/staff")
        yield page, parts
    parts.close()


def test_thirty_cases_with_two_keys_each_and_others_with_one_click(console: tuple[Page, Deployment]) -> None:
    """At most 2 keys or 2 clicks a decision, and no page load of more than 100 KB."""
    page, parts = console
    weights: list[int] = []
    with page.expect_navigation():
        page.locator("a[data-case]").first.click()

    def waits() -> int:
        return sum(one.pending is None for one in parts.desk.reading.list(Filter(status="open"), limit=200).items)

    def go_on(act: Any) -> None:
        with page.expect_navigation():
            act()
        weights.append(int(page.evaluate(_WEIGHT)))

    before = waits()
    assert before == BY_KEYBOARD + BY_MOUSE
    for number in range(BY_KEYBOARD):
        page.keyboard.press("ad"[number % 2])
        go_on(lambda: page.keyboard.press("Enter"))
    assert waits() == before - BY_KEYBOARD
    for _ in range(BY_MOUSE):
        go_on(lambda: page.locator("button[data-key=a]").click())
    assert waits() == 0
    assert page.locator("[data-undo]").count() == 1
    assert max(weights) <= 100_000, weights
