"""Running Emblems that a test may break, on SQLite and on PostgreSQL."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.ledger.conftest import Log
from tests.parts.demo import Demo
from tests.parts.postgres import Postgres
from tests.parts.walk import Walk

Copy = Callable[[], Log]


@pytest.fixture(params=["sqlite", "postgres"])
def breakable(request: pytest.FixtureRequest, new_demo: Callable[..., Demo]) -> Iterator[Walk]:
    """Steps on an Emblem of the test's own, once on each database."""
    server: Postgres | None = request.getfixturevalue("postgres") if request.param == "postgres" else None
    running = new_demo(server)
    yield Walk(running)
    running.stop()
    if server is not None:
        server.drop(running.environment["EMBLEM_DATABASE_URL"])


def copies(folder: Path, server: Postgres | None, url: str, key: str) -> Iterator[Copy]:
    """Yields what makes copies, beside it, of the closed log in ``folder`` (and at ``url``); closes them at the end."""
    made: list[Log] = []

    def new() -> Log:
        there = folder.parent / f"copy{len(made)}"
        shutil.copytree(folder, there)
        made.append(Log(there, url=server.new_database(like=url) if server else None, key=key))
        return made[-1]

    yield new
    for log in made:
        log.database.close()  # the databases go with their server: dropping each would take as long as the test
