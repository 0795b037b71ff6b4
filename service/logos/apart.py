"""Large pictures, rendered in a process of their own, one process each.

A picture of 4096 pixels takes an encoder some hundred megabytes, which a long-lived process would keep in
part for good. A process of its own gives everything back when it ends, ends by itself when it takes too
long, and takes nobody along when it fails. It starts in a third of a second, so small pictures have none.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import threading
from dataclasses import asdict, dataclass
from pathlib import Path

import structlog

from ..problems import Unavailable
from .drawing import read
from .encode import encode
from .render import Ink, render

LARGE = 2_000_000  # pixels of a picture from which on it is rendered apart: some 60 MB of memory
MOST_SECONDS = 60
MOST_MEMORY = 3 << 30  # bytes of address space; the largest picture of all takes a third of it
NEEDED = 2 << 30  # bytes of the machine's memory for each process at a time, with room to spare

log = structlog.get_logger()


@dataclass(frozen=True)
class Order:
    """What to render: ``render`` and ``encode`` say what each field means."""

    width: int
    padding: int
    inks: tuple[Ink, ...]
    kind: str
    ahead: bool


def at_once(cores: int) -> int:
    """How many large pictures a machine may render at once: at most one a core, and what its memory holds."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return max(1, min(cores, memory // NEEDED))


class Apart:
    """Starts the processes, and ends those that are still running. Safe to share between threads."""

    def __init__(self) -> None:
        self._running: set[subprocess.Popen[bytes]] = set()
        self._lock = threading.Lock()

    def encoded(self, master: bytes, order: Order) -> bytes:
        """The picture's bytes from a master in SVG, as ``encode`` makes them.

        Raises Unavailable where it took too long or too much memory, or was ended by ``close``.
        """
        process = self._start()
        try:
            picture, said = process.communicate(json.dumps(asdict(order)).encode() + b"\n" + master)
        finally:
            with self._lock:
                self._running.discard(process)
        if process.returncode != 0:
            reason = said.decode(errors="replace").strip().rpartition("\n")[2]
            log.error("a large logo was not rendered", order=asdict(order), status=process.returncode, reason=reason)
            raise Unavailable("This size could not be rendered.", headers={"Retry-After": "30"}, private=reason)
        return picture

    def _start(self) -> subprocess.Popen[bytes]:
        try:
            process = subprocess.Popen(  # noqa: S603 - our own module, and nothing that anyone sent
                [sys.executable, "-m", __name__],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                process_group=0,  # Ctrl-C is for us: what is under way is finished
            )
        except OSError as error:
            raise Unavailable(headers={"Retry-After": "30"}, private=f"no process to render in: {error}") from error
        with self._lock:
            self._running.add(process)
        return process

    def close(self) -> None:
        """Ends what is running."""
        with self._lock:
            for process in self._running:
                process.kill()


def main() -> None:
    """The process: an order as a line of JSON and a master on standard input, the picture on standard output."""
    signal.alarm(MOST_SECONDS)  # which ends it wherever it is, also when whoever started it is gone
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # Where memory runs out all the same, the system is to end this process and none that serves.
    Path("/proc/self/oom_score_adj").write_text("1000")
    line, _, master = sys.stdin.buffer.read().partition(b"\n")
    given = json.loads(line)
    order = Order(**given | {"inks": tuple((red, green, blue) for red, green, blue in given["inks"])})
    picture = render(read(master), order.width, order.padding, order.inks)
    sys.stdout.buffer.write(encode(picture, order.kind, ahead=order.ahead))


if __name__ == "__main__":
    main()
