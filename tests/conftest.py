"""What tests of every room share: a clock that stands still, stores and storages, the campaign, apps, a demo.

A test that takes ``database`` or ``storage`` runs once on each backend, so that all stay the same.
"""

from __future__ import annotations

import itertools
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings as hypothesis_settings

from service import campaign as campaign_room
from service import ledger
from service import settings as settings_room
from service.certificates.credentials import new_credential_key
from service.storage import Storage, open_storage
from service.store import Database, migrate

from .parts.browser import chromium
from .parts.demo import Demo, MadeDemos
from .parts.openapi import CheckedClient
from .parts.postgres import Postgres
from .parts.s3 import S3Server

if TYPE_CHECKING:
    from flask import Flask
    from playwright.sync_api import Browser, Page

    from service.campaign import Campaign
    from service.packages.publications import Publications, PublicationView
    from service.settings import Settings

hypothesis_settings.register_profile("emblem", deadline=None)  # no test asserts a time
hypothesis_settings.load_profile("emblem")

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
PUBLISHED = NOON - timedelta(days=1)  # what ``settings`` finds
SECRET = "a-secret-of-the-tests-and-of-nothing-else"


@dataclass
class FrozenClock:
    """A clock that moves only when it is told to."""

    now: datetime = field(default=NOON)

    def __call__(self) -> datetime:
        """The present instant."""
        return self.now

    def advance(self, seconds: float) -> datetime:
        """Moves on by so many seconds, and returns the new present."""
        self.now += timedelta(seconds=seconds)
        return self.now


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock()


# ---- stores


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    server = Postgres()
    yield server
    server.close()


@pytest.fixture(scope="session")
def _migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "emblem.sqlite3"
    _migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def _migrated_postgres(postgres: Postgres) -> str:
    url = postgres.new_database()
    _migrate(url)
    return url


def _migrate(url: str) -> None:
    database = Database(url)
    migrate.upgrade(database)
    database.close()


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a fresh database at the newest schema, once on each backend."""
    if request.param == "sqlite":
        path = tmp_path / "emblem.sqlite3"
        shutil.copyfile(request.getfixturevalue("_migrated_sqlite"), path)
        yield f"sqlite:///{path}"
        return
    server: Postgres = request.getfixturevalue("postgres")
    url = server.new_database(like=request.getfixturevalue("_migrated_postgres"))
    yield url
    server.drop(url)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    opened = Database(database_url)
    yield opened
    opened.close()


# ---- storages


@pytest.fixture(scope="session")
def s3_server() -> Iterator[S3Server]:
    server = S3Server()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in server.environment.items():
            patch.setenv(name, value)
        yield server
    server.close()


_prefixes = itertools.count(1)


@pytest.fixture(params=["directory", "s3"])
def storage_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty storage, once on each backend."""
    if request.param == "directory":
        return (tmp_path / "storage").as_uri()
    server: S3Server = request.getfixturevalue("s3_server")
    return server.url(f"test-{next(_prefixes)}")


@pytest.fixture
def storage(storage_url: str) -> Storage:
    return open_storage(storage_url)


# ---- the campaign, and apps that serve it


@pytest.fixture(scope="session")
def campaign() -> Campaign:
    """The campaign as shipped."""
    return campaign_room.load(settings_room.shipped("policies"), settings_room.shipped("assets"))


def environment(folder: Path) -> dict[str, str]:
    """The variables of a deployment whose data lies in ``folder``."""
    return {
        "EMBLEM_DATA_DIR": str(folder),
        "EMBLEM_SECRET_KEYS": SECRET,
        "EMBLEM_LOG_KEY": ledger.new_log_key(),
        "EMBLEM_CREDENTIAL_KEY": new_credential_key(),
        "EMBLEM_LOG_ORIGIN": "emblem.example.org/log",
        "EMBLEM_STAFF": "staff@example.org",
        "EMBLEM_AUDITORS": "auditor@example.org",
        "EMBLEM_RATE_LIMITS": "off",
    }


@pytest.fixture(scope="session")
def _published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A deployment with the shipped catalogue published: made once, copied for each test."""
    from service.deployment import open_publisher

    folder = tmp_path_factory.mktemp("published")
    made = settings_room.load(environment(folder))
    _migrate(made.database_url)
    with open_publisher(made, FrozenClock(PUBLISHED)) as publisher:
        publisher.publish()
    return folder


@pytest.fixture(scope="session")
def _read_once() -> Iterator[None]:
    """What lies published in every copy is read once: a campaign never changes, and reading it is half of an app."""
    from service import deployment

    read = deployment._read_publication
    found: dict[PublicationView, deployment.InForce] = {}

    def read_once(publications: Publications, publication: PublicationView) -> deployment.InForce:
        if publication.at != PUBLISHED:  # of a test's own: it may be spoilt
            return read(publications, publication)
        if publication not in found:
            found[publication] = read(publications, publication)
        return found[publication]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(deployment, "_read_publication", read_once)
        yield


@pytest.fixture
def settings(tmp_path: Path, _published: Path, _read_once: None) -> Settings:
    """Settings of a deployment of the shipped campaign, on SQLite and a directory."""
    folder = tmp_path / "deployment"
    shutil.copytree(_published, folder)
    return settings_room.load(environment(folder))


@pytest.fixture
def app(settings: Settings, clock: FrozenClock) -> Iterator[Flask]:
    """The web application over ``settings`` and ``clock``, without background work; its answers are as documented."""
    from service.app import create_app

    made = create_app(settings=settings, clock=clock)
    made.test_client_class = CheckedClient
    yield made
    made.extensions["emblem"].close()


# ---- the whole, for real


@pytest.fixture(scope="session")
def made_demos(tmp_path_factory: pytest.TempPathFactory) -> MadeDemos:
    """Demos to start from."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent  # of all workers: one of them makes what all copy
    folder = folder / "demos"
    folder.mkdir(exist_ok=True)
    return MadeDemos(folder)


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory, made_demos: MadeDemos) -> Iterator[Demo]:
    """A running ``emblem demo``, shared by all journeys that leave it as it was for others."""
    folder = tmp_path_factory.mktemp("demo") / "var"
    made_demos.copy(folder)
    running = Demo(folder, {"EMBLEM_RATE_LIMITS": "off"})
    yield running
    assert running.stop() == 0


@pytest.fixture
def new_demo(tmp_path: Path, made_demos: MadeDemos) -> Iterator[Callable[..., Demo]]:
    """Starts demos of the test's own, and ends them.

    They start from one that was made before, on SQLite or on a server's copy of its database; on a database that is
    given by its URL they make everything.
    """
    started: list[Demo] = []

    def start(server: Postgres | None = None, **environment: str) -> Demo:
        folder = tmp_path / f"var{len(started)}"
        database = {} if "EMBLEM_DATABASE_URL" in environment else made_demos.copy(folder, server)
        started.append(Demo(folder, {"EMBLEM_RATE_LIMITS": "off"} | database | environment))
        return started[-1]

    yield start
    for running in started:
        running.stop()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.fixture
def page(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A page in a context of its own; ``@pytest.mark.context(...)`` gives options, such as a locale."""
    marker = request.node.get_closest_marker("context")
    # As with a window: a browser that says it has none is a robot to the counting rule.
    named = f"Chrome/{browser.version.partition('.')[0]}.0.0.0"
    agent = f"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) {named} Safari/537.36"
    context = browser.new_context(**({"user_agent": agent} | (marker.kwargs if marker else {})))
    context.set_default_timeout(15_000)
    yield context.new_page()
    context.close()
