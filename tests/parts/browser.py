"""Debian's Chromium, driven by Playwright."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

from .system import need, path_of

# What the last six switch off would ask hosts on the Internet; tests reach none.
_FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@contextmanager
def chromium() -> Iterator[Browser]:
    """A running browser."""
    need("chromium")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path_of("chromium"), args=_FLAGS)
        try:
            yield browser
        finally:
            browser.close()
