"""Logo variants under load: cold ones at fifty connections, and the warm path beside the least that a server can do.

``python -m tests.benchmarks.variants cold [--requests N] [--connections N] [--largest]`` asks ``emblem serve`` for
N different variants that nobody made, and tells what was answered, how often each was rendered, and the memory of
the workers. ``… warm [--seconds N] [--connections N]`` asks one worker for one variant again and again, in turns
with a bare WSGI application that gives the same bytes under the same server. Nothing is asserted.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import selectors
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from service.logos import RASTERS, ladder
from tests.parts.demo import Demo
from tests.parts.processes import Process, answers, free_port
from tests.parts.walk import Walk

LOGOS = ("heart", "lockup")
_MOST_TRIES = 600


@contextmanager
def serving(demo: Demo, workers: int, *options: str) -> Iterator[tuple[Process, str]]:
    """The deployment of a stopped demo behind ``emblem serve``'s server; yields the process and its base URL."""
    port = free_port()
    environment = demo.environment | {"EMBLEM_CONFIG": str(demo.folder / "emblem.env")}
    command = [sys.executable, "-m", "tests.benchmarks.variants", "serve", str(port), str(workers), *options]
    process = Process(command, demo.folder / "bench.log", environment=environment)
    process.wait_for(lambda: answers(port), 60, "the server answers")
    time.sleep(2)  # all workers are up
    yield process, f"http://127.0.0.1:{port}"
    process.stop()


def serve(port: int, workers: int, renders: Path | None, answer: Path | None) -> None:
    """Serves the deployment of the environment. ``renders``: a file that gets a line for each variant rendered.

    ``answer``: a file with what a bare application in Emblem's place answers.
    """
    from service.cli.server import Server
    from service.logos import VariantRequest, Variants

    if renders is not None:
        original = Variants._rendered

        def rendered(self: Variants, wanted: VariantRequest) -> bytes:
            with renders.open("a") as file:  # one short write each, so that lines of processes do not mix
                file.write(f"{wanted.path}\n")
            return original(self, wanted)

        Variants._rendered = rendered  # type: ignore[method-assign]
    kind = Server if answer is None else bare(Server, json.loads(answer.read_text()))
    kind(os.environ, bind=f"127.0.0.1:{port}", workers=workers, threads=16).run()


def bare(server: type, said: dict[str, Any]) -> Any:
    """A server like Emblem's whose application gives one fixed answer, and 304 to whoever names its tag."""
    fields = [
        (name, value) for name, value in said["headers"] if name.lower() not in ("content-type", "content-length")
    ]
    whole = [*fields, *((name, value) for name, value in said["headers"] if (name, value) not in fields)]
    body = bytes.fromhex(said["body"])

    def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> tuple[bytes, ...]:
        if "HTTP_IF_NONE_MATCH" in environ:
            start_response("304 Not Modified", list(fields))
            return ()
        start_response("200 OK", list(whole))
        return (body,)

    class Bare(server):  # type: ignore[misc]
        def load(self) -> Any:
            return application

        def _started(self, worker: Any) -> None:
            return None

        def _ended(self, arbiter: Any, worker: Any) -> None:
            return None

    return Bare


# ---- cold


@dataclass
class Memory:
    """The most memory, in MB, that the workers of a server and the processes that they start were seen with."""

    server: int
    workers: dict[int, int] = field(default_factory=dict)
    largest_child: int = 0
    together: int = 0

    def watch(self, ending: threading.Event) -> None:
        """Looks twenty times a second until told to end."""
        while not ending.wait(0.05):
            sizes = {pid: _resident(pid) for pid in _children(self.server)}
            below = [_resident(child) for pid in sizes for child in _children(pid)]
            for pid in sizes:
                self.workers[pid] = max(self.workers.get(pid, 0), _resident(pid, "VmHWM"))
            self.largest_child = max([self.largest_child, *below])
            self.together = max(self.together, sum(sizes.values()) + sum(below))


def _children(pid: int) -> list[int]:
    try:
        return [
            int(child)
            for task in Path(f"/proc/{pid}/task").iterdir()
            for child in (task / "children").read_text().split()
        ]
    except OSError:
        return []  # it has ended


def _resident(pid: int, name: str = "VmRSS") -> int:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) // 1024 for line in lines if line.startswith(f"{name}:")), 0)


@dataclass
class Told:
    """What the requests were answered."""

    statuses: Counter[str] = field(default_factory=Counter)
    sent_away: int = 0
    seconds: list[float] = field(default_factory=list)


async def ask_all(base_url: str, paths: list[str], connections: int) -> Told:
    """GETs each path once, so many at a time; a 503 is tried again after its ``Retry-After``."""
    parts, told, left = urlsplit(base_url), Told(), iter(paths)

    async def get(path: str) -> tuple[int, dict[str, str]]:
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        try:
            writer.write(f"GET {path} HTTP/1.1\r\nHost: {parts.netloc}\r\nConnection: close\r\n\r\n".encode())
            head, _, body = (await reader.read()).partition(b"\r\n\r\n")
        finally:
            writer.close()
        status, *lines = head.decode("latin-1").split("\r\n")
        fields = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        if len(body) != int(fields.get("content-length", -1)):
            return 0, fields
        return int(status.split()[1]), fields

    async def work() -> None:
        for path in left:
            began = time.monotonic()
            for _ in range(_MOST_TRIES):
                try:
                    status, fields = await get(path)
                except OSError as error:
                    told.statuses[type(error).__name__] += 1
                    break
                if status == 503 and "retry-after" in fields:
                    told.sent_away += 1
                    await asyncio.sleep(float(fields["retry-after"]) * random.uniform(0.8, 1.2))
                    continue
                told.statuses[str(status)] += 1
                told.seconds.append(time.monotonic() - began)
                break
            else:
                told.statuses["given up"] += 1

    await asyncio.gather(*(work() for _ in range(connections)))
    return told


def different(embeds: dict[str, str], count: int, largest: bool) -> list[str]:
    """Paths of so many different variants, from the whole ladder or of the largest widths alone."""
    least = {"heart": 24, "lockup": 96}
    every = [
        f"/logos/{key}/{logo}/{colourway}/{width}.{kind}{query}"
        for logo, key in embeds.items()
        for colourway in ("blue", "white", "black")
        for kind in RASTERS
        for width in ([4096, 4080] if largest else ladder.widths(least[logo]))
        for query in (("", "?space=1") if largest else ("",))
    ]
    return random.Random(1).sample(every, min(count, len(every)))


def cold(demo: Demo, embeds: dict[str, str], asked: argparse.Namespace) -> None:
    """Measures and prints the cold ones."""
    paths = different(embeds, asked.requests, asked.largest)
    renders, ending = demo.folder / "renders", threading.Event()
    workers = os.cpu_count() or 1
    with serving(demo, workers, "--renders", str(renders)) as (process, base_url):
        memory = Memory(process.pid)
        watching = threading.Thread(target=memory.watch, args=(ending,))
        watching.start()
        began = time.monotonic()
        told = asyncio.run(ask_all(base_url, paths, asked.connections))
        took = time.monotonic() - began
        ending.set()
        watching.join()
    rendered = Counter(renders.read_text().split())
    wanted = {path.split("/", 3)[3] for path in paths}
    statuses = ", ".join(f"{count} times {status}" for status, count in sorted(told.statuses.items()))
    print(f"{len(paths)} different variants at {asked.connections} connections, {workers} workers, {took:.0f} s")
    print(f"  answered                       {statuses}; {told.sent_away} times 503 with Retry-After, then asked again")
    print(f"  until answered, median and worst {statistics.median(told.seconds):6.2f} s {max(told.seconds):6.2f} s")
    print(
        f"  rendered of those asked for    {len(wanted & rendered.keys())}, most often {max(rendered.values())} times"
    )
    print(f"  most memory of a worker        {max(memory.workers.values())} MB")
    print(f"  … of a process for one picture {memory.largest_child} MB; of all together {memory.together} MB")


# ---- warm


def request_rate(base_url: str, path: str, fields: str, seconds: float, connections: int) -> tuple[float, bytes]:
    """GETs answered a second over kept connections, from one thread; and the last answer's head.

    All answers have to be as long as the first.
    """
    parts = urlsplit(base_url)
    request = f"GET {path} HTTP/1.1\r\nHost: {parts.netloc}\r\n{fields}\r\n".encode()
    address = (str(parts.hostname), int(parts.port or 80))
    with socket.create_connection(address, timeout=30) as first:
        first.sendall(request)
        time.sleep(0.5)
        answer = first.recv(1 << 20)
    count, selector = 0, selectors.DefaultSelector()
    missing: dict[int, int] = {}
    for _ in range(connections):
        connection = socket.create_connection(address, timeout=30)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        selector.register(connection, selectors.EVENT_READ)
        missing[connection.fileno()] = len(answer)
        connection.sendall(request)
    began = time.perf_counter()
    while (now := time.perf_counter()) < began + seconds:
        for key, _ in selector.select(5):
            got = key.fileobj.recv(1 << 16)  # type: ignore[union-attr]
            if not got:
                raise ConnectionError("the server closed a connection")
            missing[key.fd] -= len(got)
            if missing[key.fd] < 0:
                raise ValueError("an answer is longer than the first")
            if missing[key.fd] == 0:
                count += 1
                missing[key.fd] = len(answer)
                key.fileobj.sendall(request)  # type: ignore[union-attr]
    for key in list(selector.get_map().values()):
        key.fileobj.close()  # type: ignore[union-attr]
    selector.close()
    return count / (now - began), answer.partition(b"\r\n\r\n")[0]


def settle(folder: Path) -> None:
    """Waits until the common widths are made, which is done once after the start of a new deployment."""
    seen, since = -1, time.monotonic()
    while time.monotonic() < since + 5:
        if (now := sum(1 for _ in folder.rglob("*.*"))) != seen:
            seen, since = now, time.monotonic()
        time.sleep(0.5)


def warm(demo: Demo, embeds: dict[str, str], asked: argparse.Namespace) -> None:
    """Measures and prints the warm path."""
    path = f"/logos/{embeds['heart']}/heart/blue/256.png"
    with serving(demo, 1) as (_, emblem):
        settle(demo.folder / "storage" / "variants")
        got = demo.client().request("GET", emblem + path)
        assert got.status == 200, got
        own = [(name, value) for name, value in got.headers.items() if name not in ("server", "date", "connection")]
        file = demo.folder / "answer.json"
        file.write_text(json.dumps({"headers": own, "body": got.body.hex()}))
        with serving(demo, 1, "--answer", str(file)) as (_, floor):
            print(f"{len(got.body)} bytes, one worker, {asked.connections} connections, {asked.seconds:g} s each")
            for name, fields in (("200", ""), ("304", f"If-None-Match: {got.headers['etag']}\r\n")):
                rates: dict[str, list[float]] = {emblem: [], floor: []}
                for base_url in [emblem, floor] * (asked.turns + 1):
                    rate, head = request_rate(base_url, path, fields, asked.seconds, asked.connections)
                    assert head.split()[1].decode() == name, head
                    rates[base_url].append(rate)
                # The first turn warms; medians, since other work on the machine disturbs single turns.
                ours, least = (statistics.median(rates[url][1:]) for url in (emblem, floor))
                print(f"  {name}   Emblem {ours:7.0f} /s   bare WSGI {least:7.0f} /s   {ours / least:5.2f} x bare")


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    of_cold = commands.add_parser("cold")
    of_cold.add_argument("--requests", type=int, default=1000)
    of_cold.add_argument("--connections", type=int, default=50)
    of_cold.add_argument("--largest", action="store_true", help="4096 and 4080 pixels alone, with and without space")
    of_warm = commands.add_parser("warm")
    of_warm.add_argument("--seconds", type=float, default=3)
    of_warm.add_argument("--connections", type=int, default=16)
    of_warm.add_argument("--turns", type=int, default=3)
    of_serve = commands.add_parser("serve")
    of_serve.add_argument("port", type=int)
    of_serve.add_argument("workers", type=int)
    of_serve.add_argument("--renders", type=Path)
    of_serve.add_argument("--answer", type=Path)
    asked = parser.parse_args()
    if asked.command == "serve":
        serve(asked.port, asked.workers, asked.renders, asked.answer)
        return
    with tempfile.TemporaryDirectory() as name:
        demo = Demo(Path(name) / "var", {"EMBLEM_RATE_LIMITS": "off"})
        walk = Walk(demo)
        participant = walk.participant()
        embeds = {}
        for logo in LOGOS:
            body = {"participant": participant, "logo": logo, "origins": ["https://www.example.org"]}
            made = walk.portal.post("/api/v1/embeds", body | {"unlisted": "report"})
            assert made.status == 201, made
            embeds[logo] = made.json()["key"]
        demo.stop()
        revision = subprocess.run(["git", "describe", "--always"], capture_output=True, text=True, check=False).stdout
        print(f"Emblem {revision.strip()}, {os.cpu_count()} cores")
        {"cold": cold, "warm": warm}[asked.command](demo, embeds, asked)


if __name__ == "__main__":
    main()
