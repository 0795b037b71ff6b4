"""A PostgreSQL server on a free loopback port, with a fresh database for each test that asks."""

from __future__ import annotations

import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

import psycopg

from .processes import Process, free_port
from .system import need, path_of

_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "autovacuum": "off",  # its workers would compete with the tests for two cores
    "full_page_writes": "off",
    "max_wal_size": "96MB",  # the default keeps a gigabyte of the log of each server
    "min_wal_size": "32MB",
}


class Postgres:
    """One server. fsync and synchronous_commit stay as shipped: durability is part of what is tested."""

    def __init__(self, place: Path | None = None) -> None:
        """``place`` is a folder that everybody may enter; the temporary folder otherwise."""
        need("postgres")
        # Not below pytest's folder: that one is closed to the user which the server has to run as.
        self.folder = Path(tempfile.mkdtemp(prefix="emblem-postgres-", dir=place))
        self.user = _user()
        data = self.folder / "data"
        data.mkdir(mode=0o700)
        if self.user is not None:
            entry = pwd.getpwnam(self.user)
            for path in (self.folder, data):
                os.chown(path, entry.pw_uid, entry.pw_gid)
        self._run("initdb", "--pgdata", data, "--username=emblem", "--auth=trust", "--encoding=UTF8", "--no-locale")
        self.port = free_port()
        self._count = itertools.count(1)
        self.start()

    def start(self) -> None:
        """Starts the server, again after it was stopped; returns once it answers."""
        options = [part for name, value in _SETTINGS.items() for part in ("-c", f"{name}={value}")]
        command: list[str | Path] = [path_of("postgres"), "-D", self.folder / "data", "-p", str(self.port), *options]
        self.process = Process(command, self.folder / "server.log", user=self.user, cwd=self.folder)
        self.process.wait_for(self._answers, 60, "PostgreSQL answers")

    def url(self, database: str) -> str:
        """The SQLAlchemy URL of one of its databases."""
        return f"postgresql+psycopg://emblem@127.0.0.1:{self.port}/{database}"

    def new_database(self, like: str = "") -> str:
        """The URL of a new database: empty, or a copy of the one whose URL is ``like``."""
        name = f"emblem_{next(self._count)}"
        template = f" template {like.rpartition('/')[2]}" if like else ""
        with self._connect() as connection:
            connection.execute(f"create database {name}{template}".encode())
        return self.url(name)

    def guarded(self, user: str, password: str) -> str:
        """The URL of a database for a new user, who has to give a password; everybody else goes in as before."""
        hba = self.folder / "data" / "pg_hba.conf"
        hba.write_text(f"host all {user} 127.0.0.1/32 scram-sha-256\n{hba.read_text()}")
        with self._connect() as connection:
            connection.execute(f"create role {user} login password '{password}'".encode())
            connection.execute("select pg_reload_conf()")
        return self.url("postgres").replace("emblem@", f"{user}:{password}@")

    def drop(self, url: str) -> None:
        """Removes a database and ends whoever still uses it."""
        name = url.rpartition("/")[2]
        with self._connect() as connection:
            connection.execute(f"drop database if exists {name} with (force)".encode())

    def kill(self) -> None:
        """SIGKILL to the server and all its processes, as a crash of the machine would end them."""
        self.process.signal_family(signal.SIGKILL)
        self.process.popen.wait()

    def close(self) -> None:
        """Stops the server, which need not write what is removed now, and removes all that it held."""
        self.process.stop(signal.SIGQUIT)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _connect(self) -> psycopg.Connection:
        return psycopg.connect(f"host=127.0.0.1 port={self.port} user=emblem dbname=postgres", autocommit=True)

    def _answers(self) -> bool:
        try:
            self._connect().close()
        except psycopg.OperationalError:
            return False
        return True

    def _run(self, program: str, *arguments: str | Path) -> None:
        command = [path_of(program), *map(str, arguments)]
        done = subprocess.run(command, user=self.user, cwd=self.folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def _user() -> str | None:
    """The user the server runs as: it refuses to be root."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            pwd.getpwnam(name)
        except KeyError:
            continue
        return name
    raise AssertionError("PostgreSQL does not run as root, and there is no user postgres or nobody")
