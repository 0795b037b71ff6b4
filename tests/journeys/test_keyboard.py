"""From the home page to the file by the keyboard alone and without scripts, in each language."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page

from service.campaign import LANGUAGES
from tests.parts.demo import Demo
from tests.parts.person import Person

_MOST = 80  # stops from where one is to what one wants
_FOCUSED = """one => one === document.activeElement && [getComputedStyle(one), getComputedStyle(one, "::after"),
    getComputedStyle(one.closest(".card") || one)].some(style => style.outlineStyle !== "none")"""


class Keys:
    """Tab, Enter, the space bar and letters; nothing is pointed at."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def reach(self, what: Locator) -> None:
        """Goes on with Tab until something has the focus, which has to be seen there."""
        wanted = what.first
        for _ in range(_MOST):
            if wanted.evaluate(_FOCUSED):
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"{self.page.url}: Tab does not reach {what}")

    def press(self, what: Locator, key: str = "Enter") -> None:
        """Reaches something and presses a key there."""
        self.reach(what)
        self.page.keyboard.press(key)

    def write(self, what: Locator, text: str) -> None:
        """Reaches a field and types."""
        self.reach(what)
        self.page.keyboard.type(text)


def by_keyboard(person: Person, folder: Path) -> Path:
    """Home, choose, join, confirm by mail with the terms, and the file."""
    page, keys = person.page, Keys(person.page)
    person.open("")
    keys.press(page.locator(".hero a[href='#download']"))
    keys.press(page.locator("main a[href$='for=screen']"))
    page.wait_for_url("**for=screen**")
    keys.write(page.locator("[name=name]"), "Kim Example")
    keys.write(page.locator("[name=email]"), person.address)
    for number in range(page.locator("main input[type=radio][value=yes]").count()):
        keys.press(page.locator("main input[type=radio][value=yes]").nth(number), "Space")
    keys.write(page.locator("main form textarea[required]"), "I will wear it, and say why.")
    keys.press(page.locator("main form button[type=submit]"))
    page.wait_for_url("**/join/sent?*")
    page.goto(person.link_in_mail(1))
    with page.expect_download() as begun:
        keys.press(page.locator("main form button[type=submit]"))
    file = folder / begun.value.suggested_filename
    begun.value.save_as(file)
    return file


@pytest.mark.context(java_script_enabled=False)
@pytest.mark.parametrize("lang", LANGUAGES)
def test_to_the_file_by_keyboard_and_without_scripts(page: Page, demo: Demo, tmp_path: Path, lang: str) -> None:
    person = Person(page, demo, lang)
    assert by_keyboard(person, tmp_path).stat().st_size > 100
    assert person.foreign == []
    # Without scripts there are ready frames to take, and the builder is a form.
    person.open("wear")
    assert page.locator("main a[href*='/brand/wear/'], main a[download]").count() > 0
    person.open("build")
    keys = Keys(page)
    keys.press(page.locator("main form button[type=submit]"))
    page.wait_for_url(f"**/{lang}/build?*")
    assert page.locator("main .showcase svg").count() > 0
    assert page.locator("html").get_attribute("lang") == lang


def test_to_the_file_by_keyboard_with_scripts(page: Page, demo: Demo, tmp_path: Path) -> None:
    assert by_keyboard(Person(page, demo, "ar"), tmp_path).stat().st_size > 100
