"""Programs that tests start: each in a process group of its own, waited for, and ended with its children."""

from __future__ import annotations

import itertools
import os
import random
import select
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

# Each of the processes that share a run hands out every sixteenth port, from below those that the kernel gives to
# connections: what was found free stays so until its server listens, and while a server that was killed starts again.
_PORTS = range(10_240 + int(os.environ.get("PYTEST_XDIST_WORKER", "gw15").removeprefix("gw")) % 16, 32_000, 16)
_places = itertools.count(random.randrange(len(_PORTS)))


def free_port() -> int:
    """A TCP port on the loopback address that nobody uses, and that nobody else is given for a while."""
    for place in itertools.islice(_places, len(_PORTS)):
        port = _PORTS[place % len(_PORTS)]
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise RuntimeError("no port is free")


def wait_until(holds: Callable[[], bool], seconds: float, what: str, every: float = 0.05) -> None:
    """Returns once ``holds()`` is true; AssertionError naming ``what`` after ``seconds``."""
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {seconds:g} s")
        time.sleep(every)


def answers(port: int) -> bool:
    """Whether something accepts connections on a loopback port."""
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


class Process:
    """A running program with its output in a file. Ends with the test process, even a killed one."""

    def __init__(
        self,
        command: Sequence[str | Path],
        log: Path,
        *,
        environment: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        user: str | int | None = None,
    ) -> None:
        self.command = [str(part) for part in command]
        self.log = log
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as output:
            self.popen = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", "--", *self.command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=None if environment is None else dict(environment),
                cwd=cwd,
                user=user,
                process_group=0,
            )

    @property
    def pid(self) -> int:
        """The process id, which is also that of its group."""
        return self.popen.pid

    @property
    def running(self) -> bool:
        """Whether it has not ended yet."""
        return self.popen.poll() is None

    def output(self) -> str:
        """What it has written so far."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    def wait_for(self, holds: Callable[[], bool], seconds: float, what: str) -> None:
        """Waits until ``holds()``; AssertionError with the end of the output where it ends or takes too long."""

        def settled() -> bool:
            return not self.running or holds()

        try:
            wait_until(settled, seconds, what)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.output()[-3000:]}") from None
        if not self.running and not holds():
            raise AssertionError(f"{self.command[0]} ended with {self.popen.returncode}\n{self.output()[-3000:]}")

    def family(self) -> list[int]:
        """Its process id and those of all its descendants, also where they have groups of their own."""
        found = [self.pid]
        for pid in found:
            with suppress(OSError):
                found += map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split())
        return found

    def signal_family(self, how: signal.Signals) -> None:
        """Sends a signal to it and to each of its descendants: SIGSTOP freezes all of a server, SIGCONT thaws it."""
        for pid in self.family():
            with suppress(ProcessLookupError):
                os.kill(pid, how)

    def kill_group(self) -> None:
        """SIGKILL to it and all its children, as a power cut would; none holds a port or a file any more then."""
        ending = []
        for pid in self._group():
            with suppress(ProcessLookupError):
                ending.append(os.pidfd_open(pid))
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self.popen.wait()
        for process in ending:
            select.select([process], [], [], 30)
            os.close(process)

    def _group(self) -> list[int]:
        found = []
        for pid in (int(path.name) for path in Path("/proc").iterdir() if path.name.isdecimal()):
            with suppress(ProcessLookupError):
                if os.getpgid(pid) == self.pid:
                    found.append(pid)
        return found

    def stop(self, how: signal.Signals = signal.SIGTERM, seconds: float = 60) -> int:
        """Asks it to end and returns its exit status; killed where it does not within ``seconds``."""
        if self.running:
            self.popen.send_signal(how)
            with suppress(subprocess.TimeoutExpired):
                self.popen.wait(seconds)
        self.kill_group()
        return self.popen.returncode
