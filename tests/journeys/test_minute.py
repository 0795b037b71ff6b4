"""A minute to the heart: how many taps and pages lie between the home page and the file, counted on a phone."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, Request

from tests.parts.demo import Demo
from tests.parts.person import Person
from tests.parts.walk import Walk


class Fingers:
    """Counts what a person taps and the pages that they see. Fields are gone through with the keyboard's own key."""

    def __init__(self, page: Page) -> None:
        self.page, self.taps, self.pages = page, 0, []  # type: ignore[var-annotated]
        page.on("requestfinished", self._notice)

    def _notice(self, request: Request) -> None:
        answer = request.response() if request.is_navigation_request() else None
        if answer and answer.status < 300 and "html" in answer.headers.get("content-type", ""):
            self.pages.append(answer.url)

    def tap(self, what: Locator) -> None:
        """One tap."""
        self.taps += 1
        what.tap()


def fetched(fingers: Fingers, button: Locator, folder: Path) -> Path:
    with fingers.page.expect_download() as begun:
        fingers.tap(button)
    file = folder / begun.value.suggested_filename
    begun.value.save_as(file)
    return file


@pytest.mark.context(viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True)
@pytest.mark.parametrize(("use", "lang"), [("screen", "en"), ("profile", "ar")])
def test_from_download_the_heart_to_the_file(
    page: Page, demo: Demo, walk: Walk, tmp_path: Path, use: str, lang: str
) -> None:
    person, fingers = Person(page, demo, lang), Fingers(page)
    person.open("")
    fingers.tap(page.locator(".hero a[href='#download']"))
    fingers.tap(page.locator(f"main a[href$='for={use}']"))
    page.locator("[name=name]").fill("Kim Example")
    page.locator("[name=email]").fill(person.address)
    for choice in page.locator("main input[type=radio][value=yes]").all():
        fingers.tap(choice)
    page.locator("main form textarea[required]").fill("I will wear it, and say why.")
    fingers.tap(page.locator("main form button[type=submit]"))
    page.wait_for_url("**/join/sent?*")
    link = person.link_in_mail(1)
    fingers.taps += 1  # the link in the mail
    page.goto(link)
    file = fetched(fingers, page.locator("main form button[type=submit]"), tmp_path)
    page.wait_for_url("**/download/lnk_*")
    assert fingers.taps <= 7, fingers.taps
    assert len(fingers.pages) <= 5, fingers.pages
    files = {
        Path(one["path"]).name: one["sha256"]
        for package in walk.portal.get("/api/v1/packages").json()["packages"]
        for one in package["files"]
    }
    assert hashlib.sha256(file.read_bytes()).hexdigest() == files[file.name]
    assert person.foreign == []

    again = Fingers(page)
    person.open("")
    again.tap(page.locator(".hero a[href='#download']"))
    again.tap(page.locator("main a[href$='for=print']"))
    assert fetched(again, page.locator("main form button[type=submit]"), tmp_path).suffix == ".pdf"
    assert again.taps <= 3
