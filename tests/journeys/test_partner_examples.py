"""The examples for partners in ``docs/examples``, each run as it stands against a running Emblem."""

from __future__ import annotations

import base64
import hashlib
import os
import re
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.parts.demo import Client, Demo
from tests.parts.processes import Process, free_port
from tests.parts.system import need, path_of
from tests.parts.walk import Walk

_EXAMPLES = Path(__file__).resolve().parents[2] / "docs" / "examples"


@pytest.fixture(scope="module")
def partner(demo: Demo) -> dict[str, str]:
    """What a partner's site is configured with: its participant, its key, and an embed of the heart."""
    walk = Walk(demo)
    participant = walk.participant()
    made = walk.portal.post("/api/v1/embeds", {"participant": participant, "logo": "heart"}).json()
    return {
        "EMBLEM_URL": demo.base_url,
        "EMBLEM_KEY": demo.facts["keys"]["portal"],
        "EMBLEM_PARTICIPANT": participant,
        "EMBED": f"{demo.base_url}/en/embeds/{made['key']}",
        "KEY": made["key"],
    }


@pytest.mark.parametrize("example", ["partner.py", "partner.php"])
def test_a_server_shows_the_logo_by_oembed_and_licenses_a_download(
    partner: dict[str, str], demo: Demo, example: str, tmp_path: Path
) -> None:
    port = free_port()
    if example.endswith(".php"):
        need("php")
        command = [path_of("php"), "-S", f"127.0.0.1:{port}", str(_EXAMPLES / example)]
    else:
        command = [sys.executable, "-m", "flask", "--app", str(_EXAMPLES / example), "run", "--port", str(port)]
    site = Client(f"http://127.0.0.1:{port}")

    def answers() -> bool:
        try:
            return site.get("/").status == 200
        except OSError:
            return False

    running = Process(command, tmp_path / "site.log", environment=dict(os.environ) | partner)
    try:
        running.wait_for(answers, 60, example)
        page = site.get("/").body.decode()
        address = re.search(r'<img src="([^"]+)" width="400"', page)
        assert address is not None, page
        assert demo.client().get(address[1]).headers["content-type"] == "image/png"
        sent = site.request("POST", "/kit", b"", headers={"Content-Type": "application/x-www-form-urlencoded"})
        assert sent.status == 303
        download = demo.client().get(sent.headers["location"])
        assert (download.status, download.body[:2]) == (200, b"PK")
    finally:
        running.stop()


@pytest.fixture
def static_site(partner: dict[str, str], demo: Demo, tmp_path: Path) -> Iterator[str]:
    """The address of the static page, served from an origin of its own."""
    page = (_EXAMPLES / "partner.html").read_text()
    page = page.replace("https://logo.example.org", demo.base_url).replace("ebd_KEY", partner["KEY"])
    (tmp_path / "index.html").write_text(page)
    (tmp_path / "refused.html").write_text(page.replace('width="320"', 'width="8"'))
    handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_static_page_shows_the_logo_by_the_web_component(page: Page, static_site: str) -> None:
    page.goto(static_site, wait_until="networkidle")
    shown: Any = page.evaluate(
        """async () => {
          const image = document.querySelector("emblem-logo").shadowRoot.querySelector("img");
          await image.decode();
          return [image.currentSrc, image.width, image.naturalWidth > 0, image.alt];
        }"""
    )
    assert shown[0].endswith("/heart/blue/320.auto")
    assert shown[1:] == [320, True, "We are part of the campaign"]


def test_where_the_rules_refuse_it_nothing_is_shown_and_the_page_is_told(page: Page, static_site: str) -> None:
    page.add_init_script("addEventListener('emblem-error', (event) => { window.told = event.detail; });")
    page.goto(f"{static_site}/refused.html")
    page.wait_for_function("window.told")
    assert page.evaluate("window.told.type").endswith("/problems/below-minimum-size")
    assert page.evaluate("document.querySelector('emblem-logo').shadowRoot.childElementCount") == 0


def test_the_component_is_what_pages_of_partners_name_the_digest_of(demo: Demo) -> None:
    """Its bytes never change: another version has another address."""
    answer = demo.client().get("/components/emblem-logo-1.js")
    digest = base64.b64encode(hashlib.sha384(answer.body).digest()).decode()
    assert f"sha384-{digest}" in (_EXAMPLES / "partner.html").read_text()
    assert digest == "IS1d8oiDlqtoe8OAI7pVtu06K4fb5a4kCeEEIr01wygg4msMycizAQAxUKphZ0vY"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["content-type"].startswith("text/javascript")
    assert demo.client().get("/components/emblem-logo-2.js").slug == "not-found"
