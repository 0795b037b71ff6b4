"""How quick what outsiders rely on is: witnesses, a monitor's first read, certificates and the page that checks them.

``python -m tests.benchmarks.outside [witnesses] [monitor] [certificates] [--checkpoints N] [--entries N]`` measures
what is named, or all of it. Times are of the wall and of the process's own processor; nothing is asserted.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import resource
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from service import settings as settings_room
from service.app import create_app
from service.clock import now
from service.deployment import open_publisher
from service.ledger.witnesses import SPACING, Witnesses
from service.store import Database, migrate
from service.verification.log_reader import UrlSource
from service.verification.monitor import Monitor
from service.verification.policy import parse_policy
from service.verification.signed_note import parse_vkey
from tests.conftest import environment
from tests.ledger.witness import Witness
from tests.web.conftest import Api

from .audit import Bench, say

INTERVAL = 5.0  # seconds: the seal interval as it is unless set


@contextmanager
def _witnesses_elsewhere() -> Iterator[list[str]]:
    """Two witnesses in a process of their own, and a third that is away: their lines in a policy."""
    ours, theirs = multiprocessing.Pipe()

    def serve() -> None:
        here = [Witness(f"witness-{number}.example.org", time.time()) for number in (1, 2)]
        away = Witness("witness-3.example.org", time.time())
        away.close()
        theirs.send([f"witness W{number} {one.vkey} {one.url}" for number, one in enumerate([*here, away], 1)])
        while not theirs.poll(0.1):
            for one in here:
                one.now = time.time()

    process = multiprocessing.get_context("fork").Process(target=serve, daemon=True)
    process.start()
    yield ours.recv()
    ours.send("end")
    process.join()


def witnesses(folder: Path, checkpoints: int) -> None:
    """Checkpoints offered to three local witnesses of which one is away; what the offers cost beside sealing."""
    with _witnesses_elsewhere() as lines:
        _offered(Bench(folder / "witnessed"), lines, checkpoints)


def _offered(bench: Bench, lines: list[str], checkpoints: int) -> None:
    bench.sealer.seal()
    lines = [*(f"log {vkey}" for vkey in bench.sealer.vkeys()), *lines]
    policy = parse_policy("\n".join([*lines, "group two 2 W1 W2 W3", "quorum two", ""]))
    offers = Witnesses(bench.sealer, policy)
    took, sealing, offering = [], 0.0, 0.0
    for _ in range(checkpoints):
        began = time.process_time()
        bench.record(100)
        bench.sealer.seal()
        sealing += time.process_time() - began
        for standing in offers._standings[:2]:
            standing.due = 0  # as if the ten seconds between two offers were over
        began, begun = time.perf_counter(), time.process_time()
        met = offers.offer()
        took.append(time.perf_counter() - began if met and met.met else float("inf"))
        offering += time.process_time() - begun
    within = sum(seconds <= INTERVAL for seconds in took) / len(took)
    say(f"{checkpoints:,} checkpoints, two of three witnesses: cosigned in 5 s", f"{within:.1%}")
    say(
        "  from the offer to the cosigned checkpoint",
        f"{statistics.median(took) * 1000:.1f} ms, at most {max(took):.2f} s",
    )
    offer = offering / checkpoints * 1000
    say("  offering one checkpoint", f"{offer:.1f} ms of a core, at most once in 10 s: {offer / 100:.2f}% of it")
    say("  recording and sealing 100 entries", f"{sealing / checkpoints * 1000:.1f} ms of a core")
    for rate in (10, 100, 500, 5_000):
        recording = sealing = 0.0
        for _ in range(int(SPACING / INTERVAL)):  # the ten seconds between two offers
            began = time.process_time()
            for _ in range(int(rate * INTERVAL) if rate < 500 else 0):  # one at a time, as few downloads come
                bench.record(1)
            if rate >= 500:
                bench.record(int(rate * INTERVAL))
            recording += time.process_time() - began
            began = time.process_time()
            bench.sealer.seal()
            sealing += time.process_time() - began
        shares = f"{offer / sealing / 1000:.1%} of sealing, {offer / (recording + sealing) / 1000:.1%} with recording"
        say(f"  offers beside {rate:,} entries a second", shares)
    bench.database.close()


class _Bundles(SimpleHTTPRequestHandler):
    """The log's files, entry bundles among them, as an auditor is served."""

    protocol_version = "HTTP/1.1"
    # Head and body are sent apart, and the body would wait 40 ms until the head is acknowledged.
    disable_nagle_algorithm = True

    def translate_path(self, path: str) -> str:
        """The file below ``log/`` of the storage."""
        return super().translate_path(path.removeprefix("/log"))

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def monitor(folder: Path, entries: int) -> None:
    """A monitor's first look at a log: every tile and every entry over HTTP, into a copy of its own."""
    bench = Bench(folder / "watched")
    bench.record(entries)
    bench.sealer.seal()
    keys = [parse_vkey(vkey) for vkey in bench.sealer.vkeys()]
    bench.database.close()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Bundles, directory=str(folder / "watched/storage/log")))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    child = os.fork()
    if child == 0:  # a process of its own, so that its memory and processor time are the monitor's alone
        source = UrlSource(f"http://127.0.0.1:{server.server_port}", "emb_any")
        watch = Monitor(source, folder / "state", keys, None)
        begun, used = time.perf_counter(), time.process_time()
        with watch.alone():
            look = watch.look()
        seconds, used = time.perf_counter() - begun, time.process_time() - used
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        state = "all holds" if look.ok else ", ".join(alarm.kind for alarm in look.alarms)
        say(f"a monitor's first read of {look.size:,} entries ({state})", f"{seconds:.1f} s, {used:.1f} s of a core")
        say("  largest memory of the process", f"{memory} MB")
        os._exit(0)
    os.waitpid(child, 0)
    server.shutdown()
    server.server_close()


def certificates(folder: Path, count: int) -> None:
    """Certificates issued with their document, badge and credential, and the page that says whether one holds."""
    made = settings_room.load(environment(folder / "certified"))
    database = Database(made.database_url)
    migrate.upgrade(database)
    database.close()
    with open_publisher(made) as publisher:
        publisher.publish_rules()
    app = create_app(settings=made, clock=now)
    api = Api(app)
    participant = api.join()
    api.accept(participant)

    def timed(method: str, path: str, **more: Any) -> tuple[Any, float]:
        begun = time.process_time()
        answer = api.ask(method, path, **more)
        return answer, (time.process_time() - begun) * 1000

    issued, documents, pages, sizes = [], [], [], []
    for number in range(count + 1):
        language = ("ar", "en", "es", "fr", "ru", "zh")[number % 6]
        path = f"/api/v1/participants/{participant}/certificates"
        answer, spent = timed("POST", path, key="portal", json={"language": language})
        assert answer.status_code == 201, answer.text
        api.parts.sealer.seal()
        document, drawn = timed("GET", answer.json["pdf_url"].removeprefix(made.base_url))
        page, shown = timed("GET", answer.json["url"].removeprefix(made.base_url))
        assert (document.status_code, page.status_code) == (200, 200)
        if number:  # the first of a process imports what draws
            issued.append(spent)
            documents.append(drawn)
            pages.append(shown)
            sizes.append(len(document.data))
    say(f"{count} certificates in six languages: issuing", f"{statistics.median(issued):.0f} ms of a core")
    say(
        "  the document with its receipt",
        f"{statistics.median(documents):.0f} ms of a core, at most {max(documents):.0f}",
    )
    say("  its size", f"at most {max(sizes) / 1024:.0f} KB")
    say(
        "  the page that says whether it holds",
        f"{statistics.median(pages):.0f} ms of a core, at most {max(pages):.0f}",
    )
    app.extensions["emblem"].close()


def main() -> None:
    """Measure what the arguments name."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.outside", description=__doc__)
    parser.add_argument("parts", nargs="*", choices=["witnesses", "monitor", "certificates", []])
    parser.add_argument("--checkpoints", type=int, default=1000)
    parser.add_argument("--entries", type=int, default=1_000_000)
    parser.add_argument("--certificates", type=int, default=24)
    asked = parser.parse_args()
    parts = asked.parts or ["witnesses", "monitor", "certificates"]
    with tempfile.TemporaryDirectory(prefix="emblem-bench-") as name:
        if "witnesses" in parts:
            witnesses(Path(name), asked.checkpoints)
        if "certificates" in parts:
            certificates(Path(name), asked.certificates)
        if "monitor" in parts:
            monitor(Path(name), asked.entries)


if __name__ == "__main__":
    main()
