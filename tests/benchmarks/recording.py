"""How many downloads a second are recorded, beside the same route without recording and the disk's own rate.

``python -m tests.benchmarks.recording [--seconds N] [--connections N] [--dir DIR]`` measures everything in one
run, on the disk that DIR is on, and prints rates and ratios. Nothing is asserted.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from service.store import Database
from tests.parts.demo import Demo
from tests.parts.processes import Process, answers, free_port
from tests.parts.walk import Walk

WIDTH = 1000  # bytes of each download: what is measured is recording, not copying


def insert_rate(folder: Path, seconds: float) -> float:
    """Bare inserts a second into SQLite, each committed with its own flush of the disk."""
    connection = sqlite3.connect(folder / "bare.sqlite3", isolation_level=None)
    for statement in ("pragma journal_mode=WAL", "pragma synchronous=FULL", "create table t (id integer, body text)"):
        connection.execute(statement)
    count, ending = 0, time.monotonic() + seconds
    while time.monotonic() < ending:
        connection.execute("insert into t values (?, ?)", (count, "x" * 400))
        count += 1
    connection.close()
    return count / seconds


def write_rate(folder: Path, seconds: float, threads: int) -> float:
    """The same insert through ``Database.write`` from many threads, which share flushes."""
    from sqlalchemy import text

    database = Database(f"sqlite:///{folder / 'shared.sqlite3'}")
    database.write(lambda session: session.execute(text("create table t (id integer, body text)")))
    statement, row = text("insert into t values (:id, :body)"), {"id": 1, "body": "x" * 400}
    counts, ending = [0] * threads, time.monotonic() + seconds

    def run(number: int) -> None:
        while time.monotonic() < ending:
            database.write(lambda session: session.execute(statement, row))
            counts[number] += 1

    running = [threading.Thread(target=run, args=(number,)) for number in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    database.close()
    return sum(counts) / seconds


async def request_rate(url: str, seconds: float, connections: int) -> tuple[float, int]:
    """GETs answered a second over kept connections, and how many were not 206."""
    parts = urlsplit(url)
    counts, wrong = [0] * connections, [0]
    ending = time.monotonic() + seconds

    async def run(number: int) -> None:
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        turn = 0
        while time.monotonic() < ending:
            # Another client each time, so that every request is one that counts.
            writer.write(
                f"GET {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nRange: bytes=0-{WIDTH - 1}\r\n"
                f"User-Agent: bench/{number}.{turn}\r\n\r\n".encode()
            )
            turn += 1
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(int(ln[15:]) for ln in head.split(b"\r\n") if ln.lower().startswith(b"content-length:"))
            await reader.readexactly(length)
            counts[number] += 1
            wrong[0] += b" 206 " not in head.split(b"\r\n", 1)[0]
            if b"\r\nconnection: close" in head.lower():
                writer.close()
                reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        writer.close()

    await asyncio.gather(*map(run, range(connections)))
    return sum(counts) / seconds, wrong[0]


@contextmanager
def serving(demo: Demo, *, recording: bool) -> Iterator[str]:
    """The deployment of a stopped demo behind ``emblem serve``'s server; yields its base URL."""
    port = free_port()
    environment = demo.environment | {"EMBLEM_CONFIG": str(demo.folder / "emblem.env")}
    command: list[str | Path] = [sys.executable, "-m", "tests.benchmarks.recording", "--serve", str(port)]
    process = Process(
        [*command, *([] if recording else ["--forget"])], demo.folder / "bench.log", environment=environment
    )
    process.wait_for(lambda: answers(port), 60, "the server answers")
    time.sleep(2)  # both workers are up
    yield f"http://127.0.0.1:{port}"
    process.stop()


def serve(port: int, forget: bool) -> None:
    """Serves the deployment of the environment; with ``forget``, without recording any download."""
    from service.cli.server import Server
    from service.links import Recorded, Recorder

    if forget:
        nothing = Recorded((("dl_none", 0),), False)

        def record(self: Recorder, *_: Any) -> Recorded:
            return nothing

        def ended(self: Recorder, *_: Any) -> None:
            return None

        Recorder.record = record  # type: ignore[assignment]
        Recorder.ended = ended  # type: ignore[assignment]
    Server(os.environ, bind=f"127.0.0.1:{port}", workers=os.cpu_count() or 1, threads=16).run()


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--dir", type=Path, default=None, help="on the disk to measure; default: the temporary folder")
    parser.add_argument("--serve", type=int, default=None, metavar="PORT", help=argparse.SUPPRESS)
    parser.add_argument("--forget", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.serve is not None:
        serve(asked.serve, asked.forget)
        return
    with tempfile.TemporaryDirectory(dir=asked.dir) as name:
        folder = Path(name)
        demo = Demo(folder / "var", {"EMBLEM_RATE_LIMITS": "off"})
        walk = Walk(demo)
        link = walk.link(walk.participant())
        demo.stop()
        bare = insert_rate(folder, asked.seconds / 2)
        shared = write_rate(folder, asked.seconds / 2, asked.connections)
        rates = {}
        for recording in (False, True):
            with serving(demo, recording=recording) as base_url:
                url = link["url"].replace(demo.base_url, base_url)
                asyncio.run(request_rate(url, 1, asked.connections))  # warm
                rate, wrong = asyncio.run(request_rate(url, asked.seconds, asked.connections))
                rates[recording] = rate
                if wrong:
                    sys.exit(f"{wrong} requests were not answered 206: see the server's log")
        revision = subprocess.run(["git", "describe", "--always"], capture_output=True, text=True, check=False).stdout
    print(
        f"Emblem {revision.strip()}, {os.cpu_count()} cores, {asked.connections} connections, {asked.seconds:g} s each"
    )
    print(f"  durable inserts, one by one        {bare:8.0f} /s")
    print(f"  durable inserts, sharing flushes   {shared:8.0f} /s   {shared / bare:5.1f} x one by one")
    print(f"  downloads without recording        {rates[False]:8.0f} /s")
    share = rates[True] / rates[False]
    print(f"  downloads recorded durably         {rates[True]:8.0f} /s   {share:5.2f} x without recording")


if __name__ == "__main__":
    main()
