"""What a change costs: this checkout beside an earlier revision of it, in turns, in one run.

``python -m tests.benchmarks.before REVISION [--turns N]`` checks the revision out beside this one, runs the same
requests on both, and prints processor time: a start as a server has it, a warm variant, a recorded download and the
record alone with 32 waiting, and a report over what was recorded. Both run in this environment, on a deployment
of their own. Nothing is asserted.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
WAITING = 32
MEASURES = ("start", "warm variant", "recorded download", "record", "report")


def check_out(revision: str, tree: Path) -> Path:
    """The files of a git revision of this repository, in a new folder."""
    tree.mkdir()
    archive = subprocess.run(["git", "-C", ROOT, "archive", revision], stdout=subprocess.PIPE, check=True)
    subprocess.run(["tar", "-x", "-C", tree], input=archive.stdout, check=True)
    return tree


def prepare(tree: Path, folder: Path, settings: Mapping[str, str] | None = None) -> dict[str, str]:
    """A published deployment of a tree in a folder; returns its environment, with a portal key."""
    folder.mkdir()
    # Modules are compiled once, as where they are installed, and not again at every start.
    odd = ("EMBLEM_", "PYTHONDONTWRITEBYTECODE")
    plain = {name: value for name, value in os.environ.items() if not name.startswith(odd)}
    environment = plain | {"EMBLEM_DATA_DIR": str(folder), "EMBLEM_RATE_LIMITS": "off", "PYTHONPATH": str(tree)}
    environment |= settings or {}
    environment["PYTHONPYCACHEPREFIX"] = str(folder.parent / "bytecode")

    def emblem(*arguments: str) -> str:
        command = [sys.executable, "-m", "service", *arguments]
        done = subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{' '.join(arguments)} in {tree}: {done.stderr}")
        return done.stdout

    environment |= {name: str(value) for name, value in json.loads(emblem("secrets", "new", "--json")).items()}
    emblem("db", "upgrade")
    emblem("catalogue", "publish")
    environment["BENCH_KEY"] = json.loads(emblem("keys", "create", "--role", "portal", "--json"))["secret"]
    return environment


def measure(environment: dict[str, str], tree: Path) -> dict[str, float]:
    """Milliseconds of processor time of each measure: of a start, and of the program below, each in its process."""
    found: dict[str, float] = {}
    for arguments in (["-c", _START], [str(Path(__file__).resolve()), "--measure"]):
        command = [sys.executable, *arguments]
        done = subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(done.stderr)
        found |= json.loads(done.stdout.splitlines()[-1])
    return found


#: A start as a server has it: the module that it imports.
_START = """
import json, os, time
began = time.process_time()
import wsgi
print(json.dumps({"start": (time.process_time() - began) * 1000}), flush=True)
os._exit(0)
"""


def permitted(call: Callable[..., Any]) -> tuple[str, str]:
    """The key of an embed of the heart and the URL of a link to the logo package, of somebody who joins for it.

    ``call(method, path, body)`` asks the API by a portal's key and returns the JSON of its answer.
    """
    who = call(
        "POST",
        "/api/v1/participants",
        {
            "kind": "civil_society",
            "name": "Harbour Shelter",
            "email": f"office-{base64.b32encode(os.urandom(5)).decode().lower()}@shelter.example.org",
            "country": "AT",
            "answers": {"commitment": True, "pledge": True, "plan": "The Blue Heart goes on our web page and posters."},
            "purposes": ["information"],
        },
    )["id"]
    for terms in {entry["id"] for entry in call("GET", "/api/v1/terms")["terms"]}:
        text = call("GET", f"/api/v1/terms/{terms}?lang=en")
        call(
            "POST",
            f"/api/v1/participants/{who}/acceptances",
            {
                "terms": terms,
                "version": text["version"],
                "language": "en",
                "digest": hashlib.sha256(text["text"].encode()).hexdigest(),
                "signatory": {"name": "Robin Example", "capacity": "Head of office"},
            },
        )
    embed = call("POST", "/api/v1/embeds", {"participant": who, "logo": "heart"})["key"]
    return embed, call("POST", "/api/v1/links", {"participant": who, "package": "logo"})["url"]


def run() -> dict[str, float]:
    """The measures of the tree that Python finds first, over its WSGI application alone."""
    sys.path[0] = str(Path.cwd())
    from service.app import create_app  # type: ignore[import-not-found,unused-ignore]

    app = create_app(os.environ)
    found: dict[str, float] = {}
    client = app.test_client()
    key = {"Authorization": f"Bearer {os.environ['BENCH_KEY']}"}

    def call(method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        answer = client.open(path, method=method, json=body, headers=key)
        if answer.status_code >= 300:
            raise RuntimeError(f"{method} {path}: {answer.get_data(as_text=True)}")
        return answer.get_json()

    embed, url = permitted(call)
    path = "/" + url.split("/", 3)[3]
    found["warm variant"] = _each(2000, _getter(app, f"/logos/{embed}/heart/blue/120.png", {}))
    numbers = iter(range(10**9))
    lock = threading.Lock()

    def download() -> None:
        with lock:
            agent = f"bench/{next(numbers)}"
        _getter(app, path, {"HTTP_RANGE": "bytes=0-99", "HTTP_USER_AGENT": agent})()

    found["recorded download"] = _each(3200, download, threads=WAITING)
    emblem = app.extensions["emblem"]
    found["record"] = _each(6400, _recorder(emblem, path.split("/")[2]), threads=WAITING)
    if hasattr(emblem, "flush_and_seal"):
        emblem.flush_and_seal()
        segments, reports = emblem.segments, emblem.reports
    else:  # as it was before 0.1.0 had a deployment
        emblem.maintenance.flush()
        segments, reports = emblem.maintenance.segments, emblem.maintenance.reports
    segments.write()
    from service.audit.query import parse

    query = parse([("by", "country")])
    found["report"] = _each(20, lambda: reports.run(query))
    return found


def _recorder(emblem: Any, token: str) -> Callable[[], None]:
    """What records a download of a new client, below the route."""
    from service.links import Asked

    try:
        from service.clients.client import Client
    except ImportError:  # it was in another room before 0.1.0
        from service.links import Client  # type: ignore[attr-defined, no-redef]

    claim, asked, numbers = emblem.tokens.verify(token), Asked(None, 200, 100), iter(range(10**9))

    def record() -> None:
        emblem.recorder.record(claim, Client("192.0.2.9", f"bench/{next(numbers)}", "browser"), asked)

    return record


def _getter(app: Any, path: str, extra: dict[str, str]) -> Callable[[], None]:
    from werkzeug.test import EnvironBuilder

    environ = EnvironBuilder(path=path, environ_base={"REMOTE_ADDR": "192.0.2.7", **extra}).get_environ()

    def get() -> None:
        status: list[str] = []
        body = app.wsgi_app(dict(environ), lambda line, _headers, _info=None: status.append(line))
        try:
            for _piece in body:
                pass
        finally:
            getattr(body, "close", lambda: None)()
        if not status[0].startswith(("200", "206")):
            raise RuntimeError(f"{path}: {status[0]}")

    return get


def _each(count: int, work: Callable[[], object], threads: int = 1) -> float:
    """Milliseconds of processor time of one piece of work, after a tenth of them to warm up."""
    for _ in range(max(1, count // 10)):
        work()
    began = time.process_time()
    running = [threading.Thread(target=lambda: [work() for _ in range(count // threads)]) for _ in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    return (time.process_time() - began) * 1000 / count


def main() -> None:
    """Measures in turns and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("revision", nargs="?")
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--measure", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.measure:
        print(json.dumps(run()))
        return
    if not asked.revision:
        parser.error("name a revision, such as HEAD~1")
    with tempfile.TemporaryDirectory(prefix="emblem-before-") as name:
        folder = Path(name)
        trees = {"before": check_out(asked.revision, folder / "tree"), "now": ROOT}
        environments = {which: prepare(tree, folder / which) for which, tree in trees.items()}
        for which, tree in trees.items():
            measure(environments[which], tree)  # compiles what only a server imports
        figures: dict[str, list[dict[str, float]]] = {which: [] for which in trees}
        for _ in range(asked.turns):
            for which, tree in trees.items():
                figures[which].append(measure(environments[which], tree))
    print(f"{'processor time, ms':20} {'before':>10} {'now':>10} {'ratio':>8}")
    for what in MEASURES:
        was, now = (statistics.median(turn[what] for turn in figures[which]) for which in ("before", "now"))
        print(f"{what:20} {was:10.3f} {now:10.3f} {now / was:8.2f}")


if __name__ == "__main__":
    main()
