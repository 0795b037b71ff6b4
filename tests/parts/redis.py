"""A Redis server on a free loopback port, without persistence."""

from __future__ import annotations

import signal
from pathlib import Path

from .processes import Process, answers, free_port
from .system import need, path_of


class RedisServer:
    """One server; ``url`` is its ``EMBLEM_REDIS_URL``."""

    def __init__(self, folder: Path) -> None:
        need("redis")
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.folder = folder
        self.start()

    def start(self) -> None:
        """Starts it, again after it was stopped and with nothing in it; returns once it answers."""
        command: list[str | Path] = [path_of("redis-server")]
        command += [
            "--port",
            str(self.port),
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--appendonly",
            "no",
            "--dir",
            self.folder,
        ]
        self.process = Process(command, self.folder / "redis.log")
        self.process.wait_for(lambda: answers(self.port), 60, "Redis answers")

    def freeze(self) -> None:
        """Keep its connections open and answer nothing."""
        self.process.popen.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        self.process.popen.send_signal(signal.SIGCONT)

    def close(self) -> None:
        """Stops it."""
        self.process.stop()
