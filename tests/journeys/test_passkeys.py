"""A person of the staff adds a passkey in Chromium, whose own virtual authenticator makes and uses it."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from playwright.sync_api import expect

from service.app import create_app
from tests.parts.processes import free_port
from tests.parts.served import served

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from service.settings import Settings
    from tests.conftest import FrozenClock

AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


def test_a_passkey_is_added_used_and_then_needed(page: Page, settings: Settings, clock: FrozenClock) -> None:
    port = free_port()
    app = create_app(settings=dataclasses.replace(settings, base_url=f"http://127.0.0.1:{port}"), clock=clock)
    emblem = app.extensions["emblem"]
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    chosen = devtools.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})["authenticatorId"]
    with served(app, port):
        page.goto(emblem.participants.sign_in.issue_url("staff@example.org"))
        with page.expect_navigation():
            page.locator("main form button[type=submit]").click()
        # At the bare address browsers make none, and the page leads to where they do.
        page.goto(f"http://127.0.0.1:{port}/staff/passkeys")
        expect(page.locator("form[data-passkey]")).to_have_count(0)
        assert page.locator(".notice a").get_attribute("href") == f"http://localhost:{port}/staff/passkeys"
        name = f"http://localhost:{port}"
        page.goto(emblem.participants.sign_in.issue_url("staff@example.org").replace("127.0.0.1", "localhost"))
        with page.expect_navigation():
            page.locator("main form button[type=submit]").click()
        page.goto(f"{name}/staff/passkeys")
        page.locator("#f-name").fill("Test device")
        page.locator("form[data-passkey=add] button").click()
        expect(page.get_by_role("button", name="Remove Test device")).to_be_visible(timeout=30_000)
        kept = devtools.send("WebAuthn.getCredentials", {"authenticatorId": chosen})["credentials"]
        assert [(one["isResidentCredential"], one["rpId"]) for one in kept] == [(True, "localhost")]
        page.context.clear_cookies()
        page.goto(emblem.participants.sign_in.issue_url("staff@example.org").replace("127.0.0.1", "localhost"))
        page.locator("main form button[type=submit]").click()
        page.wait_for_url("**/sign-in/passkey")
        devtools.send("WebAuthn.setUserVerified", {"authenticatorId": chosen, "isUserVerified": False})
        page.locator("form[data-passkey=use] button").click()
        expect(page.locator("[data-failed]")).to_be_visible(timeout=30_000)  # its user was not verified
        devtools.send("WebAuthn.setUserVerified", {"authenticatorId": chosen, "isUserVerified": True})
        page.locator("form[data-passkey=use] button").click()
        page.wait_for_url("**/staff")
        page.goto(f"{name}/staff/passkeys?lang=ar")
        assert page.locator("html").get_attribute("dir") == "rtl"
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    emblem.close()
