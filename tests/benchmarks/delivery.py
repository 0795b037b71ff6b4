"""How quickly large files are delivered, and what is left of it: beside nginx alone, in turns, in one run.

``python -m tests.benchmarks.delivery [rate] [memory] [requests]`` measures what is named, or all of it, on a
deployment of its own with a large package: bytes a second by X-Accel behind the nginx of docs/deploy and
directly, both beside an nginx that sends the same file by itself; the memory that 200 downloads at once take; and what
100,000 requests leave of memory, descriptors and threads. Nothing is asserted.
"""

from __future__ import annotations

import argparse
import http.client
import itertools
import os
import signal
import socket
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.parts import big
from tests.parts.demo import Client
from tests.parts.nginx import DeployedNginx, Nginx
from tests.parts.processes import Process, answers, free_port

from .before import ROOT, permitted, prepare

_CONNECTIONS = 8
_AT_ONCE = 200
_REQUESTS = 100_000
_WARM = 5_000
_agents = itertools.count(1)


@dataclass(frozen=True)
class Size:
    """What a server and its workers hold: megabytes that are theirs alone or shared out, descriptors, threads."""

    megabytes: float
    descriptors: int
    threads: int

    @classmethod
    def of(cls, process: Process) -> Size:
        """Count it now."""
        kilobytes = descriptors = threads = 0
        for pid in process.family():
            folder = Path(f"/proc/{pid}")
            lines = (folder / "smaps_rollup").read_text(encoding="ascii").splitlines()
            kilobytes += next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
            descriptors += len(list((folder / "fd").iterdir()))
            threads += len(list((folder / "task").iterdir()))
        return cls(kilobytes / 1024, descriptors, threads)

    def __str__(self) -> str:
        return f"{self.megabytes:.0f} MB, {self.descriptors} descriptors, {self.threads} threads"


def fetch(url: str) -> int:
    """GET a URL over a connection of its own, and return how many bytes came; 0 for an answer that is not 200.

    The bytes are dropped where they arrive, so that this takes as little of the machine as it can.
    """
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname, parts.port), timeout=300) as connection:
        connection.sendall(
            f"GET {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nUser-Agent: bench/{os.getpid()}.{next(_agents)}\r\n"
            "Connection: close\r\n\r\n".encode()
        )
        head = connection.recv(65536)
        if b" 200 " not in head.split(b"\r\n", 1)[0]:
            return 0
        got, room = len(head.partition(b"\r\n\r\n")[2]), bytearray(1 << 20)
        while count := connection.recv_into(room, len(room), socket.MSG_TRUNC):
            got += count
        return got


def at_once(url: str, connections: int, seconds: float) -> tuple[float, int, int]:
    """Megabytes a second of downloads over so many connections until the time is over, how many came, and refusals."""
    begun = time.monotonic()
    found: list[int] = []

    def work() -> None:
        while True:
            found.append(fetch(url))
            if time.monotonic() - begun > seconds:
                return

    workers = [threading.Thread(target=work) for _ in range(connections)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return sum(found) / 1e6 / (time.monotonic() - begun), sum(map(bool, found)), found.count(0)


@contextmanager
def serving(environment: Mapping[str, str], delivery: str, log: Path) -> Iterator[tuple[Process, int]]:
    """``emblem serve`` of the deployment on a free port."""
    port = free_port()
    command = [sys.executable, "-m", "service", "serve", "--bind", f"127.0.0.1:{port}", "--workers", "2"]
    process = Process(command, log, environment=dict(environment) | {"EMBLEM_DELIVERY": delivery}, cwd=ROOT)
    try:
        process.wait_for(lambda: answers(port), 120, "the server answers")
        time.sleep(3)  # all workers are up
        yield process, port
    finally:
        process.stop(signal.SIGTERM)


def rates(urls: Mapping[str, str], turns: int, seconds: float) -> None:
    """Print bytes a second of each way, in turns."""
    found: dict[str, list[float]] = {name: [] for name in urls}
    for _ in range(turns):
        for name, url in urls.items():
            rate, came, refused = at_once(url, _CONNECTIONS, seconds)
            if not came or refused:
                sys.exit(f"{name}: {came} downloads came, {refused} were refused")
            found[name].append(rate)
    alone = found["nginx alone"]
    for name, those in found.items():
        ratio = statistics.median(mine / peer for mine, peer in zip(those, alone, strict=True))
        print(f"{name:<24} {statistics.median(those):7.0f} MB/s, {ratio:.2f} of nginx alone", flush=True)


def memory(name: str, server: Process, url: str) -> None:
    """Print what 200 downloads at once take."""
    at_once(url, _CONNECTIONS, 1)
    before, most, ending = Size.of(server), [0.0], threading.Event()

    def watch() -> None:
        while not ending.wait(0.1):
            most[0] = max(most[0], Size.of(server).megabytes)

    watcher = threading.Thread(target=watch)
    watcher.start()
    _, came, refused = at_once(url, _AT_ONCE, 0)
    ending.set()
    watcher.join()
    grown = most[0] - before.megabytes
    print(f"{_AT_ONCE} at once, {name}: {came} came, {refused} refused for now; {grown:.0f} MB more", flush=True)


def requests(server: Process, port: int, paths: list[str]) -> None:
    """Print what many requests leave: pages, the API, logos, and recorded downloads, over kept connections."""

    def ask(count: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        for number in range(count):
            path = paths[number % len(paths)]
            connection.request("GET", path, headers={"User-Agent": f"bench/{os.getpid()}.{next(_agents)}"})
            answer = connection.getresponse()
            answer.read()
            assert answer.status == 200, (path, answer.status)
        connection.close()

    def many(count: int) -> None:
        with ThreadPoolExecutor(_CONNECTIONS) as pool:  # what a client raises ends the measurement
            list(pool.map(ask, [count // _CONNECTIONS] * _CONNECTIONS))

    many(_WARM)
    time.sleep(5)
    print(f"after {_WARM:,} requests: {Size.of(server)}", flush=True)
    many(_REQUESTS)
    time.sleep(5)
    print(f"after {_REQUESTS:,} more: {Size.of(server)}", flush=True)


def main() -> None:
    """Measure what is named."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="*", choices=["rate", "memory", "requests", []], default=[])
    parser.add_argument("--turns", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--size", type=int, default=1, help="of the package, in times of 24 megabytes")
    given = parser.parse_args()
    wanted = given.what or ["rate", "memory", "requests"]
    with tempfile.TemporaryDirectory() as name, ExitStack() as open_now:
        folder = Path(name)
        folder.chmod(0o755)
        big.SIZE *= given.size
        assets = big.assets_with_film(folder / "assets")
        environment = prepare(ROOT, folder / "data", {"EMBLEM_ASSETS_DIR": str(assets)})
        direct, direct_port = open_now.enter_context(serving(environment, "direct", folder / "direct.log"))
        accel, accel_port = open_now.enter_context(serving(environment, "x-accel", folder / "accel.log"))
        storage = folder / "data" / "storage"
        nginx = DeployedNginx(folder / "nginx", f"127.0.0.1:{accel_port}", storage)
        open_now.callback(nginx.close)
        client = Client(f"http://127.0.0.1:{direct_port}", environment["BENCH_KEY"])

        def call(method: str, path: str, body: dict[str, Any] | None = None) -> Any:
            answer = client.request(method, path, body)
            assert answer.status < 300, (path, answer)
            return answer.json()

        embed, logo = permitted(call)
        participant = client.get("/api/v1/participants").json()["participants"][0]["id"]
        film = client.post("/api/v1/links", {"participant": participant, "package": "film"}).json()["url"]
        path = urlsplit(film).path
        (stored,) = (one for one in (storage / "packages").rglob("*.zip") if "film" in str(one))
        alone = Nginx(folder / "alone", f"    root {stored.parent}; sendfile on; tcp_nopush on;")
        open_now.callback(alone.close)
        urls = {
            "nginx alone": f"{alone.url}/{stored.name}",
            "X-Accel": nginx.url + path,
            "direct": f"http://127.0.0.1:{direct_port}{path}",
        }
        if "rate" in wanted:
            rates(urls, given.turns, given.seconds)
        if "memory" in wanted:
            memory("direct", direct, urls["direct"])
            memory("X-Accel", accel, urls["X-Accel"])
        if "requests" in wanted:
            paths = ["/en/", "/en/tools", "/healthz", "/api/v1/packages", f"/logos/{embed}/heart/blue/256.png"]
            paths.append(urlsplit(logo).path)
            requests(direct, direct_port, paths)


if __name__ == "__main__":
    main()
