"""A full disk, a read-only or absent database: 503 and no byte, and nothing that was recorded is lost."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import psycopg

from tests.parts.demo import Answer, Demo
from tests.parts.disk import small_disk
from tests.parts.postgres import Postgres
from tests.parts.processes import wait_until
from tests.parts.walk import Walk

from .test_killed import children


def assert_not_recorded(answer: Answer) -> None:
    assert answer.slug == "not-recorded", answer
    assert answer.status == 503
    assert int(answer.headers["retry-after"]) > 0
    assert answer.headers["cache-control"] == "no-store"


def test_a_full_disk_refuses_downloads_and_loses_nothing(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "96m") as disk:
        demo = Demo(disk.path / "var", {"EMBLEM_RATE_LIMITS": "off"})
        try:
            walk = Walk(demo)
            link = walk.link(walk.participant())
            client = demo.client()
            assert client.get(link["url"]).status == 200
            wait_until(lambda: walk.downloads(link["id"])[0]["bytes_sent"] is not None, 60, "the end is noted")
            before = walk.downloads(link["id"])
            disk.fill()
            wait_until(lambda: client.get(link["url"]).status == 503, 60, "the disk is full for the database")
            assert_not_recorded(client.get(link["url"]))
            joined = walk.join()
            assert (joined.status, joined.slug) == (503, "unavailable")
            assert "retry-after" in joined.headers
            assert client.get("/api/v1/packages").status == 200
            assert client.get("/en/").status == 200
            rows = walk.downloads(link["id"])
            assert before == [row for row in rows if row["id"] == before[0]["id"]]
            disk.free()
            wait_until(lambda: client.get(link["url"]).status == 200, 60, "downloads go on")
            assert {row["id"] for row in rows} < {row["id"] for row in walk.downloads(link["id"])}
            assert walk.join().status == 201
            status, said, errors = demo.cli("audit", "seal")
            assert status == 0, said + errors
            status, said, errors = demo.cli("audit", "verify")
            assert status == 0, said + errors
        finally:
            demo.stop()


def test_a_read_only_database_refuses_downloads(postgres: Postgres, new_demo: Callable[..., Demo]) -> None:
    demo = new_demo(postgres)
    url = demo.environment["EMBLEM_DATABASE_URL"]
    walk = Walk(demo)
    link = walk.link(walk.participant())
    name = url.rpartition("/")[2]
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(f"alter database {name} set default_transaction_read_only = on".encode())
        # As after a failover: connections are new, and the server takes no write.
        connection.execute("select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid()")
    client = demo.client()
    assert_not_recorded(client.get(link["url"]))
    assert walk.join().slug == "unavailable"
    assert client.request("HEAD", link["url"]).status == 200
    assert walk.downloads(link["id"]) == []
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("set default_transaction_read_only = off")
        connection.execute(f"alter database {name} reset default_transaction_read_only".encode())
        connection.execute("select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid()")
    wait_until(lambda: client.get(link["url"]).status == 200, 60, "downloads go on")
    demo.stop()


def test_a_database_that_is_away_refuses_downloads_and_comes_back_also_to_new_workers(
    new_demo: Callable[..., Demo],
) -> None:
    server = Postgres()
    try:
        demo = new_demo(EMBLEM_DATABASE_URL=server.new_database())
        walk = Walk(demo)
        link = walk.link(walk.participant())
        client = demo.client()
        assert client.get(link["url"]).status == 200
        server.process.stop(signal.SIGINT)
        assert_not_recorded(client.get(link["url"]))
        ready = client.get("/readyz")
        assert ready.status == 503
        assert b"database" in ready.body
        assert client.get("/healthz").status == 200
        for worker in children(demo.process.pid):
            os.kill(worker, signal.SIGKILL)
        wait_until(lambda: demo.process.output().count("a start waits") >= 2, 60, "new workers wait for the database")
        assert demo.process.running, "a worker that cannot start does not end the service"
        server.start()
        wait_until(lambda: client.get(link["url"]).status == 200, 60, "downloads go on")
        assert [row["status"] for row in walk.downloads(link["id"])].count(200) >= 2
        demo.stop()
    finally:
        server.close()
