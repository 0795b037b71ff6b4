"""What is released: built twice it is the same bytes, and the documentation is a site without a warning."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

_ROOT = Path(__file__).resolve().parents[2]


def built(source: Path, into: Path, umask: int) -> dict[str, str]:
    """SHA-256 of the wheel and of the sdist of a source tree, by name."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-t", "sdist", "-d", str(into)]
    variables = os.environ | {"SOURCE_DATE_EPOCH": "1795000000", "TZ": "Asia/Kathmandu" if umask else "UTC"}
    subprocess.run(command, cwd=source, env=variables, umask=umask, capture_output=True, check=True)
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in into.iterdir()}


def test_wheel_and_sdist_are_the_same_bytes_wherever_and_whenever_they_are_built(tmp_path: Path) -> None:
    """From the files that the repository has: in two folders, with other times, zones and masks."""
    done = subprocess.run(["git", "ls-files", "-z"], cwd=_ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip("release: not a git checkout, or git is not there, so which files belong to it cannot be told")
    found = []
    for name, umask in (("one", 0), ("other", 0o077)):
        for file in filter(None, done.stdout.split("\0")):
            if (_ROOT / file).is_file():
                target = tmp_path / name / file
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(_ROOT / file, target)
                os.utime(target, (1 + umask, 1 + umask))
        found.append(built(tmp_path / name, tmp_path / f"{name}-dist", umask))
    assert found[0] == found[1]
    version = tomllib.loads((_ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    assert set(found[0]) == {f"emblem-{version}-py3-none-any.whl", f"emblem-{version}.tar.gz"}


def test_the_documentation_is_a_site(tmp_path: Path) -> None:
    """Every page is there and every link within the pages leads somewhere: a warning is an error."""
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", str(_ROOT / "docs"), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for page in (_ROOT / "docs").rglob("*.md"):
        assert (tmp_path / page.relative_to(_ROOT / "docs")).with_suffix(".html").is_file()
