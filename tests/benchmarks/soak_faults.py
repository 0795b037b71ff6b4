"""Faults of the soak: a part is killed, frozen, cut off or misled for some seconds, and mended."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.benchmarks.soak_load import Post
from tests.parts.machines import Machine, Machines, freeze, thaw
from tests.parts.processes import wait_until


class Faults:
    """What can fail; each is a context in which it does, and after which it has been mended."""

    def __init__(self, machines: Machines, post: Post, chance: random.Random) -> None:
        self.machines, self.post, self.random = machines, post, chance

    def names(self) -> list[str]:
        """Every fault by its name."""
        return [name for name in vars(type(self)) if not name.startswith("_") and name != "names"]

    @contextmanager
    def worker_killed(self) -> Iterator[float]:
        for worker in self.machines.second.workers()[:1]:
            with suppress(ProcessLookupError):
                os.kill(worker, signal.SIGKILL)
        yield 10

    @contextmanager
    def worker_frozen(self) -> Iterator[float]:
        for worker in self.machines.second.workers()[:1]:
            with suppress(ProcessLookupError):
                os.kill(worker, signal.SIGSTOP)
        yield 20
        for worker in self.machines.second.workers():
            with suppress(ProcessLookupError):
                os.kill(worker, signal.SIGCONT)

    @contextmanager
    def master_killed(self) -> Iterator[float]:
        """Its workers notice that they have none, and end."""
        machine = self.machines.second
        workers = machine.workers()
        os.kill(machine.process.pid, signal.SIGKILL)
        yield 5
        machine.process.popen.wait()
        wait_until(
            lambda: not any(Path(f"/proc/{pid}").exists() for pid in workers), 60, "workers without a master end"
        )
        machine.start()

    @contextmanager
    def machine_killed(self) -> Iterator[float]:
        self.machines.second.process.kill_group()
        yield 8
        self.machines.second.start()

    @contextmanager
    def machine_restarted(self) -> Iterator[float]:
        self.machines.second.process.stop()
        self.machines.second.start()
        yield 5

    @contextmanager
    def machine_reloaded(self) -> Iterator[float]:
        os.kill(self.machines.second.process.pid, signal.SIGHUP)
        yield 10

    @contextmanager
    def machine_frozen(self) -> Iterator[float]:
        freeze(self.machines.second.process)
        yield 20
        thaw(self.machines.second.process)

    @contextmanager
    def postgres_killed(self) -> Iterator[float]:
        self.machines.postgres.kill()
        yield 4
        self.machines.postgres.start()

    @contextmanager
    def postgres_restarted(self) -> Iterator[float]:
        self.machines.postgres.process.stop(signal.SIGINT, 30)
        self.machines.postgres.start()
        yield 4

    @contextmanager
    def postgres_frozen(self) -> Iterator[float]:
        freeze(self.machines.postgres.process)
        yield 20
        thaw(self.machines.postgres.process)

    @contextmanager
    def postgres_read_only(self) -> Iterator[float]:
        """As after a fail-over to a server that takes no writes."""
        name = self.machines.database_url.rpartition("/")[2]
        ended = (
            b"select pg_terminate_backend(pid) from pg_stat_activity"
            b" where pid <> pg_backend_pid() and backend_type = 'client backend'"
        )
        with self.machines.sql() as connection:
            connection.execute(f"alter database {name} set default_transaction_read_only = on".encode())
            connection.execute(ended)
        yield 15
        with self.machines.sql() as connection:
            connection.execute(b"set default_transaction_read_only = off")
            connection.execute(f"alter database {name} reset default_transaction_read_only".encode())
            connection.execute(ended)

    @contextmanager
    def postgres_disk_full(self) -> Iterator[float]:
        self.machines.database_disk.fill()
        yield 20
        self.machines.database_disk.free()
        time.sleep(1)
        self.machines.mend_database()

    @contextmanager
    def s3_killed(self) -> Iterator[float]:
        self.machines.kill_s3()
        yield 6
        self.machines.s3.start_gateway()

    @contextmanager
    def s3_frozen(self) -> Iterator[float]:
        freeze(self.machines.s3.gateway)
        yield 20
        thaw(self.machines.s3.gateway)

    @contextmanager
    def s3_refusing(self) -> Iterator[float]:
        self.machines.relay.refusing = True
        yield 15
        self.machines.relay.refusing = False

    @contextmanager
    def s3_cut(self) -> Iterator[float]:
        """Each answer is cut off after at most 300 kB."""
        self.machines.relay.cutting = 300_000
        yield 20
        self.machines.relay.cutting = 0

    @contextmanager
    def s3_slow(self) -> Iterator[float]:
        """80 kB a second for each connection."""
        self.machines.relay.pause = 0.2
        yield 20
        self.machines.relay.pause = 0

    @contextmanager
    def redis_killed(self) -> Iterator[float]:
        self.machines.redis.process.kill_group()
        yield 15
        self.machines.redis.start()

    @contextmanager
    def redis_frozen(self) -> Iterator[float]:
        self.machines.redis.freeze()
        yield 20
        self.machines.redis.thaw()

    @contextmanager
    def nginx_killed(self) -> Iterator[float]:
        self.machines.nginx.process.kill_group()
        yield 3
        self.machines.nginx.start()

    @contextmanager
    def data_disk_full(self) -> Iterator[float]:
        """Where the second machine has its locks and caches."""
        self.machines.data_disk.fill()
        yield 20
        self.machines.data_disk.free()

    @contextmanager
    def clocks_ahead(self) -> Iterator[float]:
        """Two hours, and then right again."""
        yield from self._stepped(2 * 3600, *self.machines.both)

    @contextmanager
    def clock_ahead(self) -> Iterator[float]:
        """One machine's alone."""
        yield from self._stepped(2 * 3600, self.machines.second)

    @contextmanager
    def clock_behind(self) -> Iterator[float]:
        yield from self._stepped(-600, self.machines.second)

    @contextmanager
    def mail_away(self) -> Iterator[float]:
        self.post.stop()
        yield 40
        self.post.start()

    def _stepped(self, seconds: float, *of: Machine) -> Iterator[float]:
        for machine in of:
            machine.step_clock(seconds)
        yield 20
        for machine in of:
            machine.step_clock(0)
