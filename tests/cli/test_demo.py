"""What ``emblem demo`` prints: what it does, at once, and commands that work as they are pasted."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.parts.demo import Demo


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """One that nobody has used: of the one that all share, the printed sign-in link is used up or over by now."""
    running = Demo(tmp_path_factory.mktemp("printed") / "var", {"EMBLEM_RATE_LIMITS": "off"})
    yield running
    assert running.stop() == 0


def printed(demo: Demo) -> str:
    return demo.process.log.read_text(encoding="utf-8")


def test_it_says_first_what_it_does(demo: Demo) -> None:
    first, *_ = printed(demo).splitlines()
    assert "gets the campaign ready" in first
    assert str(demo.folder) in first


def test_the_command_that_it_prints_works_as_pasted(demo: Demo, tmp_path: Path) -> None:
    (command,) = re.findall(r"Command line +(EMBLEM_CONFIG=.+)", printed(demo))
    # A shell that knows nothing of the virtual environment, in another folder.
    bare = {"PATH": "/usr/bin:/bin", "HOME": os.environ.get("HOME", "/")}
    done = subprocess.run(
        ["sh", "-c", command], cwd=tmp_path, env=bare, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "database" in done.stdout


def test_every_address_that_it_prints_answers(demo: Demo) -> None:
    addresses = re.findall(r"(http://\S+)", printed(demo))
    assert len(addresses) == 4
    for address in addresses:
        assert demo.client().get(address).status in (200, 302), address


def test_files_that_it_names_are_there(demo: Demo) -> None:
    (keys,) = re.findall(r"keys are in (\S+)\)", printed(demo))
    (outbox,) = re.findall(r"Mail goes to +(\S+)", printed(demo))
    assert Path(keys).is_file()
    assert Path(outbox).is_dir()
