"""Running Emblems that a test may break, on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.parts.demo import Demo
from tests.parts.postgres import Postgres
from tests.parts.walk import Walk


@pytest.fixture(params=["sqlite", "postgres"])
def breakable(request: pytest.FixtureRequest, new_demo: Callable[..., Demo]) -> Iterator[Walk]:
    """Steps on an Emblem of the test's own, once on each database."""
    if request.param == "sqlite":
        yield Walk(new_demo())
        return
    server: Postgres = request.getfixturevalue("postgres")
    url = server.new_database()
    running = new_demo(EMBLEM_DATABASE_URL=url)
    yield Walk(running)
    running.stop()
    server.drop(url)
