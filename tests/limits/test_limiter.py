"""Counting requests, in a process and for several machines."""

from __future__ import annotations

from pathlib import Path

import pytest

from service.limits import Limiter
from service.problems import RateLimited

from ..parts.redis import RedisServer


def test_machines_share_their_limits_through_redis(tmp_path: Path) -> None:
    server = RedisServer(tmp_path)
    try:
        here, there = Limiter(True, server.url), Limiter(True, server.url)
        for _ in range(30):
            here.hit("download", "192.0.2.1")
            there.hit("download", "192.0.2.1")
        with pytest.raises(RateLimited):
            here.hit("download", "192.0.2.1")
        with pytest.raises(RateLimited):
            there.hit("download", "192.0.2.1")
    finally:
        server.close()
    assert here.hit("download", "192.0.2.1")  # Redis is gone: this process counts for itself
