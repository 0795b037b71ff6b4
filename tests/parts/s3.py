"""An S3 server: Ceph's RADOS Gateway with a monitor and one object store in memory, on loopback alone.

A real server of its own, because stand-ins were seen to ignore signatures, expiry and conditional writes.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import uuid
from pathlib import Path
from typing import ClassVar

import boto3
from botocore.config import Config

from .processes import Process, answers, free_port, wait_until
from .system import need, path_of

ACCESS_KEY = "emblemtest"
SECRET_KEY = "emblemsecret"
BUCKET = "emblem"

_CONFIGURATION = """\
[global]
fsid = {fsid}
mon host = v1:127.0.0.1:{monitor}
mon initial members = a
public addr = 127.0.0.1
cluster addr = 127.0.0.1
public network = 127.0.0.0/8
cluster network = 127.0.0.0/8
ms bind ipv6 = false
auth cluster required = none
auth service required = none
auth client required = none
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 4
osd pool default pgp num = 4
osd crush chooseleaf type = 0
osd objectstore = memstore
memstore device bytes = 2147483648
osd class load list = *
osd crush update on start = false
osd class update on start = false
osd class default list = *
mon allow pool size one = true
mon warn on pool no redundancy = false
mon max pg per osd = 1000
mon data avail crit = 1
mon data avail warn = 1
mon data = {folder}/mon
osd data = {folder}/osd
keyring = {folder}/keyring
run dir = {folder}/run
admin socket = {folder}/run/$name.asok
log file = {folder}/log/$name.log
pid file = {folder}/run/$name.pid

[client.rgw]
rgw frontends = beast endpoint=127.0.0.1:{port} tcp_nodelay=1
rgw thread pool size = 32
rgw dns name = localhost
rgw enable usage log = false
rgw run sync thread = false
"""


class S3Server:
    """One node, with one user and one bucket; ``environment`` holds what boto3 needs to sign in."""

    environment: ClassVar = {"AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": SECRET_KEY}

    def __init__(self) -> None:
        need("s3")
        # A short path: the names of Unix sockets are limited to 107 bytes.
        self.folder = Path(tempfile.mkdtemp(prefix="emblem-s3-"))
        self.port = free_port()
        self.endpoint = f"http://127.0.0.1:{self.port}"
        self._processes: list[Process] = []
        try:
            self._start()
        except BaseException:
            self.close()
            raise

    def url(self, prefix: str) -> str:
        """An ``EMBLEM_STORAGE_URL`` below a prefix of the bucket."""
        return f"s3://{BUCKET}/{prefix}?endpoint_url={self.endpoint}&region=us-east-1"

    def close(self) -> None:
        """Stops everything; what it held was in memory."""
        for process in reversed(self._processes):
            process.kill_group()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _start(self) -> None:
        for name in ("mon", "osd", "run", "log"):
            (self.folder / name).mkdir()
        monitor, fsid = free_port(), str(uuid.uuid4())
        self.configuration = self.folder / "ceph.conf"
        self.configuration.write_text(
            _CONFIGURATION.format(folder=self.folder, fsid=fsid, monitor=monitor, port=self.port)
        )
        keyring, monmap = self.folder / "keyring", self.folder / "monmap"
        self._run("ceph-authtool", "--create-keyring", keyring, "--gen-key", "-n", "mon.", "--cap", "mon", "allow *")
        admin = ["--cap", "mon", "allow *", "--cap", "osd", "allow *", "--cap", "mgr", "allow *"]
        self._run("ceph-authtool", keyring, "--gen-key", "-n", "client.admin", *admin)
        address = f"[v1:127.0.0.1:{monitor}]"
        self._run("monmaptool", "--create", "--addv", "a", address, "--fsid", fsid, "--clobber", monmap)
        self._ceph("ceph-mon", "--mkfs", "-i", "a", "--monmap", monmap, "--keyring", keyring)
        self._spawn("ceph-mon", "-f", "-i", "a").wait_for(lambda: answers(monitor), 60, "the monitor answers")
        osd = str(uuid.uuid4())
        self._ask("osd", "new", osd)
        self._ceph("ceph-osd", "-i", "0", "--mkfs", "--osd-uuid", osd)
        # It would place itself at its start, now and then before it knows the cluster's id, and end ("wrong fsid").
        self._ask("osd", "crush", "add", "osd.0", "1.0", "host=a", "root=default")
        self._spawn("ceph-osd", "-f", "-i", "0").wait_for(self._osd_is_up, 60, "the object store is up")
        user = ["--uid=emblem", "--display-name=emblem", f"--access-key={ACCESS_KEY}", f"--secret-key={SECRET_KEY}"]
        self._ceph("radosgw-admin", "user", "create", *user)
        self.start_gateway()
        boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            region_name="us-east-1",
            aws_access_key_id=ACCESS_KEY,
            aws_secret_access_key=SECRET_KEY,
            config=Config(s3={"addressing_style": "path"}),
        ).create_bucket(Bucket=BUCKET)

    def start_gateway(self) -> None:
        """Starts what speaks S3, again after it was stopped (what is stored outlives it); returns once it answers."""
        self.gateway = self._spawn("radosgw", "-n", "client.rgw", "-f")
        self.gateway.wait_for(lambda: answers(self.port), 60, "the gateway answers")

    def _osd_is_up(self) -> bool:
        return "1 up" in self._ask("osd", "stat")

    def _ask(self, *command: str) -> str:
        """What the monitor answers to a command that may be given twice.

        Now and then it refuses one ("problem getting command descriptions") while it takes the store's first start in.
        """
        said: list[str] = []

        def answered() -> bool:
            try:
                said.append(self._ceph("ceph", *command))
            except (AssertionError, subprocess.TimeoutExpired) as refused:
                said[:] = [str(refused)]
                return False
            return True

        try:
            wait_until(answered, 60, f"the monitor answers {' '.join(command)}", every=0.5)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{said[0]}") from None
        return said[-1]

    def _spawn(self, program: str, *arguments: str) -> Process:
        command: list[str | Path] = [path_of(program), "-c", self.configuration, *arguments]
        self._processes.append(Process(command, self.folder / "log" / f"{program}.out"))
        return self._processes[-1]

    def _ceph(self, program: str, *arguments: str | Path) -> str:
        return self._run(program, "-c", self.configuration, *arguments)

    def _run(self, program: str, *arguments: str | Path) -> str:
        command = [path_of(program), *map(str, arguments)]
        # Ceph's own tools are Debian's Python: it must not see this environment's packages.
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, env=environment)
        assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}{done.stderr}"
        return done.stdout
