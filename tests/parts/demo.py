"""``emblem demo`` as a process of its own, and a small client that talks to it over HTTP."""

from __future__ import annotations

import fcntl
import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

from .processes import Process, free_port

if TYPE_CHECKING:
    from .postgres import Postgres

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:{0}.0) Gecko/20100101 Firefox/{0}.0"


def agent(number: int = 0) -> str:
    """A browser's user agent; another number is another client to the counting rule."""
    return FIREFOX.format(128 + number)


@dataclass
class Answer:
    """What came back: header names are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    @property
    def slug(self) -> str:
        """The problem's slug, or an empty string."""
        if not self.headers.get("content-type", "").startswith("application/problem+json"):
            return ""
        return str(self.json()["type"]).rpartition("/problems/")[2]

    def __repr__(self) -> str:
        return f"<{self.status} {self.body[:300]!r}>"


class Client:
    """Requests to one base URL, with a key where one is given. One connection a request."""

    def __init__(self, base_url: str, key: str | None = None, user_agent: str | None = None) -> None:
        self.base_url = base_url
        self.headers = {"User-Agent": user_agent or agent()}
        if key:
            self.headers["Authorization"] = f"Bearer {key}"

    def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        query: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float = 30,
    ) -> Answer:
        """Sends one request. ``path`` may be a whole URL; ``body`` is sent as JSON unless it is bytes."""
        parts = urlsplit(path if "://" in path else self.base_url + path)
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        if query:
            target += ("&" if "?" in target else "?") + urlencode(query, doseq=True)
        sent = self.headers | dict(headers or {})
        data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        if data is not None:
            sent.setdefault("Content-Type", "application/json")
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=timeout)
        try:
            connection.request(method, target, data, sent)
            got = connection.getresponse()
            found = {name.lower(): value for name, value in got.getheaders()}
            return Answer(got.status, found, got.read())
        finally:
            connection.close()

    def get(self, path: str, **query: Any) -> Answer:
        """GET with query parameters."""
        return self.request("GET", path, query=query)

    def post(self, path: str, body: Any) -> Answer:
        """POST of a JSON body."""
        return self.request("POST", path, body)


class Demo:
    """A running ``emblem demo`` in ``folder``; ``environment`` is added to its own."""

    def __init__(self, folder: Path, environment: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith("EMBLEM_")}
        self.environment.update(environment or {})
        self._port = free_port()
        self.start()

    def start(self) -> None:
        """Starts it, again after a stop or kill and then at the same port; returns once it answers."""
        file = self.folder / "demo.json"

        def told() -> bool:
            with suppress(OSError):
                return bool(json.loads(file.read_text(encoding="utf-8"))["pid"] == self.process.pid)
            return False

        command = [sys.executable, "-m", "service", "demo", "--port", str(self._port), "--dir", str(self.folder)]
        self.process = Process(command, self.folder.parent / f"{self.folder.name}.log", environment=self.environment)
        self.process.wait_for(told, 180, "emblem demo writes demo.json")
        self.facts: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        self.base_url: str = self.facts["base_url"]
        self.outbox = Path(self.facts["outbox"])

    def client(self, role: str | None = None, user_agent: str | None = None) -> Client:
        """A client with the demo's key for a role, or without one."""
        return Client(self.base_url, self.facts["keys"][role] if role else None, user_agent)

    def cli(self, *arguments: str) -> tuple[int, str, str]:
        """Runs an ``emblem`` command on this deployment: exit status, standard output and error."""
        environment = self.environment | {"EMBLEM_CONFIG": str(self.folder / "emblem.env")}
        command = [sys.executable, "-m", "service", *arguments]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)
        return done.returncode, done.stdout, done.stderr

    def stop(self) -> int:
        """Ends it as Ctrl-C would; its exit status."""
        return self.process.stop(signal.SIGINT)


class MadeDemos:
    """Demos that were started once and stopped, for others to start from: what a first start makes takes long."""

    def __init__(self, folder: Path) -> None:
        """Keep them in ``folder``, which other processes may share."""
        self._folder = folder
        self._made: dict[Postgres, str] = {}

    def copy(self, to: Path, server: Postgres | None = None) -> dict[str, str]:
        """Copy one to a new folder; returns the variables that lead to its database, where that is on a server."""
        if server is None:
            with self._alone():
                made = self._folder / "made"
                if not made.exists():
                    self._make(self._folder / "sqlite", {}).rename(made)
            shutil.copytree(made, to)
            return {}
        made = self._folder / f"postgres-{server.port}"
        if server not in self._made:
            self._made[server] = server.new_database()
            self._make(made, {"EMBLEM_DATABASE_URL": self._made[server]})
        shutil.copytree(made, to)
        return {"EMBLEM_DATABASE_URL": server.new_database(like=self._made[server])}

    def _make(self, folder: Path, environment: Mapping[str, str]) -> Path:
        running = Demo(folder, environment)
        if status := running.stop():
            raise RuntimeError(f"emblem demo ended with {status}: {running.process.output()}")
        return folder

    @contextmanager
    def _alone(self) -> Iterator[None]:
        with (self._folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
