"""How many writes processes of one SQLite database make where the disk flushes slowly, beside an earlier revision.

``python -m tests.benchmarks.flush REVISION [--processes N] [--milliseconds N] [--turns N]`` puts a wait in
front of the C library's ``fdatasync`` and ``fsync`` (compiled by ``cc``), and lets sixteen threads of each process
write one row at a time, in turns with the revision. It prints writes a second and the p50 and p99 of one. Nothing is
asserted.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.benchmarks.before import ROOT, check_out

_THREADS = 16
_THINKING = 0.004  # seconds between two writes of a thread
_SLOW = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <unistd.h>
int fdatasync(int f) { usleep(WAIT); return ((int (*)(int))dlsym(RTLD_NEXT, "fdatasync"))(f); }
int fsync(int f) { usleep(WAIT); return ((int (*)(int))dlsym(RTLD_NEXT, "fsync"))(f); }
"""


def write(path: str, begin: float, seconds: float) -> None:
    """One process: prints the seconds that each write took."""
    sys.path[0] = str(Path.cwd())
    from service.store import Database
    from service.store.tables import PublishedPolicy

    database = Database(f"sqlite:///{path}")
    took: list[float] = []

    def insert(session: Any, items: Any) -> list[None]:
        session.add_all([PublishedPolicy(digest=item, at=datetime.now(UTC)) for item in items])
        return [None] * len(items)

    batch = database.batch(insert)

    def run(thread: int) -> None:
        time.sleep(max(0.0, begin - time.time()))
        number = 0
        while time.time() < begin + seconds:
            number += 1
            begun = time.monotonic()
            batch.write(f"{os.getpid()} {thread} {number}")
            took.append(time.monotonic() - begun)
            time.sleep(_THINKING)

    threads = [threading.Thread(target=run, args=(thread,)) for thread in range(_THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(json.dumps(took), flush=True)
    os._exit(0)


def measure(tree: Path, path: Path, slow: Path, processes: int, seconds: float) -> list[float]:
    """Seconds of each write of all processes of a tree, on a new database."""
    environment = {**os.environ, "PYTHONPATH": str(tree)}
    make = (
        "import sys; from service.store import Database, schema; d = Database(sys.argv[1]); "
        "schema.metadata.create_all(d.engine); d.close()"
    )
    subprocess.run([sys.executable, "-c", make, f"sqlite:///{path}"], env=environment, cwd=tree, check=True)
    command = [sys.executable, str(Path(__file__).resolve()), "--write", str(path), str(time.time() + 5)]
    started = [
        subprocess.Popen(
            [*command, str(seconds)],
            env={**environment, "LD_PRELOAD": str(slow)},
            cwd=tree,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(processes)
    ]
    return [one for process in started for one in json.loads(process.communicate()[0])]


def main() -> None:
    """Measures and prints."""
    if sys.argv[1:2] == ["--write"]:
        write(sys.argv[2], float(sys.argv[3]), float(sys.argv[4]))
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("revision")
    parser.add_argument("--processes", type=int, default=6)
    parser.add_argument("--milliseconds", type=float, default=10, help="that a flush takes longer")
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--turns", type=int, default=2)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        slow = folder / "slow.so"
        source = _SLOW.replace("WAIT", str(round(asked.milliseconds * 1000)))
        compiler = ["cc", "-shared", "-fPIC", "-O2", "-x", "c", "-", "-o", str(slow), "-ldl"]
        subprocess.run(compiler, input=source, text=True, check=True)
        trees = {"now": ROOT, asked.revision: check_out(asked.revision, folder / "tree")}
        print(f"{asked.processes} processes, a flush {asked.milliseconds:g} ms longer, {os.cpu_count()} cores")
        for turn in range(asked.turns):
            for which, tree in trees.items():
                path = folder / f"{turn}-{which}.sqlite3"
                took = sorted(measure(tree, path, slow, asked.processes, asked.seconds))
                p50, p99 = (took[int(share * (len(took) - 1))] * 1000 for share in (0.5, 0.99))
                print(f"  {which:12} {len(took) / asked.seconds:7.0f} a second, p50 {p50:6.1f} ms, p99 {p99:6.1f} ms")


if __name__ == "__main__":
    main()
