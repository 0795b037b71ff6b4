"""Render large pictures in a process of their own, one process each.

A picture of 4096 pixels takes an encoder some hundred megabytes, which a long-lived process would keep in
part for good. A process of its own gives everything back when it ends, ends by itself when it takes too
long, and takes nobody along when it fails. It takes a tenth of a second to start, so small pictures have none.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from dataclasses import asdict

import structlog

from ..problems import Unavailable
from ..svg import Drawing
from .render import RenderFailed
from .render_worker import RenderJob

NEEDED = 2 << 30  # bytes of the machine's memory for each process at a time, with room to spare

log = structlog.get_logger()


def at_once(cores: int) -> int:
    """Return how many large pictures a machine may render at once: at most one a core, and what its memory holds."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return max(1, min(cores, memory // NEEDED))


class RenderProcesses:
    """Starts the processes, and ends those that are still running. Thread-safe."""

    def __init__(self) -> None:
        self._running: set[subprocess.Popen[bytes]] = set()
        self._lock = threading.Lock()

    def encoded(self, drawing: Drawing, job: RenderJob) -> bytes:
        """Render and encode a drawing, as ``encode`` does; return the picture's bytes.

        Raises RenderFailed where it took too long or too much memory, or was ended by ``close``.
        """
        process = self._start()
        try:
            picture, said = process.communicate(json.dumps([asdict(job), drawing.as_json()]).encode())
        finally:
            with self._lock:
                self._running.discard(process)
        if process.returncode != 0:
            reason = said.decode(errors="replace").strip().rpartition("\n")[2]
            log.error("a large logo was not rendered", job=asdict(job), status=process.returncode, reason=reason)
            raise RenderFailed(reason)
        return picture

    def _start(self) -> subprocess.Popen[bytes]:
        try:
            process = subprocess.Popen(  # noqa: S603 - our own module, and nothing that anyone sent
                [sys.executable, "-m", f"{__package__}.render_worker"],
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
        """End what is running."""
        with self._lock:
            for process in self._running:
                process.kill()
