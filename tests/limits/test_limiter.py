"""Counting requests, in a process and for several machines."""

from __future__ import annotations

from pathlib import Path

import pytest
import structlog

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


def test_a_frozen_redis_holds_up_one_request_for_a_moment_and_then_none(tmp_path: Path) -> None:
    server = RedisServer(tmp_path)
    try:
        limiter = Limiter(True, server.url)
        limiter.hit("download", "192.0.2.1")
        server.freeze()
        with structlog.testing.capture_logs() as logs:
            for _ in range(60):
                limiter.hit("download", "192.0.2.1")
        assert len(logs) == 1, "it was asked once, and not again during the pause"
        with pytest.raises(RateLimited):
            limiter.hit("download", "192.0.2.1")
    finally:
        server.thaw()
        server.close()
