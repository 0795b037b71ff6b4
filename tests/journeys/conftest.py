"""One running Emblem with a large package, for the journeys of download programs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.parts.big import assets_with_film
from tests.parts.demo import Demo
from tests.parts.walk import Walk


@pytest.fixture(scope="session")
def film(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walk]:
    """Steps on a demo that also has the package ``film``."""
    folder = tmp_path_factory.mktemp("film")
    assets = assets_with_film(folder / "assets")
    running = Demo(folder / "var", {"EMBLEM_ASSETS_DIR": str(assets), "EMBLEM_RATE_LIMITS": "off"})
    yield Walk(running)
    assert running.stop() == 0


@pytest.fixture
def walk(demo: Demo) -> Walk:
    """Steps on the shared demo of the shipped campaign."""
    return Walk(demo)
