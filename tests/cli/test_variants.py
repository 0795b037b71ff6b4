"""``emblem variants prerender``: shows progress, stops cleanly, and goes on where it was."""

from __future__ import annotations

import hashlib
import json
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from service.logos import VariantRequest, Variants
from service.logos.variants import _split
from service.storage import open_storage
from tests.conftest import environment
from tests.parts.disk import small_disk
from tests.parts.processes import wait_until

from .test_commands import ROOT, Shell

if TYPE_CHECKING:
    from service.campaign import Campaign

COMMAND = [sys.executable, "-m", "service", "variants", "prerender", "--logo", "heart", "--json"]


class Deployment:
    """One whose variants lie in ``folder``, and what is made of its ladder of the heart."""

    def __init__(self, folder: Path, campaign: Campaign) -> None:
        self.storage = open_storage((folder / "storage").as_uri())
        self.variables = environment(folder) | {"EMBLEM_STORAGE_URL": (folder / "storage").as_uri()}
        self.emblem = Shell(self.variables)
        self._variants = Variants(dict(campaign.logos), campaign.brand, self.storage, folder)

    def missing(self) -> list[VariantRequest]:
        """What is not made yet."""
        return self._variants.missing(["heart"])

    def made(self) -> int:
        """How many are stored."""
        return sum(1 for _ in self.storage.list("variants/"))

    def pretend_all_but(self, few: list[VariantRequest]) -> None:
        """Fills the places of all others, so that a whole ladder is made in a moment."""
        for plan in self.missing():
            if plan not in few:
                path = self.storage.local_path(self._variants._key(plan))
                assert path is not None
                path.parent.mkdir(parents=True, exist_ok=True)
                path.touch()

    def all_whole(self) -> bool:
        """Whether every stored variant is whole, by its digest."""
        stored = [_split(self.storage.read(item.key)) for item in self.storage.list("variants/")]
        return bool(stored) and all(hashlib.sha256(content).digest() == digest for content, digest in stored)

    def start(self, **more: Any) -> subprocess.Popen[str]:
        """The command, running."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("EMBLEM_")}
        return subprocess.Popen(COMMAND, env=kept | self.variables, cwd=ROOT, text=True, **more)


@pytest.fixture
def deployment(tmp_path: Path, campaign: Campaign) -> Deployment:
    return Deployment(tmp_path, campaign)


def test_what_is_missing_is_made_and_the_command_says_so(deployment: Deployment) -> None:
    """Work longer than a second stays quiet in a pipe; exit status 0: done."""
    missing = [plan for plan in deployment.missing() if plan.width in (24, 1136) and plan.colourway == "blue"]
    assert len(missing) == 8
    deployment.pretend_all_but(missing)
    done = deployment.emblem("variants", "prerender", "--logo", "heart", "--json")
    assert (json.loads(done.stdout), done.stderr) == ({"made": 8, "left": 0}, "")
    assert deployment.missing() == []
    assert "complete" in deployment.emblem("variants", "prerender", "--logo", "heart").stdout


def test_an_unknown_logo_is_named_with_those_that_there_are(deployment: Deployment) -> None:
    told = deployment.emblem("variants", "prerender", "--logo", "star", status=1).stderr
    assert "star" in told
    assert "heart, lockup" in told


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_stopped_it_keeps_what_is_made_and_goes_on_from_there(deployment: Deployment, how: signal.Signals) -> None:
    """Resumable; exit status 1: it ran and the answer is no."""
    process = deployment.start(stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    wait_until(lambda: deployment.made() > 20, 60, "some are made")
    process.send_signal(how)
    out, err = process.communicate(timeout=30)
    told = json.loads(out)
    assert (process.returncode, err) == (1, "")
    assert told == {"made": deployment.made(), "left": len(deployment.missing())}
    assert deployment.all_whole()
    before = {item.key for item in deployment.storage.list("variants/")}
    again = deployment.start(stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    wait_until(lambda: deployment.made() > len(before) + 20, 60, "more are made")
    again.send_signal(how)
    out, _ = again.communicate(timeout=30)
    assert json.loads(out)["made"] == deployment.made() - len(before)


def test_killed_it_leaves_only_whole_variants(deployment: Deployment) -> None:
    process = deployment.start()
    wait_until(lambda: deployment.made() > 20, 60, "some are made")
    process.kill()
    process.wait(60)
    assert deployment.all_whole()


def test_at_a_full_disk_it_stops_with_a_sentence_and_goes_on_when_there_is_room(
    tmp_path: Path, campaign: Campaign
) -> None:
    """Stopping cleanly at a full disk."""
    with small_disk(tmp_path / "disk", "1m") as disk:
        deployment = Deployment(tmp_path / "disk", campaign)
        done = deployment.emblem("variants", "prerender", "--logo", "heart", "--json", status=2)
        told = json.loads(done.stdout)
        assert "The storage is full" in done.stderr
        assert done.stderr.count("\n") == 1
        assert told == {"made": deployment.made(), "left": len(deployment.missing())}
        assert told["made"] > 20
        assert deployment.all_whole()
        subprocess.run(["mount", "-o", "remount,size=2m", disk.path], check=True)
        more = json.loads(deployment.emblem("variants", "prerender", "--logo", "heart", "--json", status=2).stdout)
        assert more["made"] > 20
        assert told["made"] + more["made"] == deployment.made()
        assert deployment.all_whole()


def test_on_a_terminal_it_shows_how_far_it_is(deployment: Deployment) -> None:
    """Work longer than a second shows progress on a terminal."""
    few = [plan for plan in deployment.missing() if plan.width < 30]
    deployment.pretend_all_but(few)
    ours, theirs = pty.openpty()
    process = deployment.start(stdout=subprocess.PIPE, stderr=theirs)
    os.close(theirs)
    shown = b""
    try:
        while got := os.read(ours, 4096):
            shown += got
    except OSError:
        pass  # the end of a terminal whose program has ended
    finally:
        os.close(ours)
    process.communicate(timeout=30)
    assert process.returncode == 0
    assert b"Rendering" in shown
    assert f"{len(few)}/{len(few)}".encode() in shown
