"""Two machines of Emblem on PostgreSQL, S3 and Redis behind nginx, each part of which can be broken and mended."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from pathlib import Path

import psycopg

from service import settings
from service.certificates.credentials import new_credential_key
from service.ledger import new_log_keys

from .demo import Client
from .disk import SmallDisk, small_disk
from .nginx import MachinesNginx
from .postgres import Postgres
from .processes import Process, answers, free_port, wait_until
from .redis import RedisServer
from .relay import Relay
from .s3 import S3Server

_ROOT = Path(__file__).resolve().parents[2]


class Machine:
    """One of the machines: ``emblem serve`` with a data folder and a clock of its own."""

    def __init__(self, name: str, folder: Path, beside: Path, environment: dict[str, str]) -> None:
        """``beside`` is the path that its log and clock get, with an ending each."""
        self.name = name
        self.folder = folder
        self.port = free_port()
        self.log = beside.with_name(f"{beside.name}.log")
        self.clock = beside.with_name(f"{beside.name}.clock")
        self.step_clock(0)
        self.environment = environment | {"EMBLEM_DATA_DIR": str(folder)}

    @property
    def address(self) -> str:
        """``host:port``, as nginx knows it."""
        return f"127.0.0.1:{self.port}"

    def start(self, *, wait: bool = True) -> None:
        """Starts it, again after a stop or kill; returns once it answers, or at once."""
        command = [*self._emblem(), "serve", "--bind", self.address, "--workers", "2"]
        self.process = Process(command, self.log, environment=self.environment, cwd=_ROOT)
        if wait:
            self.process.wait_for(lambda: answers(self.port), 90, f"{self.name} answers")

    def close(self) -> None:
        """Stops it, if it was started."""
        if hasattr(self, "process"):
            self.process.stop()

    def workers(self) -> list[int]:
        """The process ids of its workers."""
        with suppress(OSError):
            text = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text(encoding="ascii")
            return [int(pid) for pid in text.split() if b"multiprocessing" not in _command(int(pid))]
        return []

    def step_clock(self, seconds: float) -> None:
        """From now on its clock is ahead of the real one by so many seconds."""
        beside = self.clock.with_name(self.clock.name + ".new")
        beside.write_text(str(seconds), encoding="ascii")
        beside.replace(self.clock)

    def emblem(self, *arguments: str, seconds: float = 300) -> tuple[int, str]:
        """Runs an ``emblem`` command on it: exit status, and what it said."""
        done = subprocess.run(
            [*self._emblem(), *arguments],
            env=self.environment,
            cwd=_ROOT,
            capture_output=True,
            text=True,
            check=False,
            timeout=seconds,
        )
        return done.returncode, done.stdout + done.stderr

    def _emblem(self) -> list[str]:
        return [sys.executable, "-m", "tests.parts.shifted_clock", str(self.clock)]


class Machines:
    """The two, with everything that they stand on; ``keys`` are API keys by role.

    The database and the second machine's data lie on small disks of their own, and S3 is reached through a relay.
    """

    def __init__(self, folder: Path, *, mail_url: str, seed: int = 0, more: dict[str, str] | None = None) -> None:
        self._ends = ExitStack()
        try:
            self._open(folder, mail_url, seed, more or {})
        except BaseException:
            self.close()
            raise

    def _open(self, folder: Path, mail_url: str, seed: int, more: dict[str, str]) -> None:
        self.folder = folder
        # The server's user has to come through to its folder.
        self.database_disk: SmallDisk = self._ends.enter_context(small_disk(folder / "database", "900m"))
        self.data_disk: SmallDisk = self._ends.enter_context(small_disk(folder / "data2", "200m"))
        self.database_disk.path.chmod(0o755)
        self.postgres = Postgres(self.database_disk.path)
        self._ends.callback(self.postgres.close)
        self.s3 = S3Server()
        self._ends.callback(self.s3.close)
        self.relay = Relay(self.s3.port, seed)
        self._ends.callback(self.relay.close)
        (folder / "redis").mkdir()
        self.redis = RedisServer(folder / "redis")
        self._ends.callback(self.redis.close)
        self.database_url = self.postgres.new_database()
        port = free_port()
        relayed = self.s3.url("soak").replace(f":{self.s3.port}", f":{self.relay.port}")
        environment = {name: value for name, value in os.environ.items() if not name.startswith("EMBLEM_")}
        environment |= self.s3.environment | {
            "EMBLEM_BASE_URL": f"http://127.0.0.1:{port}",
            "EMBLEM_DATABASE_URL": self.database_url,
            "EMBLEM_STORAGE_URL": relayed,
            "EMBLEM_REDIS_URL": self.redis.url,
            "EMBLEM_MAIL_URL": mail_url,
            "EMBLEM_SECRET_KEYS": os.urandom(24).hex(),
            "EMBLEM_LOG_KEY": new_log_keys(),
            "EMBLEM_CREDENTIAL_KEY": new_credential_key(),
            "EMBLEM_LOG_ORIGIN": "machines.example.org/log",
            "EMBLEM_STAFF": "staff@example.org",
            "EMBLEM_AUDITORS": "auditor@example.org",
            "EMBLEM_TRUSTED_PROXIES": "1",
        }
        environment |= more
        settings.load({name: value for name, value in environment.items() if name.startswith("EMBLEM_")})
        self.first = Machine("the first machine", folder / "data1", folder / "first", environment)
        self.second = Machine("the second machine", self.data_disk.path / "data", folder / "second", environment)
        self.both: Sequence[Machine] = (self.first, self.second)
        for command in (("db", "upgrade"), ("catalogue", "publish")):
            status, said = self.first.emblem(*command)
            assert status == 0, said
        for machine in self.both:
            self._ends.callback(machine.close)
            machine.start()
        self.nginx = MachinesNginx(folder / "nginx", (self.first.address, self.second.address), port)
        self._ends.callback(self.nginx.close)
        self.base_url = self.nginx.url
        self.keys = {role: self._key(role) for role in ("portal", "auditor")}
        wait_until(lambda: Client(self.base_url).get("/readyz").status == 200, 60, "the machines are ready")

    def sql(self) -> psycopg.Connection:
        """A connection to the database."""
        return psycopg.connect(self.database_url.replace("+psycopg", ""), autocommit=True)

    def mend_database(self) -> None:
        """Starts PostgreSQL where it has ended, as its supervisor would."""
        if not self.postgres.process.running:
            self.postgres.start()

    def kill_s3(self) -> None:
        """SIGKILL to the gateway; what is stored outlives it."""
        self.s3.gateway.kill_group()

    def close(self) -> None:
        """Stops everything and removes what it held."""
        self._ends.close()

    def _key(self, role: str) -> str:
        status, said = self.first.emblem("keys", "create", "--role", role, "--json")
        assert status == 0, said
        return str(json.loads(said)["secret"])


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def freeze(process: Process) -> None:
    """All of a part stands still, with its connections open."""
    process.signal_family(signal.SIGSTOP)


def thaw(process: Process) -> None:
    """It goes on."""
    process.signal_family(signal.SIGCONT)
