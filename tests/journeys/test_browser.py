"""The main job in a real browser: from the home page to the logo package on disk, and its digests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.parts.demo import Demo
from tests.parts.person import Person, digests_in
from tests.parts.walk import Walk

from ..parts.mails import text_of


def walk_to_the_file(person: Person, folder: Path) -> Path:
    """Joins, confirms, accepts and downloads; the file has what its page said."""
    person.join()
    person.confirm()
    person.open("tools/logo")
    promised = person.digests_on_page()
    person.accept("logo")
    file = person.download(folder)
    assert len(promised) > 5
    assert digests_in(file) == promised
    assert person.foreign == [], "every page makes requests to its own host alone"
    return file


def test_from_the_home_page_to_the_file(page: Page, demo: Demo, walk: Walk, tmp_path: Path) -> None:
    person = Person(page, demo)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
    file = walk_to_the_file(person, tmp_path)
    (published,) = [one for one in walk.portal.get("/api/v1/packages").json()["packages"] if one["id"] == "logo"]
    assert file.name == published["filename"]
    assert digests_in(file)[""] == published["sha256"]
    latest = walk.auditor.get("/api/v1/downloads", package="logo", limit=1).json()["downloads"][0]
    assert (latest["counted"], latest["client"]["kind"], latest["status"]) == (True, "browser", 200)
    assert errors == []


@pytest.mark.context(viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True, device_scale_factor=2)
def test_on_a_phone_nothing_is_wider_than_the_screen(page: Page, demo: Demo, tmp_path: Path) -> None:
    person = Person(page, demo)
    walk_to_the_file(person, tmp_path)
    paths = ("", "actions", "protocol", "rules", "terms/logo-terms", "join", "sign-in", "account", "tools")
    for path in (*paths, "tools/logo", "privacy"):
        person.open(path)
        size: dict[str, Any] = page.evaluate(
            "() => ({wide: document.documentElement.scrollWidth, screen: document.documentElement.clientWidth})"
        )
        assert size == {"wide": 390, "screen": 390}, path


@pytest.mark.context(locale="fr-FR")
def test_in_french(page: Page, demo: Demo, tmp_path: Path) -> None:
    page.goto(demo.base_url + "/")
    assert page.url == f"{demo.base_url}/fr/", "the browser's language decides"
    person = Person(page, demo, "fr")
    walk_to_the_file(person, tmp_path)
    for path in ("", "actions", "protocol", "rules", "terms/logo-terms", "join", "tools", "tools/logo", "account"):
        person.open(path)
        assert page.locator("html").get_attribute("lang") == "fr"
        english = [part.inner_text() for part in person.main.locator("[lang=en]").all()]
        english = [text for text in english if text != "English"]  # a language is called what its speakers call it
        assert english == [], f"{path} is not all French"
    assert any("Cœur bleu" in text_of(mail) for mail in person.mails())


_EDGES = """selector => [...document.querySelectorAll(selector)].map(one => {
    const words = document.createRange(); words.selectNodeContents(one);
    return Math.round(words.getBoundingClientRect().right);
})"""


@pytest.mark.context(viewport={"width": 1280, "height": 900})
def test_in_arabic_names_and_codes_stand_at_the_right_edge_as_their_neighbours_do(page: Page, demo: Demo) -> None:
    person = Person(page, demo, "ar")
    person.join()
    person.confirm()
    page.locator("details summary").filter(has_text="كتبتموه").click()
    lists = page.locator("dl.facts").count()
    assert lists == 2, "who they are, and what they wrote"
    for number in range(lists):
        page.locator("dl.facts").nth(number).evaluate("(list, number) => list.dataset.number = number", number)
        facts = page.evaluate(_EDGES, f"dl[data-number='{number}'] dd")
        assert len(facts) >= 4
        assert len(set(facts)) == 1, facts
    person.open("rules")
    backgrounds = page.evaluate(_EDGES, ".backgrounds tbody th, .backgrounds tbody th code")
    assert len(backgrounds) > 10
    assert len(set(backgrounds)) == 1, backgrounds


@pytest.mark.context(java_script_enabled=False)
def test_without_javascript(page: Page, demo: Demo, tmp_path: Path) -> None:
    walk_to_the_file(Person(page, demo), tmp_path)


def test_a_refused_pledge_says_why(page: Page, demo: Demo) -> None:
    person = Person(page, demo)
    person.open("join?kind=individual")
    page.locator("[name=name]").fill("Kim Example")
    page.locator("[name=email]").fill(person.address)
    page.locator("[name=country]").select_option("AT")
    for choice in page.locator("input[type=radio][value=no]").all():
        choice.check()
    for text in page.locator("main form textarea[required]").all():
        text.fill("I do not agree.")
    person.submit()
    person.confirm()
    assert "in line with the Protocol" in person.main.inner_text()
    person.open("tools/logo")
    assert page.locator("main form").count() == 0, "no link for who is declined"


def test_mistakes_are_shown_and_nothing_written_is_lost(page: Page, demo: Demo) -> None:
    person = Person(page, demo)
    person.open("join?kind=individual")
    page.locator("[name=name]").fill("Kim Example")
    page.locator("[name=email]").fill("no address")
    person.submit()
    assert page.locator("#errors").is_visible()
    assert page.locator("[name=name]").input_value() == "Kim Example"
    assert page.locator("[name=email]").get_attribute("aria-invalid") == "true"
    assert person.mails() == []


def test_a_mail_scanner_uses_no_link_up(page: Page, demo: Demo) -> None:
    """A mail scanner's HEAD or GET signs nobody in and uses nothing up."""
    person = Person(page, demo)
    person.join()
    link, scanner = person.link_in_mail(1), demo.client()
    for method in ("HEAD", "GET", "GET"):
        answer = scanner.request(method, link)
        assert answer.status == 200
        assert "set-cookie" not in answer.headers or "session" not in answer.headers["set-cookie"]
    person.confirm()


def test_staff_see_who_downloaded_what(page: Page, demo: Demo, walk: Walk) -> None:
    who = walk.participant()
    link = walk.link(who)
    assert demo.client().get(link["url"]).status == 200
    page.goto(demo.facts["staff_sign_in_url"])
    with page.expect_navigation():
        page.locator("main form button[type=submit]").click()
    assert page.url.startswith(f"{demo.base_url}/staff")
    for path, expected in (
        ("/staff/participants", "Harbour Shelter"),
        ("/staff/links", link["id"]),
        ("/staff/downloads", "logo"),
    ):
        answer = page.goto(demo.base_url + path)
        assert answer is not None
        assert answer.status == 200, path
        assert expected in page.content(), path
