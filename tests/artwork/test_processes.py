"""The process that checks files: started once, ended with whoever started it, not by what its copies meet."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import numpy as np
import pytest

from service.artwork import ArtworkChecks
from service.artwork.inspecting import Kit
from service.campaign import Campaign
from service.problems import InvalidRequest, Unavailable

from .drawing import encoded

_WHITE = encoded(np.full((60, 80, 3), 255, np.float32))


@pytest.fixture(autouse=True)
def made_once(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    """Templates are the same in all of these tests."""
    monkeypatch.setattr("service.artwork.checks._kit", lambda _: kit)


def _children() -> set[int]:
    """The processes that this one has started and that run."""
    found = set()
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            _, _, rest = status.read_text().rpartition(")")
        except OSError:
            continue  # it has just ended
        state, parent = rest.split()[:2]
        if int(parent) == os.getpid() and state != "Z":
            found.add(int(status.parent.name))
    return found


def _changed(monkeypatch: pytest.MonkeyPatch, changes: str) -> None:
    """Have the program that checks files run with changes to its module."""
    program = f"import os, time; import service.artwork.worker as alone; {changes}; alone.main()"
    monkeypatch.setattr("service.artwork.processes.PROGRAM", ("-c", program))


def test_one_process_is_started_for_all_files(campaign: Campaign) -> None:
    before = _children()
    checks = ArtworkChecks(campaign)
    assert _children() == before
    checks.check(_WHITE)
    (started,) = _children() - before
    checks.check(_WHITE)
    assert _children() - before == {started}
    checks.close()
    assert _children() == before
    assert checks.check(_WHITE).report.verdict == "logo_not_found"
    del checks  # and with it what it has started
    assert _children() == before


def test_another_is_started_where_it_was_killed(campaign: Campaign) -> None:
    before = _children()
    checks = ArtworkChecks(campaign)
    checks.check(_WHITE)
    (started,) = _children() - before
    os.kill(started, signal.SIGKILL)
    assert checks.check(_WHITE).report.verdict == "logo_not_found"
    checks.close()


@pytest.mark.parametrize(
    "changes",
    [
        "alone.MOST_SECONDS = 1; alone.checked = lambda *_: time.sleep(60)",
        "alone.checked = lambda *_: os.abort()",
        "alone.checked = lambda *_: bytes(alone.MOST_MEMORY)",
    ],
    ids=["too long", "crashed", "too much memory"],
)
def test_a_file_that_takes_too_much_is_told_so_and_ends_alone(
    campaign: Campaign, monkeypatch: pytest.MonkeyPatch, changes: str
) -> None:
    _changed(monkeypatch, changes)
    before = _children()
    checks = ArtworkChecks(campaign)
    for _ in range(2):
        with pytest.raises(InvalidRequest, match="more time or memory"):
            checks.check(_WHITE)
        assert len(_children() - before) == 1
    checks.close()


def test_one_that_cannot_start_is_unavailable(campaign: Campaign, monkeypatch: pytest.MonkeyPatch) -> None:
    _changed(monkeypatch, "raise SystemExit(1)")
    with pytest.raises(Unavailable) as told:
        ArtworkChecks(campaign).check(_WHITE)
    assert told.value.headers["Retry-After"]


def test_what_goes_wrong_in_a_check_is_unavailable_and_no_fault_of_the_file(
    campaign: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    _changed(monkeypatch, "alone.checked = lambda *_: 1 / 0")
    checks = ArtworkChecks(campaign)
    with pytest.raises(Unavailable, match="could not be checked"):
        checks.check(_WHITE)
    checks.close()
