"""How much a browser transfers for the pages that most people see first: counted by the browser, headers and all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.parts.demo import Demo

_TO_THE_END = """async () => {
    for (let y = 0; y < document.body.scrollHeight; y += 400) {
        scrollTo(0, y);
        await new Promise(requestAnimationFrame);
    }
    await Promise.all([...document.images].map(image => image.decode()));
}"""


@pytest.mark.context(device_scale_factor=2)
@pytest.mark.parametrize(
    ("path", "most"), [("/en/", 60_000), ("/ar/", 60_000), ("/en/tools", 90_000), ("/ar/tools", 90_000)]
)
def test_a_page_and_all_that_it_shows(page: Page, demo: Demo, path: str, most: int) -> None:
    """Tools page ≤ 90 KB scrolled to its end, home ≤ 60 KB, on a fine screen too."""
    taken: dict[str, int] = {}
    addresses: dict[str, str] = {}
    devtools = page.context.new_cdp_session(page)
    devtools.send("Network.enable")

    def answered(event: dict[str, Any]) -> None:
        addresses[event["requestId"]] = event["response"]["url"]

    def finished(event: dict[str, Any]) -> None:
        taken[addresses[event["requestId"]]] = event["encodedDataLength"]

    devtools.on("Network.responseReceived", answered)
    devtools.on("Network.loadingFinished", finished)
    page.goto(demo.base_url + path)
    page.evaluate(_TO_THE_END)
    page.wait_for_load_state("networkidle")
    pictures = [address for address in taken if "/brand/packages/" in address]
    assert len(pictures) >= (3 if path.count("/") == 2 and path.endswith("/") else 6)
    assert all(address.endswith(".avif") for address in pictures)
    assert sum(taken.values()) <= most, taken
