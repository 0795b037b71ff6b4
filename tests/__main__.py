"""``python -m tests``: system parts, then the checks of the source, then pytest; see ``--help``."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from .parts import system

ROOT = Path(__file__).resolve().parent.parent

CHECKS: dict[str, list[str]] = {
    "mypy --strict": ["-m", "mypy"],
    "ruff check": ["-m", "ruff", "check", "."],
    "ruff format": ["-m", "ruff", "format", "--check", "."],
    "import contracts": ["-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"],
    "supply chain": ["-m", "tests.supply_chain"],
}


@dataclass(frozen=True)
class Outcome:
    """What one check did."""

    name: str
    status: int
    seconds: float
    output: str

    def line(self) -> str:
        """One line: name, verdict, time."""
        return f"  {self.name:<17} {'passed' if self.status == 0 else 'FAILED'}  {self.seconds:5.1f} s"


class Verdicts:
    """A pytest plugin that repeats the checks' verdicts above pytest's closing line."""

    def __init__(self, outcomes: list[Outcome]) -> None:
        self.outcomes = outcomes

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Called by pytest once all tests have run."""
        terminalreporter.section("checks")
        for outcome in self.outcomes:
            terminalreporter.write_line(outcome.line(), red=outcome.status != 0)


def check(name: str) -> Outcome:
    """Runs one of ``CHECKS`` from the repository's root."""
    begun = time.monotonic()
    command = [sys.executable, *CHECKS[name]]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    return Outcome(name, done.returncode, time.monotonic() - begun, done.stdout)


def checks() -> list[Outcome]:
    """Runs all checks, two at a time, and prints what each did, with the output of those that failed."""
    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(check, CHECKS))
    print("Checks:")
    for outcome in outcomes:
        print(outcome.line())
        if outcome.status:
            print(outcome.output)
    sys.stdout.flush()
    return outcomes


def main(arguments: list[str]) -> int:
    """Runs what the arguments ask for; the exit status: 0 where nothing failed."""
    parser = argparse.ArgumentParser(
        prog="python -m tests",
        description="Checks the source and runs the tests. Everything else is handed to pytest, such as "
        "-k NAME, -x, or a file; the source is then not checked.",
    )
    parser.add_argument(
        "--provision",
        action="store_true",
        help="install the packages of Debian and npm that the tests need and lack; what still is missing fails",
    )
    options, selection = parser.parse_known_args(arguments)
    # Tests start the service hundreds of times: its modules are compiled once, whatever the shell says of others.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False
    print("System parts that the tests use:")
    print(system.table(), flush=True)
    if options.provision:
        os.environ[system.STRICT] = "1"
        if absent := system.missing():
            names = sorted({package for part in absent for package in (*part.packages, *part.modules)})
            print(
                f"Installing from Debian and npm, for {', '.join(p.name for p in absent)}: {' '.join(names)}",
                flush=True,
            )
            if status := system.provision(absent):
                print(
                    "that failed; run this as root on Debian or Ubuntu, or install the parts yourself",
                    file=sys.stderr,
                )
                return status
    outcomes = [] if selection else checks()
    os.chdir(ROOT)
    plugins = [Verdicts(outcomes)] if outcomes else []
    # The whole run shares the processors; a file's tests stay together, so that each server is started once or twice.
    shared = ["--numprocesses", str(min(os.cpu_count() or 1, 4)), "--dist", "loadfile"]
    # A test that ends its process each time would be given to a new one for ever.
    shared += ["--max-worker-restart", "2"]
    status = int(pytest.main(selection or shared, plugins=plugins))
    return status or int(any(outcome.status for outcome in outcomes))


_MEMORY, _ENOUGH = Path("/dev/shm"), 8 << 30  # bytes that have to be free


def in_memory(arguments: list[str]) -> int:
    """Runs all of it with temporary files in memory, where there is room: disks take long to remove a million of them.

    What is written and flushed there survives killed processes as it does on a disk. It is removed at the end; who
    wants to see what failed tests leave says where by ``TMPDIR``, and nothing is changed then.
    """
    free = os.statvfs(_MEMORY) if _MEMORY.is_dir() else None
    usable = free is not None and not free.f_flag & os.ST_NOEXEC and free.f_bavail * free.f_frsize > _ENOUGH
    if not usable or "TMPDIR" in os.environ or not shutil.which("setpriv"):
        return main(arguments)
    with tempfile.TemporaryDirectory(prefix="emblem-tests-", dir=_MEMORY, ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)  # servers that run as another user have their files in it
        command = ["setpriv", "--pdeathsig", "TERM", "--", sys.executable, "-m", "tests", *arguments]
        return subprocess.run(command, env=os.environ | {"TMPDIR": folder}, check=False).returncode


if __name__ == "__main__":
    sys.exit(in_memory(sys.argv[1:]))
