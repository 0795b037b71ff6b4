"""A client of the web application that speaks JSON with one of four keys, and the main job's steps over it."""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
import structlog

from service.artwork.inspecting import Kit
from service.deployment import open_publisher
from service.web import logging as log_room
from tests.conftest import PUBLISHED, FrozenClock
from tests.parts import willing

if TYPE_CHECKING:
    from pathlib import Path

    from flask import Flask

    from service.campaign import Campaign
    from service.deployment import Deployment
    from service.settings import Settings
    from tests.parts.postgres import Postgres

_numbers = itertools.count(1)


@dataclass
class Api:
    """The application, asked over HTTP's own interface."""

    app: Flask
    keys: dict[str, str] = field(default_factory=dict)

    @property
    def parts(self) -> Deployment:
        """What the application is made of."""
        found: Deployment = self.app.extensions["emblem"]
        return found

    def ask(self, method: str, path: str, *, key: str = "", json: Any = None, **more: Any) -> Any:
        """One request and its TestResponse; ``key`` is a role, ``headers`` come on top of a browser's."""
        headers = {"User-Agent": "Mozilla/5.0 (tests)", **more.pop("headers", {})}
        if key:
            headers["Authorization"] = f"Bearer {self.key(key)}"
        if json is not None:
            more["json"] = json
        return self.app.test_client().open(path, method=method, headers=headers, **more)

    def key(self, role: str) -> str:
        """The secret of a key of this role, made when it is first asked for."""
        if role not in self.keys:
            _, self.keys[role] = self.parts.participants.api_keys.create(role, name="tests", by="staff:cli")
        return self.keys[role]

    def application(self, kind: str = "civil_society", **changes: Any) -> dict[str, Any]:
        """The body of an application that is approved."""
        return {
            "kind": kind,
            "name": "Example Society",
            "email": f"society{next(_numbers)}@example.org",
            "country": "AT",
            "answers": willing.answers(self.parts.campaign, kind),
            "purposes": ["information"],
        } | changes

    def join(self, key: str = "portal", **changes: Any) -> str:
        """Joins; returns the id."""
        answer = self.ask("POST", "/api/v1/participants", key=key, json=self.application(**changes))
        assert answer.status_code == 201, answer.text
        return str(answer.json["id"])

    def accept(self, participant: str, terms: str = "logo-terms", key: str = "portal") -> Any:
        """Accepts the current terms."""
        current = self.ask("GET", f"/api/v1/terms/{terms}").json
        body = {
            "terms": terms,
            "version": current["version"],
            "language": "en",
            "digest": hashlib.sha256(current["text"].encode()).hexdigest(),
            "signatory": {"name": "Example Person", "capacity": "Secretary"},
        }
        return self.ask("POST", f"/api/v1/participants/{participant}/acceptances", key=key, json=body)

    def ready(self) -> str:
        """An approved participant that accepted the terms of logos."""
        participant = self.join()
        assert self.accept(participant).status_code == 201
        return participant

    def link(self, participant: str, **more: Any) -> dict[str, Any]:
        """A link to the logo package."""
        body = {"participant": participant, "package": "logo"} | more
        answer = self.ask("POST", "/api/v1/links", key="portal", json=body)
        assert answer.status_code == 201, answer.text
        issued: dict[str, Any] = answer.json
        return issued

    def path(self, link: dict[str, Any]) -> str:
        """The path of a link's URL."""
        return str(link["url"]).removeprefix(self.parts.settings.base_url)


@pytest.fixture
def api(app: Flask) -> Api:
    return Api(app)


@pytest.fixture(scope="session")
def _on_postgres(postgres: Postgres, _migrated_postgres: str, _published: Path) -> str:
    """A PostgreSQL database on which the shipped campaign is published."""
    from service import settings as settings_room
    from tests.conftest import environment

    url = postgres.new_database(like=_migrated_postgres)
    made = dataclasses.replace(settings_room.load(environment(_published)), database_url=url)
    with open_publisher(made, FrozenClock(PUBLISHED)) as publisher:
        publisher.publish()
    return url


@pytest.fixture(params=["sqlite", "postgres"])
def either(request: pytest.FixtureRequest, settings: Settings, clock: FrozenClock) -> Iterator[Api]:
    """The application, once on each database."""
    from service.app import create_app

    if request.param == "postgres":
        server: Postgres = request.getfixturevalue("postgres")
        settings = dataclasses.replace(
            settings, database_url=server.new_database(like=request.getfixturevalue("_on_postgres"))
        )
    made = create_app(settings=settings, clock=clock)
    yield Api(made)
    made.extensions["emblem"].close()


@pytest.fixture
def logging_configured() -> Iterator[None]:
    """Logging set up as in a process that serves, but that no logger keeps it beyond the test."""
    before, root = structlog.get_config(), logging.getLogger()
    handlers, level = root.handlers[:], root.level
    log_room.configure()
    structlog.configure(cache_logger_on_first_use=False)
    yield
    structlog.configure(**before)
    root.handlers[:], root.level = handlers, level


def problem(answer: Any, status: int, slug: str) -> dict[str, Any]:
    """Checks that an answer is this problem in the form of RFC 9457, and returns it."""
    assert answer.status_code == status, answer.text
    assert answer.mimetype == "application/problem+json"
    assert answer.headers["Cache-Control"] == "no-store"
    told: dict[str, Any] = answer.get_json(force=True)
    assert told["type"] == f"/problems/{slug}"
    assert told["status"] == status
    assert told["title"]
    assert told["detail"]
    assert told["instance"] == answer.request.path
    return told


@pytest.fixture(scope="session")
def _kits() -> dict[str, Kit]:
    return {}


@pytest.fixture
def one_kit(_kits: dict[str, Kit], monkeypatch: pytest.MonkeyPatch) -> None:
    """What artwork is held against is made once for all tests, as in one process that serves."""
    make = Kit.of

    def of(campaign: Campaign) -> Kit:
        if campaign.digest not in _kits:
            _kits[campaign.digest] = make(campaign)
        return _kits[campaign.digest]

    monkeypatch.setattr(Kit, "of", of)
