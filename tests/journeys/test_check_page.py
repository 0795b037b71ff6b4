"""The page of the artwork check in a real browser: by the form, dropped, pasted, on a phone, and without scripts."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from playwright.sync_api import FilePayload, Page, expect

from tests.parts.demo import Demo
from tests.parts.person import Person
from tests.parts.posters import poster

_CHECKED = 60_000  # milliseconds within which a check on a busy machine is done

#: Gives a file to the page as a drop or a paste does.
_GIVE = """([name, bytes]) => {
    const held = new DataTransfer();
    held.items.add(new File([Uint8Array.from(atob(bytes), (one) => one.charCodeAt(0))], "p.png", {type: "image/png"}));
    const what = {bubbles: true, cancelable: true};
    const event = name === "paste" ? new ClipboardEvent(name, {...what, clipboardData: held})
                                   : new DragEvent(name, {...what, dataTransfer: held});
    document.querySelector("main").dispatchEvent(event);
}"""


@pytest.fixture(scope="module")
def stretched(demo: Demo) -> bytes:
    """A poster whose logo is a fifth too wide, made of what the service itself shows."""
    return poster(demo.client().get("/brand/heart/blue/240.png").body, stretched=1.2)


def file(data: bytes) -> FilePayload:
    return {"name": "poster.png", "mimeType": "image/png", "buffer": data}


def watch(page: Page) -> list[str]:
    """What the page complains about."""
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
    return errors


def expect_result(page: Page, person: Person) -> None:
    """The page of what came out, with its picture, its table and the right logo."""
    page.wait_for_url(f"{person.demo.base_url}/{person.language}/check/chk_*", timeout=_CHECKED)
    expect(page.locator(".found tbody tr")).to_have_count(1)
    assert page.locator(".annotated img").evaluate("one => one.decode().then(() => one.naturalWidth)") == 900
    (right,) = page.locator(".right-one image").all()
    address = right.get_attribute("href")
    assert address is not None
    assert person.demo.client().get(address).status == 200
    assert person.foreign == []


@pytest.mark.context(
    locale="ar", viewport={"width": 390, "height": 844}, is_mobile=True, has_touch=True, device_scale_factor=2
)
def test_in_arabic_on_a_phone(page: Page, demo: Demo, stretched: bytes) -> None:
    person, errors = Person(page, demo, "ar"), watch(page)
    person.open("check")
    page.locator("#f-file").set_input_files(file(b"no picture"))
    person.press()
    expect(page.locator("#errors")).to_be_focused(timeout=_CHECKED)
    assert page.locator("#f-file").get_attribute("aria-invalid") == "true"
    page.locator("#f-file").set_input_files(file(stretched))
    person.press()
    expect_result(page, person)
    size: dict[str, Any] = page.evaluate(
        "() => ({wide: document.documentElement.scrollWidth, screen: document.documentElement.clientWidth})"
    )
    assert size == {"wide": 390, "screen": 390}
    assert page.locator("main [lang=en]").count() == 0
    assert [said for said in errors if "415" not in said] == []


@pytest.mark.parametrize("way", ["drop", "paste"])
def test_a_file_that_is_dropped_or_pasted_is_checked_at_once(
    page: Page, demo: Demo, stretched: bytes, way: str
) -> None:
    person, errors = Person(page, demo), watch(page)
    person.open("check")
    page.evaluate(_GIVE, [way, base64.b64encode(stretched).decode()])
    expect_result(page, person)
    assert errors == []


@pytest.mark.context(java_script_enabled=False)
def test_without_javascript(page: Page, demo: Demo, stretched: bytes) -> None:
    person = Person(page, demo)
    person.open("rules")
    person.follow(r"/check$")
    page.locator("#f-file").set_input_files(file(stretched))
    person.press()
    page.wait_for_url("**/check/chk_*", timeout=_CHECKED)
    assert "not used right yet" in person.main.inner_text()
    assert page.locator(".found tbody tr").count() == 1
