"""Staff sign in at a real OpenID Connect provider: only who went there comes back, and only staff's own mailboxes."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from sqlalchemy import update

from service.app import create_app
from service.outgoing import RefusedTarget
from service.problems import OpenIdRefused, Unavailable
from service.staff_access.provider import Provider, ProviderError
from service.store import tables
from tests.parts.authenticator import Authenticator
from tests.parts.openapi import CheckedClient
from tests.parts.openid import CLIENT, SECRET, OpenIdProvider
from tests.parts.processes import free_port
from tests.web.visitor import Visitor

if TYPE_CHECKING:
    from flask import Flask

    from service.deployment import Deployment
    from service.settings import Settings
    from tests.conftest import FrozenClock

BASE = "http://127.0.0.1:8000"


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenIdProvider]:
    running = OpenIdProvider(tmp_path_factory.mktemp("openid"), BASE)
    yield running
    running.close()


@pytest.fixture
def app(settings: Settings, clock: FrozenClock, provider: OpenIdProvider) -> Iterator[Flask]:
    said = dataclasses.replace(settings, oidc_issuer=provider.issuer, oidc_client_id=CLIENT, oidc_client_secret=SECRET)
    made = create_app(settings=said, clock=clock)
    made.test_client_class = CheckedClient
    yield made
    made.extensions["emblem"].close()


@pytest.fixture
def emblem(app: Flask) -> Deployment:
    found: Deployment = app.extensions["emblem"]
    return found


def arrived(visitor: Visitor, provider: OpenIdProvider, address: str) -> str:
    """Where the provider sends a visitor back to who went there from our page."""
    visitor.get("sign-in")
    assert "/en/sign-in/openid" in visitor.html.links()
    left = visitor.get("sign-in/openid", status=303).headers["Location"]
    back = urlsplit(provider.sign_in(left, address))
    assert f"{back.scheme}://{back.netloc}" == BASE
    return f"{back.path}?{back.query}"


def test_staff_sign_in_and_out_there(app: Flask, provider: OpenIdProvider, emblem: Deployment) -> None:
    visitor = Visitor(app)
    left = parse_qs(urlsplit(visitor.get("sign-in/openid", status=303).headers["Location"]).query)
    assert left["code_challenge_method"] == ["S256"]
    assert {"state", "nonce", "code_challenge"} < set(left)
    back = arrived(visitor, provider, "staff@example.org")
    assert visitor.get(back, status=303).headers["Location"] == "/staff"
    visitor.get("/staff")
    visitor.get(back, status=403)  # once
    assert visitor.post("sign-out", {}).headers["Location"] == "/en/sign-out/openid"
    visitor.get("/staff", status=401)
    visitor.get("sign-out/openid")
    (there,) = [link for link in visitor.html.links() if link.startswith(provider.issuer)]
    assert requests.get(there, timeout=30).status_code == 200


@pytest.mark.parametrize(
    "address",
    [
        "stranger@example.org",
        "unverified-staff@example.org",
        "auditor@example.org",
        "staff@\uff45xample.org",  # which are compared as staff@example.org and kelly@example.org
        "\u212aelly@example.org",
    ],
)
def test_only_verified_mailboxes_of_staff_get_in(
    app: Flask, provider: OpenIdProvider, emblem: Deployment, address: str
) -> None:
    for colleague in ("unverified-staff@example.org", "kelly@example.org"):
        emblem.participants.staff.add(colleague, by="staff:cli")
    visitor = Visitor(app)
    visitor.get(arrived(visitor, provider, address), status=403)
    visitor.get("/staff", status=401)


def test_who_has_the_address_of_somebody_else_there_does_not_get_in(
    app: Flask, provider: OpenIdProvider, emblem: Deployment
) -> None:
    visitor, other = Visitor(app), Visitor(app)
    visitor.get(arrived(visitor, provider, "staff@example.org"), status=303)
    other.get(arrived(other, provider, "other|staff@example.org"), status=403)
    other.get("/staff", status=401)
    visitor.get(arrived(visitor, provider, "staff@example.org"), status=303)
    emblem.passkeys.recover(emblem.participants.staff.list()[0].id, by="staff:cli")
    other.get(arrived(other, provider, "other|staff@example.org"), status=303)
    other.get("/staff")


def test_a_code_is_good_for_the_request_that_it_answers(app: Flask, provider: OpenIdProvider) -> None:
    """Neither used twice nor carried into another request, as whoever has seen an answer would; nor by its state."""
    visitor = Visitor(app)
    first = arrived(visitor, provider, "staff@example.org")
    second = arrived(visitor, provider, "staff@example.org")
    codes = [parse_qs(urlsplit(back).query)["code"][0] for back in (first, second)]
    visitor.get(second.replace(codes[1], codes[0]), status=403)
    visitor.get(second, status=403)  # that request is used up
    visitor.get(first, status=403)  # and the browser went there again since
    visitor.get("/staff", status=401)


def test_nothing_that_is_named_beside_it_leads_elsewhere(app: Flask, provider: OpenIdProvider) -> None:
    visitor = Visitor(app)
    left = visitor.get("sign-in/openid?next=https://evil.example&redirect_uri=https://evil.example", status=303)
    assert parse_qs(urlsplit(left.headers["Location"]).query)["redirect_uri"] == [f"{BASE}/sign-in/openid"]
    back = arrived(visitor, provider, "staff@example.org")
    there = visitor.get(f"{back}&next=https://evil.example&lang=//evil.example", status=303)
    assert there.headers["Location"] == "/staff"


def test_only_the_browser_that_went_there_comes_back(app: Flask, provider: OpenIdProvider) -> None:
    visitor, other = Visitor(app), Visitor(app)
    back = arrived(visitor, provider, "staff@example.org")
    other.get(back, status=403)
    other.get("sign-in/openid", status=303)
    other.get(back, status=403)
    assert visitor.get(back, status=303).headers["Location"] == "/staff"


def test_an_answer_is_held_against_the_request(
    app: Flask, provider: OpenIdProvider, emblem: Deployment, clock: FrozenClock
) -> None:
    table = tables.OpenIdRequest
    for wrong in ({"nonce": "another"}, {"code_verifier": "a" * 43}):
        visitor = Visitor(app)
        back = arrived(visitor, provider, "staff@example.org")
        statement = update(table).values(**wrong)
        emblem.database.write(lambda session: session.execute(statement))  # noqa: B023 - done at once
        visitor.get(back, status=403)
    visitor = Visitor(app)
    back = arrived(visitor, provider, "staff@example.org")
    forged = back.replace("&iss=", "&iss=https%3A%2F%2Fevil.example&was=")
    assert forged != back
    visitor.get(forged, status=403)
    visitor = Visitor(app)
    back = arrived(visitor, provider, "staff@example.org")
    visitor.get(back.partition("&iss=")[0], status=403)  # whose answers name their issuer, each of them does
    visitor.get("/sign-in/openid?error=access_denied", status=403)
    late = Visitor(app)
    back = arrived(late, provider, "staff@example.org")
    clock.advance(600)
    late.get(back, status=403)
    emblem.openid.purge()


def test_whoever_has_a_passkey_shows_it_all_the_same(app: Flask, provider: OpenIdProvider, emblem: Deployment) -> None:
    person = emblem.participants.staff.list()[0].id
    made = Authenticator("http://localhost:8000")
    emblem.passkeys.add(person, made.make(emblem.passkeys.offer(person, "Staff")), name="", keep="")
    visitor = Visitor(app)
    back = arrived(visitor, provider, "staff@example.org")
    assert visitor.get(back, status=303).headers["Location"] == "/en/sign-in/passkey"
    visitor.get("/staff", status=401)


def test_the_doctor_asks_the_provider(emblem: Deployment, provider: OpenIdProvider) -> None:
    told = emblem.openid.check()
    assert provider.issuer in told
    assert f"{BASE}/sign-in/openid" in told


def test_a_provider_that_is_away_is_said(settings: Settings, clock: FrozenClock) -> None:
    issuer = f"http://127.0.0.1:{free_port()}"
    made = create_app(settings=dataclasses.replace(settings, oidc_issuer=issuer, oidc_client_id=CLIENT), clock=clock)
    emblem: Deployment = made.extensions["emblem"]
    with pytest.raises(Unavailable):
        emblem.openid.depart("en")
    with pytest.raises(ValueError, match="does not answer"):
        emblem.openid.check()
    with pytest.raises(OpenIdRefused):
        emblem.openid.arrive({"state": "x", "code": "y"}, "z")
    emblem.close()


def test_what_the_provider_names_has_to_be_public(provider: OpenIdProvider) -> None:
    known = Provider(provider.issuer, CLIENT, SECRET, f"{BASE}/sign-in/openid")
    for refused in ("http://login.example.org/token", "http://localhost/token", "ftp://127.0.0.1/x", "", None, 5):
        with pytest.raises(ProviderError):
            known.check(refused)
    with known.client() as client:
        for inside in ("https://10.0.0.1/token", "https://169.254.169.254/latest", "https://[::ffff:10.0.0.1]/token"):
            with pytest.raises(requests.ConnectionError, match=RefusedTarget.__name__):
                client.get(inside, withhold_token=True)
    named = Provider(provider.issuer + "/", CLIENT, SECRET, f"{BASE}/sign-in/openid")
    with pytest.raises(ProviderError, match="its issuer is"):
        named.configuration()
