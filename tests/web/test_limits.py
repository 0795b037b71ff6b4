"""Rate limits: how many, by what, what a refusal says, and that machines share them through Redis."""

from __future__ import annotations

import dataclasses
import io
import re
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from limits import RateLimitItemPerHour, RateLimitItemPerMinute

from service.limits import LIMITS

from .conftest import Api, problem

if TYPE_CHECKING:
    from service.settings import Settings
    from tests.conftest import FrozenClock


@pytest.fixture
def limited(settings: Settings, clock: FrozenClock) -> Iterator[Api]:
    from service.app import create_app

    made = create_app(settings=dataclasses.replace(settings, rate_limits=True), clock=clock)
    yield Api(made)
    made.extensions["emblem"].close()


def exhaust(limited: Api, times: int, method: str, path: str, **more: Any) -> Any:
    """Asks so many times, all of which have to be let through, and then once more."""
    for _ in range(times):
        assert limited.ask(method, path, **more).status_code != 429
    return limited.ask(method, path, **more)


def refused(answer: Any) -> None:
    problem(answer, 429, "rate-limited")
    assert 1 <= int(answer.headers["Retry-After"]) <= 3600
    assert re.fullmatch(r'"[a-z-]+";r=0;t=\d+', answer.headers["RateLimit"])
    assert re.fullmatch(r'"[a-z-]+";q=\d+;w=\d+', answer.headers["RateLimit-Policy"])


def test_without_a_key_120_a_minute_and_address(limited: Api) -> None:
    refused(exhaust(limited, 120, "GET", "/api/v1/terms"))
    other = limited.ask("GET", "/api/v1/terms", environ_base={"REMOTE_ADDR": "192.0.2.9"})
    assert other.status_code == 200
    assert limited.ask("GET", "/api/v1/me", key="staff").status_code == 200, "a key has a limit of its own"
    assert limited.ask("GET", "/en/").status_code == 200, "pages are not limited"


def test_an_ipv6_64_is_one_address(limited: Api) -> None:
    for number in range(120):
        limited.ask("GET", "/api/v1/terms", environ_base={"REMOTE_ADDR": f"2001:db8::{number:x}"})
    refused(limited.ask("GET", "/api/v1/terms", environ_base={"REMOTE_ADDR": "2001:db8::ffff"}))
    assert limited.ask("GET", "/api/v1/terms", environ_base={"REMOTE_ADDR": "2001:db8:0:1::1"}).status_code == 200


def test_600_a_minute_and_key(limited: Api) -> None:
    refused(exhaust(limited, 600, "GET", "/api/v1/me", key="staff"))
    assert limited.ask("GET", "/api/v1/me", key="auditor").status_code == 200


def test_60_downloads_a_minute_and_address(limited: Api) -> None:
    refused(exhaust(limited, 60, "GET", "/d/forged/logo.zip"))


def test_invitations_fill_nobodys_mailbox(limited: Api) -> None:
    """Taking somebody out and inviting them again is a mail each time."""
    path = f"/api/v1/participants/{limited.ready()}/members"
    for _ in range(5):
        made = limited.ask("POST", path, key="portal", json={"name": "Kim", "email": "Kim@example.net"})
        assert made.status_code == 201
        assert limited.ask("DELETE", f"{path}/{made.json['id']}", key="portal").status_code == 204
    refused(limited.ask("POST", path, key="portal", json={"name": "Kim", "email": "kim@EXAMPLE.net"}))
    assert limited.ask("POST", path, key="portal", json={"name": "Lee", "email": "lee@example.net"}).status_code == 201


#: A request of each kind that costs something or guesses, by the name of what limits it, and fields of a form.
DEAR: dict[str, tuple[str, str, dict[str, Any]]] = {
    "api": ("GET", "/api/v1/verify/crt_x", {}),
    "embed-lookup": ("GET", "/logos/ebd_{0:022}/heart/blue/64.png", {}),
    "build": ("GET", "/en/build?width=64", {}),
    "artwork": ("POST", "/en/check", {}),
    "artwork again": ("POST", "/en/verify", {}),
    "artwork of agents": ("POST", "/mcp", {"method": "tools/call", "params": {"name": "check_artwork"}}),
    "passkey": ("POST", "/en/sign-in/passkey/options", {}),
    "misuse": ("POST", "/en/report", {"url": "https://x.example/", "description": "It is misused there."}),
    "reports": ("POST", "/browser-reports", {}),
    "form": ("POST", "/en/download", {}),
}


@pytest.mark.parametrize("name", DEAR)
def test_what_costs_is_limited(limited: Api, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Each is let through as often as the table says, here three times, and then answered with 429."""
    limit = name.partition(" ")[0]
    monkeypatch.setitem(LIMITS, limit, RateLimitItemPerHour(3) if limit == "misuse" else RateLimitItemPerMinute(3))
    method, path, fields = DEAR[name]
    statuses = []
    for number in range(4):
        client, where = limited.app.test_client(), {"REMOTE_ADDR": "192.0.2.1"}
        more: dict[str, Any] = {"data": fields}
        if path in ("/en/check", "/en/verify"):
            more = {"data": {"file": (io.BytesIO(b"no picture"), "x.png")}, "content_type": "multipart/form-data"}
        elif path == "/mcp":
            more = {"json": {"jsonrpc": "2.0", "id": 1, **fields}}
        headers = {"Sec-Fetch-Site": "same-origin"}
        # Whoever asks may write these; no proxy is trusted, so they say nothing.
        headers |= dict.fromkeys(("X-Forwarded-For", "X-Real-IP", "True-Client-IP"), f"198.51.100.{number}")
        headers["Forwarded"] = f"for=198.51.100.{number}"
        answer = client.open(path.format(number), method=method, environ_base=where, headers=headers, **more)
        statuses.append(answer.status_code)
    assert 429 not in statuses[:3], statuses
    refused(answer)


def form(limited: Api, path: str, fields: dict[str, Any], address: str) -> Any:
    """Sends a form of ours as a browser does."""
    client, where = limited.app.test_client(), {"REMOTE_ADDR": address}
    return client.post(path, data=fields, environ_base=where, headers={"Sec-Fetch-Site": "same-origin"})


def test_signing_in_60_an_hour_and_address_and_5_a_mailbox(limited: Api) -> None:
    """So that a school behind one address can join, and nobody's mailbox is filled."""
    for number in range(60):
        answer = form(limited, "/en/sign-in", {"email": f"a{number}@example.org"}, "192.0.2.1")
        assert answer.status_code == 303
    refused(form(limited, "/en/sign-in", {"email": "another@example.org"}, "192.0.2.1"))
    for number in range(4):
        answer = form(limited, "/en/sign-in", {"email": "A0@example.org"}, f"192.0.2.{number + 2}")
        assert answer.status_code == 303
    refused(form(limited, "/en/sign-in", {"email": "a0@example.org\t"}, "192.0.2.77"))
    assert form(limited, "/en/sign-in", {"email": "b@example.org"}, "192.0.2.77").status_code == 303


def test_a_form_with_mistakes_does_not_count_as_joining(limited: Api) -> None:
    for _ in range(7):
        fields = {"kind": "individual", "email": "person@example.org"}
        assert form(limited, "/en/join?kind=individual", fields, "192.0.2.1").status_code == 422


def test_what_is_left_is_said(limited: Api) -> None:
    answer = limited.ask("GET", "/api/v1/me", key="staff")
    assert answer.headers["RateLimit-Policy"] == '"key";q=600;w=60'
    assert re.fullmatch(r'"key";r=599;t=\d+', answer.headers["RateLimit"])


def test_forty_forms_at_once_send_no_more_mails_than_forty_one_after_the_other(limited: Api) -> None:
    """The place is taken before the mail is written, and a mailbox is one however its domain is typed."""
    made = limited.parts
    body = {"kind": "civil_society", "name": "Example", "country": "AT", "purposes": "information", "website": ""}
    answers = limited.application()["answers"]
    body |= {f"answers.{name}": {True: "yes", False: "no"}.get(value, value) for name, value in answers.items()}
    domains = ["example.org", "EXAMPLE.org", "\uff45xample.org", "example\u3002org", "ex\u00adample.org"]

    def join(number: int) -> int:
        fields = body | {"email": f"flood@{domains[number % 5]}"}
        answer = form(limited, "/en/join?kind=civil_society", fields, f"192.0.2.{number}")
        return int(answer.status_code)

    with ThreadPoolExecutor(8) as pool:
        statuses = Counter(pool.map(join, range(40)))
    assert statuses[303] <= 5
    assert set(statuses) <= {303, 422, 429}
    assert statuses[429] >= 25
    assert len(list((made.settings.outbox or Path()).glob("*.eml"))) == statuses[303]
