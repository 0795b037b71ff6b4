"""Slow readers and unread logs hold up nobody else."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

from service.web.streams import SMALL, Streams

from .conftest import Api, problem


def test_slow_readers_take_half_of_the_threads_and_nothing_is_recorded_for_the_rest(api: Api) -> None:
    link = api.link(api.ready())
    assert link["package"]["bytes"] > SMALL
    api.app.extensions["emblem.streams"] = streams = Streams(threads=6)
    reading = [api.app.test_client().get(api.path(link), buffered=False) for _ in range(3)]
    assert [answer.status_code for answer in reading] == [200] * 3
    refused = api.ask("GET", api.path(link))
    assert refused.status_code == 503
    assert refused.headers["Retry-After"] == "10"
    problem(refused, 503, "unavailable")
    # Everything else is answered: small parts, and what has no body.
    assert api.ask("GET", api.path(link), headers={"Range": "bytes=0-99"}).status_code == 206
    assert api.ask("HEAD", api.path(link)).status_code == 200
    reading.pop().close()
    reading.append(api.ask("GET", api.path(link)))
    assert reading[-1].status_code == 200
    for answer in reading:
        answer.close()
    # A place is given back too where nothing is sent in the end.
    revoked = api.link(api.ready())
    assert api.ask("DELETE", f"/api/v1/links/{revoked['id']}", key="staff").status_code == 204
    for _ in range(5):
        assert api.ask("GET", api.path(revoked)).status_code == 410
    assert streams._taken == 0


def test_a_log_that_nobody_reads_holds_up_nobody(tmp_path: Path) -> None:
    """Four times what a pipe takes; then it is read again, and says how many lines are missing."""
    program = textwrap.dedent(
        """
        import sys, structlog
        from service.web import logging
        logging.configure()
        log = structlog.get_logger()
        for number in range(1000):
            log.info("request", padding="x" * 250)
        print("answered", flush=True)
        sys.stdin.readline()
        log.info("read again")
        """
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "answered\n"
    assert process.stderr is not None
    told = os.read(process.stderr.fileno(), 50_000).decode()  # there is room again before it goes on
    told += process.communicate("go on\n", timeout=60)[1]
    lines = told.splitlines()
    assert 100 < len(lines) < 1000
    assert "log lines were lost" in lines[-2]
    assert "read again" in lines[-1]
