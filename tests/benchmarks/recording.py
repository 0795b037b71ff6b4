"""How many downloads a second are recorded: beside the same route without recording, and beside an earlier revision.

``python -m tests.benchmarks.recording [REVISION] [--seconds N] [--turns N] [--databases sqlite postgres] [--dir DIR]``
serves the first kilobyte of a file by ``emblem serve`` over kept connections, databases at full durability: without
recording, with it, and with it by the revision, in turns. It prints the medians of requests a second and their ratios,
p50 and p99 of a recorded request at half the top rate, and the processor time of ``Recorder.record`` with 32 waiting
beside that of a bare batch: the fewest statements of ``sqlite3`` alone that keep the same facts, which is the limit.
``--memory N`` records N downloads more and prints what they added to the memory of the servers. Nothing is asserted.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from service.logos.locks import Locks
from tests.benchmarks.before import ROOT, check_out, measure, permitted, prepare
from tests.parts.postgres import Postgres
from tests.parts.processes import Process, answers, free_port

WIDTH = 1000  # bytes of each download: what is measured is recording, not copying
WAITING = 32  # in a batch of the limit, as many as there are connections


def insert_rate(folder: Path, seconds: float) -> float:
    """Bare inserts a second into SQLite, each committed with its own flush of the disk."""
    with closing(sqlite3.connect(folder / "bare.sqlite3", isolation_level=None)) as connection:
        for statement in (
            "pragma journal_mode=WAL",
            "pragma synchronous=FULL",
            "create table t (id integer, body text)",
        ):
            connection.execute(statement)
        count, ending = 0, time.monotonic() + seconds
        while time.monotonic() < ending:
            connection.execute("insert into t values (?, ?)", (count, "x" * 400))
            count += 1
    return count / seconds


def bare_batch(folder: Path, batches: int = 200) -> float:
    """Milliseconds of processor time a record of the least that keeps the facts, in batches of ``WAITING``.

    One read of what permits, one of the clients that are known, and three ``executemany``, by ``sqlite3`` alone.
    """
    with closing(sqlite3.connect(folder / "least.sqlite3", isolation_level=None)) as connection:
        connection.executescript(
            """
            pragma journal_mode=WAL; pragma synchronous=FULL;
            create table links (id text primary key, participant text, ends text, counted integer);
            create table clients (link text, client text, last_at text, primary key (link, client));
            create table downloads (id text primary key, at text, link text, participant text, package text,
                                    version text, counted integer, status integer, kind text, client text, bytes int);
            create index ix_downloads_link on downloads (link, at, id);
            create table entries (seq integer primary key, id text, kind text, at text, body text);
            insert into links values ('lnk', 'par', '2027-01-01', 0);
            """
        )
        begun = time.process_time()
        for batch in range(batches):
            at = f"2026-01-01T00:00:{batch:09}"
            names = [f"{batch}.{number}" for number in range(WAITING)]
            connection.execute("begin immediate")
            connection.execute("select * from links where id in ('lnk')").fetchall()
            marks = ",".join("?" * WAITING)
            connection.execute(f"select client, last_at from clients where client in ({marks})", names).fetchall()
            connection.executemany(
                "insert into clients values ('lnk', ?, ?) on conflict do update set last_at = excluded.last_at",
                [(name, at) for name in names],
            )
            connection.execute("update links set counted = counted + ? where id = 'lnk'", (WAITING,))
            connection.executemany(
                "insert into downloads values (?, ?, 'lnk', 'par', 'logo', '1.0.0', 1, 206, 'browser', ?, 1000)",
                [(f"dl_{name}", at, name) for name in names],
            )
            connection.executemany(
                "insert into entries (id, kind, at, body) values (?, 'download', ?, ?)",
                [(f"dl_{name}", at, json.dumps({"id": name, "link": "lnk", "at": at})) for name in names],
            )
            connection.execute("commit")
        return (time.process_time() - begun) * 1000 / (batches * WAITING)


@dataclass(frozen=True)
class Rate:
    """Requests a second, the seconds that each took, and how many were not answered 206."""

    a_second: float
    seconds: list[float]
    wrong: int

    def quantile(self, share: float) -> float:
        """Milliseconds that this share of the requests took at most."""
        return sorted(self.seconds)[int(share * (len(self.seconds) - 1))] * 1000


async def request_rate(url: str, seconds: float, connections: int, a_second: float = 0) -> Rate:
    """GETs over kept connections, as fast as they are answered or ``a_second`` of them, evenly spread."""
    parts = urlsplit(url)
    took: list[float] = []
    wrong = 0
    begun = time.monotonic()
    ending = begun + seconds

    async def run(number: int) -> None:
        nonlocal wrong
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        turn, due = 0, begun + (number / a_second if a_second else 0)
        while (now := time.monotonic()) < ending:
            if a_second:
                if due > now:
                    await asyncio.sleep(due - now)
                asked, due = max(due, now), due + connections / a_second
            else:
                asked = now
            # Another client each time, so that every request is one that counts.
            writer.write(
                f"GET {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nRange: bytes=0-{WIDTH - 1}\r\n"
                f"User-Agent: bench/{os.getpid()}.{number}.{begun}.{turn}\r\n\r\n".encode()
            )
            turn += 1
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(int(ln[15:]) for ln in head.split(b"\r\n") if ln.lower().startswith(b"content-length:"))
            await reader.readexactly(length)
            took.append(time.monotonic() - asked)
            wrong += b" 206 " not in head.split(b"\r\n", 1)[0]
            if b"\r\nconnection: close" in head.lower():
                writer.close()
                reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        writer.close()

    await asyncio.gather(*map(run, range(connections)))
    return Rate(len(took) / (time.monotonic() - begun), took, wrong)


@contextmanager
def serving(tree: Path, environment: Mapping[str, str], folder: Path, *, recording: bool = True) -> Iterator[Process]:
    """``emblem serve`` of a tree; without recording only of this one. Its base URL is in the environment."""
    port = urlsplit(environment["EMBLEM_BASE_URL"]).port or 80
    served = ["-m", "service", "serve", "--bind", f"127.0.0.1:{port}", "--workers", str(os.cpu_count() or 1)]
    command: list[str | Path] = [sys.executable, *served]
    if not recording:
        command = [sys.executable, "-m", "tests.benchmarks.recording", "--serve", str(port)]
    process = Process(command, folder / "bench.log", environment=environment, cwd=tree)
    process.wait_for(lambda: answers(port), 120, "the server answers")
    time.sleep(5)  # all workers are up
    try:
        yield process
    finally:
        process.stop(signal.SIGTERM)


def serve_without_recording(port: int) -> None:
    """Serves the deployment of the environment without recording any download."""
    from service.cli.server import Server
    from service.links import Recorded, Recorder

    nothing = Recorded((("dl_none", 0),), False)

    def record(self: Recorder, *_: Any) -> Recorded:
        return nothing

    def ended(self: Recorder, *_: Any) -> None:
        return None

    Recorder.record = record  # type: ignore[assignment]
    Recorder.ended = ended  # type: ignore[assignment]
    Server(os.environ, bind=f"127.0.0.1:{port}", workers=os.cpu_count() or 1, threads=16).run()


def link_of(environment: Mapping[str, str]) -> str:
    """The URL of a new link, made over the API of a server that runs."""

    def call(method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        request = urllib.request.Request(
            environment["EMBLEM_BASE_URL"] + path,
            json.dumps(body).encode() if body is not None else None,
            {"Authorization": f"Bearer {environment['BENCH_KEY']}", "Content-Type": "application/json"},
            method=method,
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    return permitted(call)[1]


def _workers(process: Process) -> list[str]:
    found = subprocess.run(["pgrep", "-P", str(process.pid)], capture_output=True, text=True, check=False)
    return found.stdout.split()


def resident(process: Process) -> int:
    """Bytes in memory of a server's processes but the first together."""
    pages = (Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1] for pid in _workers(process))
    return sum(map(int, pages)) * os.sysconf("SC_PAGESIZE")


@dataclass(frozen=True)
class Side:
    """One of those that take turns: a tree with its deployment, and whether it records."""

    tree: Path
    folder: Path
    environment: dict[str, str]
    recording: bool = True

    def rate(self, url: str, seconds: float, connections: int, a_second: float = 0) -> Rate:
        """Serve it, and ask."""
        with serving(self.tree, self.environment, self.folder, recording=self.recording):
            asyncio.run(request_rate(url, 1, connections))  # warm
            found = asyncio.run(request_rate(url, seconds, connections, a_second))
        if found.wrong:
            sys.exit(f"{found.wrong} requests were not answered 206: see the server's log")
        return found


def compared(folder: Path, asked: argparse.Namespace, database: str, trees: Mapping[str, Path]) -> None:
    """Measures on one database and prints."""
    postgres = Postgres() if database == "postgres" else None
    beside = ExitStack()
    try:
        sides: dict[str, Side] = {}
        urls: dict[str, str] = {}
        for name, tree in trees.items():
            settings = {"EMBLEM_BASE_URL": f"http://127.0.0.1:{free_port()}"}
            if postgres:
                settings["EMBLEM_DATABASE_URL"] = postgres.new_database()
            place = folder / f"{database} {name}".replace(" ", "-")
            sides[name] = Side(tree, place, prepare(tree, place, settings))
            # A fresh deployment draws the common logo variants, which takes a core for minutes: here nobody does.
            beside.enter_context(Locks(place / "locks", 1).alone("prerender"))
            with serving(tree, sides[name].environment, place):
                urls[name] = link_of(sides[name].environment)
        sides["unrecorded"] = Side(ROOT, sides["now"].folder, sides["now"].environment, recording=False)
        urls["unrecorded"] = urls["now"]
        rates: dict[str, list[float]] = {name: [] for name in sides}
        for _ in range(asked.turns):
            for name, side in sides.items():
                rates[name].append(side.rate(urls[name], asked.seconds, asked.connections).a_second)
        found = {name: statistics.median(each) for name, each in rates.items()}
        print(f"{database}, requests a second")
        print(f"  without recording        {found['unrecorded']:8.0f}")
        print(f"  recorded                 {found['now']:8.0f}   {found['now'] / found['unrecorded']:6.2f} of that")
        if "before" in found:
            ratio = found["now"] / found["before"]
            print(f"  recorded by the revision {found['before']:8.0f}   now {ratio:.2f} times as many")
        half = sides["now"].rate(urls["now"], asked.seconds, asked.connections, found["now"] / 2)
        p50, p99 = half.quantile(0.5), half.quantile(0.99)
        print(f"  at half that rate: p50 {p50:.1f} ms, p99 {p99:.1f} ms, {p99 / p50:.1f} times p50")
        if asked.memory:
            with serving(ROOT, sides["now"].environment, folder) as process:
                asyncio.run(request_rate(urls["now"], 5, asked.connections))
                begun = resident(process)
                asyncio.run(request_rate(urls["now"], asked.memory / found["now"], asked.connections))
                grown = resident(process) - begun
            print(f"  {asked.memory:,} records more: {grown / 1e6:+.1f} MB of {begun / 1e6:.0f} MB in memory")
    finally:
        beside.close()
        if postgres:
            postgres.close()


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("revision", nargs="?", help="an earlier one, such as HEAD~1, to be measured in turns")
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--databases", nargs="+", default=["sqlite", "postgres"], choices=["sqlite", "postgres"])
    parser.add_argument("--memory", type=int, default=0, metavar="N", help="record N more, and look at the memory")
    parser.add_argument("--dir", type=Path, default=None, help="on the disk to measure; default: the temporary folder")
    parser.add_argument("--serve", type=int, default=None, metavar="PORT", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.serve is not None:
        serve_without_recording(asked.serve)
        return
    with tempfile.TemporaryDirectory(dir=asked.dir) as name:
        folder = Path(name)
        trees = {"now": ROOT}
        if asked.revision:
            trees["before"] = check_out(asked.revision, folder / "tree")
        told = subprocess.run(["git", "describe", "--always"], capture_output=True, text=True, check=False).stdout
        print(
            f"Emblem {told.strip()}, {os.cpu_count()} cores, {asked.connections} connections, {asked.seconds:g} s each"
        )
        print(f"durable inserts into SQLite, one by one: {insert_rate(folder, asked.seconds / 2):.0f} a second")
        for database in asked.databases:
            compared(folder, asked, database, trees)
        print("processor time of a record with 32 waiting, SQLite, ms")
        costs: dict[str, list[float]] = {which: [] for which in trees}
        environments = {which: prepare(tree, folder / f"alone-{which}") for which, tree in trees.items()}
        for _ in range(asked.turns):
            for which, tree in trees.items():
                costs[which].append(measure(environments[which], tree)["record"])
        for which, each in costs.items():
            print(f"  {which:24} {statistics.median(each):8.3f}")
        print(f"  a bare batch, the limit  {bare_batch(folder):8.3f}")


if __name__ == "__main__":
    main()
