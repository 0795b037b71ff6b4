"""The monitor: a log that goes back on its word is told, and where its histories part."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from service import ledger
from service.ledger.witnesses import Witnesses
from service.verification.log_copy import LogCopy, locate_fork
from service.verification.log_reader import FolderSource, LogSource, NotAllowedError, SourceError, StorageSource
from service.verification.monitor import BusyError, Look, Monitor
from service.verification.policy import parse_policy
from service.verification.signed_note import parse_vkey
from service.verification.verifier import verify_log
from tests.ledger.conftest import NOON, Log, log, make_log
from tests.ledger.witness import Witness

__all__ = ["log", "make_log"]


class Seen(LogSource):
    """A log as its readers see it. ``of`` may be changed; ``entries`` says whether bundles are shown."""

    def __init__(self, of: Log, *, entries: bool = True) -> None:
        self.of = of
        self.entries = entries
        self.paths: list[str] = []

    def read(self, path: str) -> bytes | None:
        if path.startswith("tile/entries") and not self.entries:
            raise NotAllowedError(path)
        self.paths.append(path)
        return StorageSource(self.of.storage.find, self.of.sealer.vkeys()).read(path)


def grown(log: Log, count: int) -> None:
    log.append(count)
    log.sealer.seal()


def fork(log: Log, name: str) -> Log:
    """Another history under the same key, from where the log stands."""
    shutil.copytree(log.folder, log.folder.with_name(name))
    return Log(log.folder.with_name(name), key=log.key)


def at_noon(monitor: Monitor) -> Monitor:
    monitor.clock = lambda: NOON
    monitor.patience = 0
    return monitor


def kinds(look: Look) -> list[str]:
    return [alarm.kind for alarm in look.alarms]


def test_a_growing_log_is_copied_and_only_what_is_new_is_read(log: Log, tmp_path: Path) -> None:
    grown(log, 5)
    source = Seen(log)
    monitor = at_noon(Monitor(source, tmp_path / "state"))
    for count in (0, 1, 250, 1, 600, 0, 70):
        if count:
            grown(log, count)
        look = monitor.look()
        assert look.ok, look.alarms
        assert look.entries_read
        head = log.sealer.rows.newest()
        assert head is not None
        assert (look.size, look.root) == (head.size, head.root)
        # What is kept is the log: the verifier reads it as such, and nothing that it does not need is left.
        kept = FolderSource(tmp_path / "state")
        verdict = verify_log(kept, [parse_vkey(vkey) for vkey in log.sealer.vkeys()])
        assert (verdict.ok, verdict.size, verdict.entries_read) == (True, head.size, True), verdict.findings
    assert not list((tmp_path / "state").rglob("tile/0/000.p/*"))
    source.paths.clear()
    grown(log, 3)
    assert monitor.look().ok
    assert "tile/0/000" not in source.paths


def test_a_whole_tree_of_tiles_is_taken_up_from_the_middle(log: Log, tmp_path: Path) -> None:
    """65,536 leaves and more: tiles of three levels, begun and gone on with at their borders."""
    monitor = at_noon(Monitor(Seen(log, entries=False), tmp_path / "state"))
    for count in (65_530, 6, 300):
        grown(log, count)
        look = monitor.look()
        assert look.ok, look.alarms
        assert not look.entries_read
    assert monitor.copy.root(look.size).hex() == look.root


@pytest.mark.parametrize("entries", [True, False])
def test_a_fork_is_located_at_the_first_leaf_that_differs(log: Log, tmp_path: Path, entries: bool) -> None:
    grown(log, 700)
    other = fork(log, "other")
    grown(log, 150)
    grown(other, 400)
    source = Seen(log, entries=entries)
    monitor = at_noon(Monitor(source, tmp_path / "state"))
    assert monitor.look().ok
    source.of = other
    start = log.sealer.rows.newest()
    assert start is not None
    look = monitor.look()
    alarm = look.alarms[0]
    parted = 701  # the log's first entry is its own key
    assert (alarm.kind, alarm.index) == ("forked", parted)
    if entries:
        assert alarm.entries is not None
        mine, theirs = (json.loads(entry) for entry in alarm.entries)
        assert mine["kind"] == theirs["kind"] == "link.revoked"
        assert mine != theirs
    else:
        assert alarm.entries is None
    # The evidence stays until somebody took it away, whatever the log shows now; the copy is what it was.
    source.of = log
    look = monitor.look()
    assert kinds(look) == ["evidence"]
    evidence = next((tmp_path / "state/evidence").iterdir())
    assert evidence.read_bytes() == other.storage.read("log/checkpoint")
    evidence.unlink()
    assert monitor.look().ok
    other.database.close()


def test_two_checkpoints_of_one_size_are_two_histories(log: Log, tmp_path: Path) -> None:
    grown(log, 300)
    other = fork(log, "other")
    grown(log, 2)
    grown(other, 2)
    source = Seen(log)
    monitor = at_noon(Monitor(source, tmp_path / "state"))
    assert monitor.look().ok
    source.of = other
    alarm = monitor.look().alarms[0]
    assert (alarm.kind, alarm.index) == ("forked", 301)
    other.database.close()


def test_a_smaller_checkpoint_is_rewound_or_another_history(log: Log, tmp_path: Path) -> None:
    grown(log, 300)
    early, other = fork(log, "early"), fork(log, "other")
    grown(log, 500)
    grown(other, 3)
    source = Seen(log)
    monitor = at_noon(Monitor(source, tmp_path / "state"))
    assert monitor.look().ok
    source.of = early
    look = monitor.look()
    assert [(alarm.kind, alarm.index) for alarm in look.alarms] == [("rewound", 301)]
    source.of = log
    assert monitor.look().ok
    source.of = other
    assert [(alarm.kind, alarm.index) for alarm in monitor.look().alarms][:1] == [("forked", 301)]
    early.database.close()
    other.database.close()


def test_tiles_that_do_not_fit_are_damage_and_are_not_taken_over(log: Log, tmp_path: Path) -> None:
    grown(log, 300)
    monitor = at_noon(Monitor(Seen(log), tmp_path / "state"))
    assert monitor.look().ok
    grown(log, 300)
    path = log.tree() / "tile/0/001"
    good = path.read_bytes()
    path.write_bytes(good[:3200] + bytes([good[3200] ^ 1]) + good[3201:])
    look = monitor.look()
    assert [(alarm.kind, alarm.index) for alarm in look.alarms] == [("damaged", 356)]
    path.write_bytes(good)
    assert monitor.look().ok


def test_entries_are_read_from_the_start_once_they_are_allowed(log: Log, tmp_path: Path) -> None:
    grown(log, 300)
    source = Seen(log, entries=False)
    monitor = at_noon(Monitor(source, tmp_path / "state"))
    assert not monitor.look().entries_read
    source.entries = True
    assert monitor.look().entries_read
    assert (tmp_path / "state/tile/entries/000").is_file()


def test_a_log_that_stands_still_is_told_and_one_that_is_affirmed_is_not(
    make_log: Callable[..., Log], tmp_path: Path
) -> None:
    log = make_log(key=ledger.new_log_keys())
    grown(log, 5)
    monitor = at_noon(Monitor(Seen(log), tmp_path / "state"))
    assert monitor.look().ok
    monitor.clock = lambda: NOON + timedelta(seconds=44)
    assert monitor.look().ok
    later = NOON + timedelta(seconds=46)  # with ten seconds between two looks it is said within a minute
    monitor.clock = lambda: later
    assert kinds(monitor.look()) == ["still"]
    log.sealer.clock = lambda: later
    assert log.sealer.affirm(20)
    assert not log.sealer.affirm(20)  # it is young now
    look = monitor.look()
    assert look.ok
    assert look.fresh_at == later


def test_without_a_stated_time_a_limit_has_to_be_given(log: Log, tmp_path: Path) -> None:
    grown(log, 5)
    assert not log.sealer.affirm(0)  # an Ed25519 signature alone states no time
    monitor = at_noon(Monitor(Seen(log), tmp_path / "state"))
    assert monitor.look().ok
    monitor.clock = lambda: NOON + timedelta(days=2)
    assert monitor.look().ok
    monitor.still = timedelta(days=1)
    assert kinds(monitor.look()) == ["still"]


def test_a_log_without_an_answer_checkpoint_or_signature_is_told(log: Log, tmp_path: Path) -> None:
    source = Seen(log)
    monitor = at_noon(Monitor(source, tmp_path / "state"))
    assert kinds(monitor.look()) == ["unsigned"]  # nothing is sealed
    grown(log, 5)
    assert monitor.look().ok
    note = log.storage.read("log/checkpoint")
    log.storage.replace("log/checkpoint", note.replace(b"\n6\n", b"\n7\n"), "text/plain")
    assert kinds(monitor.look()) == ["unsigned"]
    log.storage.replace("log/checkpoint", note, "text/plain")

    class Gone(Seen):
        def read(self, path: str) -> bytes | None:
            raise SourceError("it does not answer")

    assert kinds(at_noon(Monitor(Gone(log), tmp_path / "state")).look()) == ["silent"]
    assert monitor.look().ok


def test_a_changed_key_is_taken_up_from_a_checkpoint_that_both_signed(log: Log, tmp_path: Path) -> None:
    grown(log, 5)
    source = Seen(log)
    monitor = at_noon(Monitor(source, tmp_path / "state"))
    assert monitor.look().ok
    fresh = ledger.new_log_key()
    log.sealer = log.new_sealer(f"{fresh},{log.key}")
    grown(log, 2)
    assert monitor.look().ok
    log.sealer = log.new_sealer(fresh)
    grown(log, 2)
    assert monitor.look().ok
    given = [parse_vkey(log.sealer.vkeys()[-1])]  # who gives a key relies on that one alone
    assert kinds(at_noon(Monitor(source, tmp_path / "another", given)).look()) == ["unsigned"]


def test_two_monitors_do_not_work_in_one_folder(log: Log, tmp_path: Path) -> None:
    monitor, other = (Monitor(Seen(log), tmp_path / "state") for _ in range(2))
    with monitor.alone(), pytest.raises(BusyError), other.alone():
        pass
    with other.alone():
        pass


def test_verifying_since_an_export_locates_the_fork_as_well(log: Log) -> None:
    grown(log, 300)
    other = fork(log, "other")
    grown(log, 150)
    grown(other, 400)
    note = log.storage.read("log/checkpoint")
    verdict = verify_log(Seen(other), [parse_vkey(vkey) for vkey in log.sealer.vkeys()], note)
    locate_fork(verdict, LogCopy(log.tree()), Seen(other))
    assert [finding.index for finding in verdict.findings] == [301]
    assert verdict.findings[0].text.endswith("the first leaf that differs is 301")
    other.database.close()


@pytest.fixture
def witness() -> Iterator[Witness]:
    one = Witness("witness.example.org", NOON.timestamp())
    yield one
    one.close()


def test_witnesses_are_asked_what_they_hold(log: Log, tmp_path: Path, witness: Witness) -> None:
    grown(log, 300)
    other = fork(log, "other")
    lines = [f"log {log.sealer.vkeys()[0]}", f"witness W {witness.vkey} {witness.url}", "quorum W", ""]
    policy = parse_policy("\n".join(lines))
    source = Seen(log)
    monitor = at_noon(Monitor(source, tmp_path / "state", policy.logs, policy))
    look = monitor.look()
    assert kinds(look) == ["quorum"]
    assert [held.outcome for held in look.witnesses] == ["holds nothing"]
    Witnesses(log.sealer, policy).offer()
    look = monitor.look()
    assert (look.ok, look.cosigned_by) == (True, ["W"])
    assert [(held.size, held.outcome) for held in look.witnesses] == [(301, "agrees")]
    # The log is kept from us from here on, while the witness goes on seeing it.
    grown(log, 9)
    Witnesses(log.sealer, policy).offer()
    source.of = other
    look = monitor.look()
    assert kinds(look) == ["quorum", "split", "evidence"]
    assert look.alarms[1].detail == "W holds 310 leaves, and the log shows 301 here"
    # Another history of more leaves: the log's own signature, and not what the witness saw.
    next((tmp_path / "state/evidence").iterdir()).unlink()
    grown(other, 20)
    look = monitor.look()
    assert kinds(look) == ["quorum", "split", "evidence"]
    assert look.alarms[1].detail == "W holds another history of 310 leaves than the log shows here"
    witness.shown = witness.shown.replace(b"\n310\n", b"\n311\n")
    assert [held.outcome for held in monitor.look().witnesses] == ["shows nothing that it signed"]
    witness.close()
    assert [held.outcome for held in monitor.look().witnesses] == ["does not answer"]
    other.database.close()
