"""From the home page to the file by the keyboard alone and without scripts, in each language."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page

from service.campaign import LANGUAGES
from tests.parts.demo import Demo
from tests.parts.person import Person
from tests.parts.willing import KINDS

#: Kinds but the individual, each in a language of its own; with ``EMBLEM_TESTS_FULL=1`` each in every language.
_OTHERS = [kind for kind in KINDS if kind != "individual"]
JOURNEYS = [(lang, _OTHERS[number % len(_OTHERS)]) for number, lang in enumerate(LANGUAGES)]
if os.environ.get("EMBLEM_TESTS_FULL"):
    JOURNEYS = [(lang, kind) for lang in LANGUAGES for kind in _OTHERS]
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
@pytest.mark.parametrize(("lang", "kind"), JOURNEYS)
def test_every_kind_joins_by_keyboard_and_without_scripts(page: Page, demo: Demo, lang: str, kind: str) -> None:
    """From the home page over the answers shown once more and the mail to the decision on the account."""
    person, keys = Person(page, demo, lang), Keys(page)
    person.open("")
    keys.press(page.locator("main a[href$='/join']"))
    page.wait_for_url(f"**/{lang}/join")
    keys.press(page.locator(f"main a[href*='kind={kind}']"))
    page.wait_for_url(f"**kind={kind}*")
    keys.write(page.locator("[name=name]"), "Kim Example")
    keys.write(page.locator("[name=email]"), person.address)
    for field in page.locator("main form select[required]").all():
        keys.press(field, "ArrowDown")
    for field in page.locator("main form input[type=radio][value=yes]").all():
        keys.press(field, "Space")
    for field in page.locator("main form textarea[required]").all():
        keys.write(field, "https://www.example.org/statement")
    for field in page.locator("main form input[name^='answers.'][required]:not([type=radio])").all():
        keys.write(field, "https://www.example.org/statement")
    keys.press(page.locator("main form button[type=submit]"))
    page.wait_for_load_state()
    keys.press(page.locator("main form button[type=submit]"))  # who speaks for others sees all of it once more
    page.wait_for_url("**/join/sent?*")
    page.goto(person.link_in_mail(1))
    keys.press(page.locator("main form button[type=submit]").last)
    page.wait_for_url(f"**/{lang}/account")
    assert page.locator("main .badge").first.is_visible()
    assert page.locator("html").get_attribute("lang") == lang
    assert person.foreign == []


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
