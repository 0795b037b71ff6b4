"""What the tests of the artwork check share: the campaign's templates and rules, made once."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from service.artwork.inspecting import Kit, inspect
from service.artwork.report import LogoReport
from service.campaign import Campaign
from service.settings import shipped

from .drawing import Pixels

Inspect = Callable[[Pixels], tuple[LogoReport, ...]]


@pytest.fixture(scope="session")
def campaign() -> Campaign:
    from service.campaign import load

    return load(shipped("policies"), shipped("assets"))


@pytest.fixture(scope="session")
def kit(campaign: Campaign) -> Kit:
    return Kit.of(campaign)


@pytest.fixture
def look(kit: Kit) -> Inspect:
    return lambda picture: inspect(kit, picture)
