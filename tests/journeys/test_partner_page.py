"""A partner's page on another origin, in a real browser: the snippet as it was given, on every kind of ground."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, Response

from tests.parts.walk import Walk

#: Ground and colourway: two light ones for blue, two that need white.
GROUNDS = (("ffffff", "blue"), ("e6e6e6", "blue"), ("0b5cad", "white"), ("000000", "white"))
INKS = {"blue": (0x0B, 0x5C, 0xAD), "white": (255, 255, 255)}

# Draws the picture as a page's script may, and gives its corner and all its opaque colours with their counts.
_READ_BACK = """async url => {
  const image = new Image();
  image.crossOrigin = "anonymous";
  image.src = url;
  await image.decode();
  const canvas = Object.assign(document.createElement("canvas"), {width: image.width, height: image.height});
  const pen = canvas.getContext("2d");
  pen.drawImage(image, 0, 0);
  const pixels = pen.getImageData(0, 0, canvas.width, canvas.height).data;
  const opaque = {};
  for (let at = 0; at < pixels.length; at += 4)
    if (pixels[at + 3] === 255) {
      const colour = [pixels[at], pixels[at + 1], pixels[at + 2]].join();
      opaque[colour] = (opaque[colour] || 0) + 1;
    }
  return {width: canvas.width, height: canvas.height, corner: pixels[3], opaque};
}"""


class PartnerSite:
    """A web server of one page, on an origin of its own."""

    def __init__(self) -> None:
        site = self
        self.page = b""

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.send_header("Content-Length", str(len(site.page)))
                self.end_headers()
                self.wfile.write(site.page)

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.origin = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def site() -> Iterator[PartnerSite]:
    running = PartnerSite()
    yield running
    running.server.shutdown()
    running.server.server_close()


@pytest.fixture
def embed(walk: Walk, site: PartnerSite) -> dict[str, Any]:
    """An embed of the lockup that answers to the partner's site alone, with the snippet on the site's page."""
    body = {"participant": walk.participant(), "logo": "lockup", "origins": [site.origin], "unlisted": "refuse"}
    made = walk.portal.post("/api/v1/embeds", body)
    assert made.status == 201, made
    found: dict[str, Any] = made.json()
    blocks = "".join(
        f'<section style="background:#{ground};padding:64px">{snippet_in(found, colourway)}</section>'
        for ground, colourway in GROUNDS
    )
    head = "<title>A partner</title><link rel=icon href='data:,'>"  # so that only the logo is asked for
    site.page = f"<!doctype html><html lang=en>{head}<body style='margin:0'>{blocks}</body></html>".encode()
    return found


def snippet_in(embed: dict[str, Any], colourway: str) -> str:
    """The snippet as the API gave it, in another colourway."""
    return str(embed["snippets"]["html"]).replace("/lockup/blue/", f"/lockup/{colourway}/")


@pytest.mark.parametrize("density", [1, 2, 3])
def test_the_snippet_is_sharp_on_every_ground_and_screen(
    browser: Browser, site: PartnerSite, embed: dict[str, Any], density: int, tmp_path: Path
) -> None:
    context = browser.new_context(device_scale_factor=density, viewport={"width": 480, "height": 1000})
    page = context.new_page()
    answers: list[Response] = []
    page.on("response", lambda answer: answers.append(answer) if "/logos/" in answer.url else None)
    page.goto(site.origin, wait_until="networkidle")
    shown = page.eval_on_selector_all(
        "img", "all => all.map(i => [i.complete, i.currentSrc, i.width, i.height, i.naturalWidth])"
    )
    assert len(shown) == 4
    for (complete, address, width, height, _), (_, colourway) in zip(shown, GROUNDS, strict=True):
        assert complete
        assert address == f"{embed['base_url']}/{colourway}/{256 * density}.auto"
        assert (width, height) == (256, 98)
    # A drawing is the smallest at these widths, and browsers name its format.
    assert [(answer.status, answer.headers["content-type"]) for answer in answers] == [(200, "image/svg+xml")] * 2
    page.screenshot(path=tmp_path / f"partner-{density}.png")
    # What is on the screen: each ground, and on it the ink.
    for index, (ground, colourway) in enumerate(GROUNDS):
        colours = seen(page, index)
        assert near(colours[0], tuple(bytes.fromhex(ground)))
        assert any(near(colour, INKS[colourway]) for colour in colours[:2])
    context.close()


def seen(page: Page, index: int) -> list[tuple[int, ...]]:
    """The colours of one section on the screen, most frequent first."""
    image = Image.open(io.BytesIO(page.locator("section").nth(index).screenshot())).convert("RGB")
    counted = sorted(image.getcolors(image.width * image.height) or (), reverse=True)
    return [tuple(colour) for _, colour in counted if isinstance(colour, tuple)]


def near(colour: tuple[int, ...], wanted: tuple[int, ...]) -> bool:
    """Whether two colours differ by less than anyone sees."""
    return max(abs(a - b) for a, b in zip(colour, wanted, strict=True)) <= 3


def test_a_page_may_read_the_picture_back(page: Page, site: PartnerSite, embed: dict[str, Any]) -> None:
    page.goto(site.origin)
    for extension in ("auto", "png", "webp", "avif", "svg"):
        for colourway, ink in INKS.items():
            got = page.evaluate(_READ_BACK, f"{embed['base_url']}/{colourway}/256.{extension}")
            assert (got["width"], got["height"], got["corner"]) == (256, 98, 0), extension
            most = max(got["opaque"], key=got["opaque"].get)
            assert near(tuple(map(int, most.split(","))), ink), (extension, most)


def statuses_of(page: Page) -> list[int]:
    """The statuses as they came over the wire from now on, before cache and browser make something else of them."""
    raw: list[int] = []
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    session.on("Network.responseReceivedExtraInfo", lambda event: raw.append(event["statusCode"]))
    return raw


def test_the_grounds_are_those_that_the_rules_allow(walk: Walk, embed: dict[str, Any]) -> None:
    for ground, colourway in GROUNDS:
        other = "white" if colourway == "blue" else "blue"
        address = f"{embed['base_url']}/%s/256.auto?on={ground}"
        assert walk.portal.get(address % colourway).status == 200
        assert walk.portal.get(address % other).slug == "colourway-not-allowed-on-background"


def test_asking_again_is_answered_304(page: Page, site: PartnerSite, embed: dict[str, Any]) -> None:
    """As on a reload that asks the server again: no picture is sent a second time."""
    raw = statuses_of(page)
    page.goto(site.origin, wait_until="networkidle")
    raw.clear()
    # A script names no format, so it gets another one than the page's picture: asked for once before.
    ask = "async url => { await fetch(url); return (await fetch(url, {cache: 'no-cache'})).status }"
    statuses = page.evaluate(ask, f"{embed['base_url']}/blue/256.auto")
    page.wait_for_timeout(200)
    assert (statuses, raw) == (200, [200, 304])


def test_a_reload_of_the_picture_is_answered_304(page: Page, embed: dict[str, Any]) -> None:
    """A reload asks again for what is on show, however fresh: here for the picture, opened by itself."""
    page.goto(f"{embed['base_url']}/blue/256.auto")
    raw = statuses_of(page)
    page.reload()
    assert page.eval_on_selector("img", "i => [i.complete, i.naturalWidth]") == [True, 256]
    assert 304 in raw
    assert 200 not in raw, "beside it the browser may ask for an icon, which is away"


def test_another_site_is_refused(page: Page, site: PartnerSite, embed: dict[str, Any]) -> None:
    other = PartnerSite()
    other.page = site.page
    raw = statuses_of(page)
    page.goto(other.origin, wait_until="networkidle")
    assert page.eval_on_selector_all("img", "all => all.map(i => i.naturalWidth)") == [0, 0, 0, 0]
    assert (raw[0], set(raw[1:])) == (200, {403})  # the page, then its pictures
    other.server.shutdown()
    other.server.server_close()
