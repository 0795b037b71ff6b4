"""Pictures of the tour: ``python -m tests.tour`` walks a demo of its own in a browser and writes ``docs/tour/`` anew.

What is photographed is what the journeys in ``tests/journeys`` walk. The words beside the pictures stand in
``docs/tour.md``; ``tests/journeys/test_tour.py`` holds the two and ``PICTURES`` against each other.
"""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image, ImageDraw
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize

from tests.parts.browser import chromium
from tests.parts.demo import Demo, agent
from tests.parts.person import Person
from tests.parts.posters import poster
from tests.parts.walk import Walk

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "tour"
PICTURES = (
    *("home", "home-arabic-dark", "join", "terms", "download", "tools", "package", "wear", "build", "rules-russian"),
    *("check", "verify", "account-french", "certificate", "queue", "case", "audit", "api"),
)
MOST_BYTES = 600_000  # of all pictures together
_PHONE: ViewportSize = {"width": 390, "height": 844}
_DESKTOP: ViewportSize = {"width": 1200, "height": 800}
_WIDE = 900  # pixels that a picture of a desktop has in the end


class Camera:
    """Takes pictures of a page, small enough for a repository."""

    def __init__(self) -> None:
        self.taken: dict[str, bytes] = {}

    def take(self, page: Page, name: str) -> None:
        """Keeps what the window shows now, as WebP."""
        page.wait_for_load_state("networkidle")
        picture = Image.open(io.BytesIO(page.screenshot(animations="disabled", caret="hide"))).convert("RGB")
        if picture.width > _WIDE:
            picture = picture.resize((_WIDE, round(picture.height * _WIDE / picture.width)), Image.Resampling.LANCZOS)
        out = io.BytesIO()
        picture.save(out, "WEBP", quality=62, method=6)
        self.taken[name] = out.getvalue()


def portrait() -> bytes:
    """A drawn face before a wall: a photo of nobody."""
    picture = Image.new("RGB", (900, 900), (226, 214, 196))
    draw = ImageDraw.Draw(picture)
    draw.rectangle((0, 0, 900, 300), fill=(204, 219, 214))
    draw.ellipse((130, 640, 770, 1300), fill=(92, 110, 126))
    draw.ellipse((255, 130, 645, 560), fill=(74, 54, 44))
    draw.ellipse((290, 215, 610, 660), fill=(176, 128, 98))
    draw.arc((380, 470, 520, 570), 20, 160, fill=(110, 62, 52), width=10)
    for left in (365, 495):
        draw.ellipse((left, 395, left + 40, 425), fill=(44, 34, 30))
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=90)
    return out.getvalue()


@contextmanager
def _window(browser: Browser, *, phone: bool, dark: bool = False) -> Iterator[BrowserContext]:
    named = f"Chrome/{browser.version.partition('.')[0]}.0.0.0"
    context = browser.new_context(
        viewport=_PHONE if phone else _DESKTOP,
        color_scheme="dark" if dark else "light",
        reduced_motion="reduce",
        is_mobile=phone,
        has_touch=phone,
        user_agent=f"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) {named} Safari/537.36",
    )
    yield context
    context.close()


def _to(page: Page, address: str, place: str = "") -> None:
    """Opens a page, and brings what is to be seen to its top."""
    page.goto(address)
    if place:
        page.locator(place).first.evaluate("one => window.scrollTo(0, one.getBoundingClientRect().top - 24)")


def _by_phone(browser: Browser, demo: Demo, camera: Camera) -> None:
    """From the home page to the file, and a profile picture."""
    with _window(browser, phone=True) as context:
        person = Person(context.new_page(), demo)
        page = person.page
        person.open("join?kind=individual&for=screen")
        page.locator("[name=name]").fill("Kim Example")
        page.locator("[name=email]").fill(person.address)
        for choice in page.locator("main input[type=radio][value=yes]").all():
            choice.check()
        page.locator("main form textarea[required]").fill("I will wear it on 30 July, and say why.")
        page.evaluate("() => window.scrollTo(0, 0)")
        camera.take(page, "join")
        page.locator("main form button[type=submit]").click()
        page.wait_for_url("**/join/sent?*")
        page.goto(person.link_in_mail(1))
        camera.take(page, "terms")
        with page.expect_download():
            page.locator("main form button[type=submit]").click()
        page.wait_for_url("**/download/lnk_*")
        camera.take(page, "download")
        person.open("wear")
        page.locator("#w-photo").set_input_files({"name": "me.jpg", "mimeType": "image/jpeg", "buffer": portrait()})
        page.locator("#w-said").get_by_text("in the picture").wait_for()
        page.locator("#wear").evaluate("one => window.scrollTo(0, one.getBoundingClientRect().top + scrollY - 24)")
        camera.take(page, "wear")
    with _window(browser, phone=True, dark=True) as context:
        page = context.new_page()
        page.goto(f"{demo.base_url}/ar/")
        camera.take(page, "home-arabic-dark")


def _by_desktop(browser: Browser, demo: Demo, camera: Camera) -> None:
    """What everybody sees, and what a society that has joined sees."""
    base = demo.base_url
    with _window(browser, phone=False) as context:
        page = context.new_page()
        for name, address, place in (
            ("home", "/en/", ""),
            ("tools", "/en/tools", ""),
            ("build", "/en/build", "main form"),
            ("rules-russian", "/ru/rules", "main .grid-wide"),
            ("api", "/api/v1/docs", ""),
        ):
            _to(page, base + address, place)
            camera.take(page, name)
        stretched = poster(demo.client().get("/brand/heart/blue/240.png").body, stretched=1.2)
        page.goto(f"{base}/en/check")
        page.locator("[name=file]").set_input_files(
            {"name": "poster.png", "mimeType": "image/png", "buffer": stretched}
        )
        page.locator("#check button[type=submit]").click()
        page.wait_for_url("**/check/chk_*", timeout=120_000)
        camera.take(page, "check")
        page.goto(f"{base}/en/verify")
        genuine = Walk(demo)
        link = genuine.link(genuine.participant(), path="png/heart-blue-512.png")
        picture = demo.client().get(link["url"]).body
        page.locator("main input[type=file]").set_input_files(
            {"name": "heart.png", "mimeType": "image/png", "buffer": picture}
        )
        page.locator("main form button[type=submit]").click()
        page.wait_for_load_state("networkidle")
        camera.take(page, "verify")
    with _window(browser, phone=False) as context:
        person = Person(context.new_page(), demo, "fr")
        page = person.page
        person.join("civil_society")
        person.confirm()
        person.accept("logo")
        person.open("tools/logo")
        camera.take(page, "package")
        person.open("account")
        camera.take(page, "account-french")
        page.locator("section:has(#certificates) form button").first.click()
        page.locator("section:has(#certificates) li a[href*='/verify/crt_']").first.click()
        page.wait_for_url("**/verify/crt_*")
        camera.take(page, "certificate")


def _by_staff(browser: Browser, demo: Demo, camera: Camera) -> None:
    """The console: who waits, one case, and the audit."""
    walk = Walk(demo)
    for number, (country, name) in enumerate(
        (("AT", "Harbour Shelter"), ("KE", "Lantern House"), ("PE", "Casa del Puerto"), ("FR", "Le Phare"))
    ):
        walk.join(name=name, country=country, purposes=["fundraising"])
        for package in ("logo", "posters", "social-media-kit")[: number or 1]:
            link = walk.link(walk.participant(), package)
            demo.client(user_agent=agent(number)).get(link["url"])
    assert demo.cli("audit", "seal")[0] == 0
    with _window(browser, phone=False) as context:
        page = context.new_page()
        page.goto(demo.facts["staff_sign_in_url"])
        page.locator("main form button").click()
        base = page.url.partition("/en/")[0].partition("/staff")[0]
        page.goto(f"{base}/staff")
        camera.take(page, "queue")
        page.locator("[data-case]").first.click()
        page.wait_for_load_state()
        camera.take(page, "case")
        page.goto(f"{base}/staff/audit")
        camera.take(page, "audit")


def take() -> dict[str, bytes]:
    """All pictures by their names, of a demo that is made for them and removed afterwards."""
    camera = Camera()
    with tempfile.TemporaryDirectory(prefix="tour-") as folder, chromium() as browser:
        demo = Demo(Path(folder) / "var", {"EMBLEM_RATE_LIMITS": "off"})
        try:
            for walk in (_by_desktop, _by_phone, _by_staff):
                walk(browser, demo, camera)
        finally:
            demo.stop()
    return camera.taken


def main() -> None:
    """Writes the pictures, and removes those that the tour no longer has."""
    taken = take()
    assert set(taken) == set(PICTURES), set(taken) ^ set(PICTURES)
    FOLDER.mkdir(exist_ok=True)
    for old in FOLDER.glob("*.webp"):
        old.unlink()
    for name, data in taken.items():
        (FOLDER / f"{name}.webp").write_bytes(data)


if __name__ == "__main__":
    main()
