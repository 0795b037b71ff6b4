"""What a real browser makes of the policies of our pages: nothing they need is forbidden, and the rest is reported."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.parts.processes import wait_until

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.parts.demo import Demo

_PAGES = ("/en/", "/en/build", "/en/check", "/en/wear", "/api/v1/docs")


def test_no_page_does_what_its_policy_forbids_and_none_shares_its_process(page: Page, demo: Demo) -> None:
    page.add_init_script(
        "window.refused = [];"
        "addEventListener('securitypolicyviolation', e => refused.push(`${e.effectiveDirective} ${e.blockedURI}`))"
    )
    for path in _PAGES:
        page.goto(demo.base_url + path)
        assert page.evaluate("window.refused") == [], path
        assert page.evaluate("crossOriginIsolated"), path


@pytest.mark.parametrize(
    "sink", ["document.body.innerHTML = '<p>x'", "document.createElement('script').src = 'data:,x'"]
)
def test_no_text_becomes_markup_or_a_script_and_the_attempt_is_reported(page: Page, demo: Demo, sink: str) -> None:
    """``trusted-types 'none'``: not even a script of ours could make one."""
    page.goto(f"{demo.base_url}/en/build")
    before = _reports(demo)
    with pytest.raises(Exception, match=r"TrustedHTML|TrustedScriptURL"):
        page.evaluate(f"() => {{ {sink} }}")
    wait_until(lambda: len(_reports(demo)) > len(before), 60, "the browser reports it")
    told = _reports(demo)[-1]
    assert (told["directive"], told["blocked"]) == ("require-trusted-types-for", "trusted-types-sink")
    assert str(told["page"]).endswith("/build")


def test_the_builder_shows_the_next_picture_without_parsing_text(page: Page, demo: Demo) -> None:
    page.goto(f"{demo.base_url}/en/build")
    page.locator("#b-width").fill("300")
    page.locator("#built figcaption", has_text="300 ×").wait_for()
    assert "width=300" in page.url


def _reports(demo: Demo) -> list[dict[str, object]]:
    lines = [json.loads(line) for line in demo.process.output().splitlines() if '"a browser refused' in line]
    return [line for line in lines if "a browser refused" in line["event"]]
