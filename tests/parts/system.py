"""The system parts that tests need: what each is for, how to see that it is there, how to get it."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

STRICT = "EMBLEM_TESTS_STRICT"  # set by --provision: what is missing fails then, and is skipped otherwise
_POLICY = Path("/usr/sbin/policy-rc.d")


@dataclass(frozen=True)
class Part:
    """One system part: its programs, the Debian packages that bring them, and what it is for."""

    name: str
    purpose: str
    programs: tuple[str, ...]
    packages: tuple[str, ...]

    def missing(self) -> tuple[str, ...]:
        """The programs that are not there."""
        return tuple(program for program in self.programs if find(program) is None)


PARTS: dict[str, Part] = {
    part.name: part
    for part in (
        Part("postgres", "the store on PostgreSQL", ("postgres", "initdb"), ("postgresql-15",)),
        Part(
            "s3",
            "the storage on S3: Ceph's RADOS Gateway on one node",
            ("radosgw", "radosgw-admin", "ceph-mon", "ceph-osd", "ceph", "monmaptool", "ceph-authtool"),
            ("radosgw", "ceph-mon", "ceph-osd", "ceph-common"),
        ),
        Part("redis", "rate limits shared by machines", ("redis-server",), ("redis-server",)),
        Part("nginx", "downloads and variants behind a proxy", ("nginx",), ("nginx-light",)),
        Part("chromium", "journeys in a real browser", ("chromium",), ("chromium", "fonts-dejavu-core")),
        Part("exiftool", "rights in files, read by another program", ("exiftool",), ("libimage-exiftool-perl",)),
        Part("clients", "downloads by the programs people use", ("curl", "wget", "aria2c"), ("curl", "wget", "aria2")),
    )
}


def find(program: str) -> str | None:
    """The path of a program; Debian keeps PostgreSQL's, and servers for root, off the usual path."""
    folders = [*os.get_exec_path(), "/usr/sbin", "/sbin"]
    folders += sorted(map(str, Path("/usr/lib/postgresql").glob("*/bin")), reverse=True)
    return shutil.which(program, path=os.pathsep.join(folders))


def path_of(program: str) -> str:
    """The path of a program of a part that ``need`` has found."""
    found = find(program)
    assert found is not None, f"{program} is not there"
    return found


def strict() -> bool:
    """Whether a missing part fails the run: with ``--provision``, and on a CI machine."""
    return bool(os.environ.get(STRICT)) or os.environ.get("CI", "").lower() in ("true", "1")


def missing() -> list[Part]:
    """The parts of which at least one program is not there."""
    return [part for part in PARTS.values() if part.missing()]


def need(name: str) -> None:
    """Goes on where the part is there; else fails, or outside a strict run skips the test with how to get it."""
    part = PARTS[name]
    if not (absent := part.missing()):
        return
    said = f"{', '.join(absent)} not found; get it with: apt-get install {' '.join(part.packages)}"
    if strict():
        pytest.fail(f"{name}: {said}", pytrace=False)
    pytest.skip(f"{name} ({part.purpose}): {said}")


def table() -> str:
    """The parts as lines of a table, with what is missing."""
    lines = []
    for part in PARTS.values():
        state = "missing" if part.missing() else "there"
        lines.append(f"  {part.name:<9} {state:<8} {part.purpose} ({', '.join(part.packages)})")
    return "\n".join(lines)


def provision(parts: Sequence[Part]) -> int:
    """Installs the Debian packages of ``parts``; the exit status of apt-get.

    The packages' own servers are not started: tests start theirs, on free ports.
    """
    if not parts:
        return 0
    packages = sorted({package for part in parts for package in part.packages})
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    ours = not _POLICY.exists()
    if ours:
        _POLICY.write_text("#!/bin/sh\nexit 101\n")
        _POLICY.chmod(0o755)
    try:
        for command in (["update"], ["install", "--yes", "--no-install-recommends", *packages]):
            line = ["apt-get", "--quiet=2", "-o", "DPkg::Lock::Timeout=300", *command]
            print("$", " ".join(line), flush=True)
            if status := subprocess.run(line, env=environment, stdout=subprocess.DEVNULL, check=False).returncode:
                return status
    finally:
        if ours:
            _POLICY.unlink(missing_ok=True)
    return 0
