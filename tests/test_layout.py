"""The repository keeps its shape: what stands at the top, and a test command that is the README's."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
TOP = {"service", "assets", "policies", "tests", "docs", "wsgi.py", "pyproject.toml", "README.md", "LICENSE"}
TOP |= {"CHANGELOG.md", "findings"}
CUSTOMARY = {"CONTRIBUTING.md", "SECURITY.md"}  # files that a public repository may have


def tracked() -> list[str]:
    """The files that git knows; where there is no git, what a checkout of it would hold cannot be told."""
    done = subprocess.run(["git", "-C", ROOT, "ls-files"], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip("layout: not a git checkout, or git is not there")
    return done.stdout.split("\n")[:-1]


def test_the_top_level_is_exactly_as_agreed() -> None:
    found = {name.partition("/")[0] for name in tracked()}
    assert {name for name in found if not name.startswith(".")} - CUSTOMARY == TOP


def test_what_runs_leaves_nothing_for_git_to_see() -> None:
    ignored = (ROOT / ".gitignore").read_text(encoding="utf-8").split()
    assert {".venv/", "var/", "__pycache__/", "*.egg-info/"} <= set(ignored)


def test_ci_runs_exactly_the_test_command_of_the_readme() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (command,) = re.findall(r"^.*-m tests --provision$", readme, re.MULTILINE)
    lines = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    frame = ["set -euo pipefail", 'cd "$(dirname "$0")/.."']
    assert [line for line in lines if line and not line.startswith("#")] == [*frame, command]


def test_every_room_has_its_tests() -> None:
    rooms = {path.parent.name for path in (ROOT / "service").glob("*/__init__.py")}
    tested = {path.parent.name for path in (ROOT / "tests").glob("*/test_*.py")}
    assert rooms <= tested


def test_no_file_holds_more_than_one_idea() -> None:
    long = {
        name: count
        for name in tracked()
        if name.endswith(".py") and (count := (ROOT / name).read_text(encoding="utf-8").count("\n")) > 600
    }
    assert long == {}
