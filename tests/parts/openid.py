"""An OpenID Connect provider as a process of its own (npm's oidc-provider), and a person who signs in there."""

from __future__ import annotations

import os
import re
from pathlib import Path
from urllib.parse import urljoin

import requests

from .processes import Process, answers, free_port
from .system import MODULES, need, path_of

CLIENT, SECRET = "emblem-of-the-tests", "a-secret-of-the-tests-and-of-nothing-else"
_SCRIPT = Path(__file__).with_suffix("").parent / "openid_provider.mjs"


class OpenIdProvider:
    """One provider for a deployment at ``base_url``; ``issuer`` is its ``EMBLEM_OIDC_ISSUER``."""

    def __init__(self, folder: Path, base_url: str) -> None:
        need("openid")
        self.port = free_port()
        self.issuer = f"http://127.0.0.1:{self.port}"
        command: list[str | Path] = [path_of("node"), _SCRIPT, str(self.port), CLIENT, SECRET]
        command += [f"{base_url}/sign-in/openid", f"{base_url}/"]
        environment = {**os.environ, "EMBLEM_TESTS_NODE": str(MODULES)}
        self.process = Process(command, folder / "openid.log", environment=environment)
        self.process.wait_for(lambda: answers(self.port), 60, "the provider answers")

    def sign_in(self, url: str, address: str) -> str:
        """What a browser does that was sent to ``url``: signs in and consents; returns where it is sent back to."""
        with requests.Session() as browser:
            for _ in range(12):
                answer = browser.get(url, allow_redirects=False, timeout=30)
                if answer.status_code in (302, 303):
                    url = urljoin(url, answer.headers["Location"])
                    if not url.startswith(self.issuer):
                        return url
                    continue
                form = re.search(r'<form[^>]* action="([^"]+)"', answer.text)
                prompt = re.search(r'name="prompt" value="(\w+)"', answer.text)
                assert form, answer.text[:2000]
                assert prompt, answer.text[:2000]
                sent = {"prompt": prompt[1], "login": address, "password": "any"}
                answer = browser.post(urljoin(url, form[1]), data=sent, allow_redirects=False, timeout=30)
                url = urljoin(url, answer.headers["Location"])
                if not url.startswith(self.issuer):
                    return url
        raise AssertionError(f"the provider leads nowhere: {url}")

    def close(self) -> None:
        """Stops it."""
        self.process.stop()
