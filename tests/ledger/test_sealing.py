"""Sealing, its faults, and every result judged by the independent verifier."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text

from service import ledger
from service.ledger import tiles
from service.problems import ConfigurationError, LogDamaged, Unavailable
from service.storage import Content, Pieces, Storage, StoredObject

from .conftest import NOON, ORIGIN, Log, revoked
from .conftest import check as check_log


def check(log: Log, size: int | None = None, since: bytes | None = None) -> None:
    """The whole log, by the verifier that shares no code with the sealer."""
    check_log(log.tree(), log.sealer.vkeys(), size, since)


def entries_of(log: Log) -> list[dict[str, object]]:
    """All entries, from the bundles."""
    found: list[dict[str, object]] = []
    size = int((log.tree() / "checkpoint").read_text().split("\n")[1])
    for index in range((size + 255) // 256):
        width = min(256, size - index * 256)
        found += [json.loads(entry) for entry in tiles.unbundle(log.storage.read(tiles.key("entries", index, width)))]
    return found


def test_an_empty_log_seals_its_own_key_first(log: Log) -> None:
    assert log.sealer.seal().outcome == "sealed"
    check(log, 1)
    assert entries_of(log)[0]["kind"] == "key.created"
    assert log.sealer.seal().outcome == "nothing"


def test_entries_are_sealed_in_the_order_of_their_commits(log: Log) -> None:
    log.append(300)
    log.sealer.seal()
    log.append(5)
    outcome = log.sealer.seal()
    assert (outcome.outcome, outcome.added, outcome.size) == ("sealed", 5, 306)
    check(log, 306)
    links = [entry["id"] for entry in entries_of(log) if entry["kind"] == "link.revoked"]
    assert links == [f"lnk_{n}" for n in range(300)] + [f"lnk_{n}" for n in range(5)]


def test_each_checkpoint_continues_the_one_before(log: Log) -> None:
    kept: list[bytes] = []
    for count in (3, 250, 1, 700, 256, 0, 9):
        log.append(count)
        log.sealer.seal()
        kept.append((log.tree() / "checkpoint").read_bytes())
    for checkpoint in kept:
        check(log, 1220, since=checkpoint)


def test_a_new_sealer_goes_on_from_storage(log: Log) -> None:
    for count in (1, 255, 700):
        log.append(count)
        assert log.new_sealer().seal().outcome == "sealed"
    check(log, 957)


def test_more_than_a_chunk_is_sealed_in_one_call(log: Log) -> None:
    log.append(ledger.sealer.CHUNK + 10)
    assert log.sealer.seal().added == ledger.sealer.CHUNK + 11
    check(log)


def test_unfinished_tiles_stay_until_the_full_one_is_there(log: Log) -> None:
    log.append(9)
    log.sealer.seal()
    log.append(9)
    log.sealer.seal()
    assert {path.name for path in (log.tree() / "tile/0/000.p").iterdir()} == {"10", "19"}
    log.append(300)
    log.sealer.seal()
    assert not list((log.tree() / "tile/0/000.p").iterdir())
    assert not list((log.tree() / "tile/entries/000.p").iterdir())
    check(log, 319)


def test_an_entry_too_long_for_a_bundle_is_refused_when_it_is_written(log: Log) -> None:
    with pytest.raises(ValueError, match="more than the log takes"):
        log.database.write(lambda session: ledger.append(session, revoked("x" * 65_536), NOON))


# --- starting with another key or origin


def test_another_key_refuses_to_start(log: Log) -> None:
    log.sealer.seal()
    with pytest.raises(ConfigurationError, match="put that key back"):
        log.new_sealer(key=ledger.new_log_key()).check()


def test_another_origin_refuses_to_start(log: Log) -> None:
    log.sealer.seal()
    with pytest.raises(ConfigurationError, match=f"set EMBLEM_LOG_ORIGIN={ORIGIN}"):
        log.new_sealer(origin="other.example.org/log").check()


def test_another_database_refuses_to_start(log: Log) -> None:
    log.sealer.seal()
    log.database.write(lambda session: session.execute(text("delete from checkpoints")))
    with pytest.raises(ConfigurationError, match="does not know"):
        log.new_sealer().check()


def test_the_right_key_and_origin_start(log: Log) -> None:
    log.new_sealer().check()
    log.sealer.seal()
    log.new_sealer().check()


def test_two_keys_sign_while_both_are_configured(log: Log) -> None:
    log.sealer.seal()
    old = log.sealer.vkeys()
    both = log.new_sealer(key=f"{ledger.new_log_key()},{log.key}")
    both.check()
    both.seal()
    assert len(both.vkeys()) == 2
    assert both.vkeys()[1:] == old
    for vkey in both.vkeys():
        check_log(log.tree(), [vkey])
    assert [entry["kind"] for entry in entries_of(log)] == ["key.created", "key.created"]


def test_keys_are_told_newest_first_also_where_several_are_new_at_once(log: Log) -> None:
    """``GET /log/key`` gives every verifier key that the log has had, one a line, newest first."""
    keys = [ledger.new_log_key() for _ in range(3)]
    newest_first = [signer.verifier.vkey for signer in ledger.signers(",".join(keys), ORIGIN)]
    sealer = log.new_sealer(key=",".join(keys))
    assert sealer.vkeys() == newest_first  # before they are in the log
    sealer.seal()
    assert sealer.vkeys() == log.new_sealer(key=keys[0]).vkeys() == sealer.rows.vkeys() == newest_first
    log.key = ",".join(keys)


# --- what waits, and the last guard against two sealers


def test_entries_wait_until_a_checkpoint_has_them(log: Log) -> None:
    rows = log.sealer.rows
    assert not rows.waiting()
    log.append(2)
    assert rows.waiting()
    log.sealer.seal()
    assert not rows.waiting()
    log.append(2)
    assert rows.waiting()
    log.sealer.step = crash_at("staged")
    with pytest.raises(Crash):
        log.sealer.seal()
    with log.database.read() as session:
        assert session.scalar(text("select count(*) from ledger_entries where leaf is null")) == 0
    assert rows.waiting()  # they have their indexes, and no checkpoint has them: what a crash leaves
    log.new_sealer().seal()
    assert not rows.waiting()


def test_rows_that_have_their_indexes_get_no_others(log: Log) -> None:
    log.append(3)
    rows = log.sealer.rows
    seqs = [seq for seq, _ in rows.unsealed(10)]
    log.database.write(lambda session: rows.assign(session, seqs[:1], 0))
    with pytest.raises(Unavailable):
        log.database.write(lambda session: rows.assign(session, seqs, 1))
    assert [leaf for leaf, _ in rows.staged(0, 10)] == [0]
    assert [seq for seq, _ in rows.unsealed(10)] == seqs[1:]


@pytest.mark.parametrize("bad", ["", "ed25519:", "ed25519:QUJD", "x" * 44, "ed25519:" + "A" * 43 + "B="])
def test_a_log_key_that_is_none_says_how_to_get_one(bad: str) -> None:
    with pytest.raises(ValueError, match="emblem secrets new"):
        ledger.signers(bad, ORIGIN)


def test_a_running_sealer_takes_a_new_key_from_its_file(tmp_path: Path) -> None:
    first, second = ledger.new_log_key(), ledger.new_log_key()
    config = tmp_path / "emblem.env"
    config.write_text(f"EMBLEM_LOG_KEY={first}\n")
    current = ledger.key_source(first, ORIGIN, config)
    assert len(current()) == 1
    config.write_text(f"EMBLEM_LOG_KEY={second},{first}\n")
    os.utime(config, ns=(1, 1))
    assert len(current()) == 2
    config.write_text("EMBLEM_LOG_KEY=broken\n")
    os.utime(config, ns=(2, 2))
    assert len(current()) == 2


# --- damage


def test_a_tile_with_other_bytes_stops_sealing(log: Log) -> None:
    log.append(3)
    log.sealer.seal()
    log.storage.put_new(tiles.key(0, 0, 9), b"other")
    log.append(5)
    for _ in range(2):
        with pytest.raises(LogDamaged, match="other bytes"):
            log.sealer.seal()
    log.storage.delete(tiles.key(0, 0, 9))
    assert log.sealer.seal().size == 9
    check(log, 9)


def test_a_row_that_is_gone_after_staging_stops_sealing(log: Log) -> None:
    log.append(5)
    log.sealer.step = crash_at("staged")
    with pytest.raises(Crash):
        log.sealer.seal()
    log.database.write(lambda session: session.execute(text("delete from ledger_entries where leaf = 2")))
    with pytest.raises(LogDamaged, match="leaf 2 is gone"):
        log.new_sealer().seal()


def test_a_database_older_than_the_log_stops_sealing(log: Log) -> None:
    log.append(5)
    log.sealer.seal()
    log.append(5)
    log.sealer.seal()
    log.database.write(lambda session: session.execute(text("delete from checkpoints where size > 6")))
    with pytest.raises(LogDamaged, match="older than the log"):
        log.new_sealer().seal()


def test_an_edge_that_does_not_give_the_root_stops_sealing(log: Log) -> None:
    log.append(5)
    log.sealer.seal()
    path = log.tree() / "tile/0/000.p/6"
    data = bytearray(path.read_bytes())
    data[40] ^= 1
    path.write_bytes(data)
    log.damaged = True
    log.append(1)
    with pytest.raises(LogDamaged):
        log.new_sealer().seal()


# --- crashes: each step, by an exception and by SIGKILL


class Crash(Exception):
    pass


def crash_at(step: str, times: int = 1) -> Callable[[str], None]:
    left = times

    def hook(name: str) -> None:
        nonlocal left
        if name == step:
            left -= 1
            if left == 0:
                raise Crash

    return hook


STEPS = ["staged", "tile-written", "tiles-written", "swapped", "published", "cleaned"]


def _seal_and_die(folder: str, key: str, step: str) -> None:
    log = Log(Path(folder), key=key)

    def hook(name: str) -> None:
        if name == step:
            os.kill(os.getpid(), signal.SIGKILL)

    log.sealer.step = hook
    log.sealer.seal()


@pytest.mark.parametrize("step", STEPS)
def test_a_sealer_killed_at_a_step_is_finished_by_the_next(log: Log, step: str) -> None:
    log.append(200)
    log.sealer.seal()
    kept = (log.tree() / "checkpoint").read_bytes()
    log.append(400)
    process = multiprocessing.get_context("spawn").Process(target=_seal_and_die, args=(str(log.folder), log.key, step))
    process.start()
    process.join(60)
    assert process.exitcode == -signal.SIGKILL
    check(log, since=kept)  # what is published is whole at every moment
    log.append(7)
    assert log.new_sealer().seal().outcome in ("sealed", "nothing")
    check(log, 608, since=kept)


@pytest.mark.parametrize("step", STEPS)
def test_the_same_sealer_goes_on_after_a_failure_at_a_step(log: Log, step: str) -> None:
    log.append(600)
    log.sealer.step = crash_at(step)
    with pytest.raises(Crash):
        log.sealer.seal()
    log.sealer.step = lambda _name: None
    log.append(1)
    log.sealer.seal()
    check(log, 602)


class FailingStorage(Storage):
    """Passes calls on; the ``at``-th fails, before it was done or after it was."""

    def __init__(self, inner: Storage, at: int, persisted: bool) -> None:
        self.inner, self.at, self.persisted, self.calls = inner, at, persisted, 0

    def _call(self, name: str, *args: object) -> object:
        self.calls += 1
        failing = self.calls == self.at
        if failing and not self.persisted:
            raise Unavailable(private="not persisted")
        result = getattr(self.inner, name)(*args)
        if failing:
            raise Unavailable(private="persisted, but reported as failed")
        return result

    def put_new(
        self, key: str, content: Content, media_type: str = "application/octet-stream", *, durable: bool = True
    ) -> bool:
        return bool(self._call("put_new", key, content, media_type))

    def replace(self, key: str, content: Content, media_type: str = "application/octet-stream") -> None:
        self._call("replace", key, content, media_type)

    def read(self, key: str) -> bytes:
        return self._call("read", key)  # type: ignore[return-value]

    def stat(self, key: str) -> StoredObject | None:
        return self._call("stat", key)  # type: ignore[return-value]

    def delete(self, key: str) -> None:
        self._call("delete", key)

    def list(self, prefix: str):  # type: ignore[no-untyped-def]
        return self._call("list", prefix)

    def stream(self, key: str, start: int, length: int, *, version: str = "") -> Pieces:
        raise AssertionError("sealing reads whole files and streams none")

    def local_path(self, key: str) -> Path | None:
        return None

    def signed_url(self, key: str, seconds: int, filename: str, media_type: str) -> str | None:
        return None

    def check(self) -> None:
        return None


@pytest.mark.parametrize("persisted", [False, True])
def test_each_storage_call_fails_once(make_log: Callable[..., Log], persisted: bool) -> None:
    """Whatever storage call fails, done or not: sealing goes on, and the log is whole."""
    at = 0
    reached = True
    while reached:
        at += 1
        log = make_log(f"log{at}")
        log.append(250)
        log.sealer.seal()
        kept = (log.tree() / "checkpoint").read_bytes()
        log.append(300)
        failing = FailingStorage(log.storage, at, persisted)
        sealer = log.new_sealer()
        sealer.storage = failing
        try:
            sealer.seal()
        except Unavailable:
            check(log, since=kept)
        reached = failing.calls >= at
        failing.at = 0
        log.append(2)
        sealer.seal()
        check(log, 553, since=kept)
        log.database.close()
    assert at > 10


# --- two at once


def _seal_often(folder: str, key: str, count: int) -> None:
    log = Log(Path(folder), key=key)
    for number in range(count):
        log.append(3)
        log.sealer.seal(wait=0 if number % 2 else 5)


def test_four_processes_seal_one_log(log: Log) -> None:
    log.sealer.seal()
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=_seal_often, args=(str(log.folder), log.key, 12)) for _ in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
        assert process.exitcode == 0
    log.new_sealer().seal(wait=5)
    check(log, 1 + 4 * 12 * 3)


def test_a_second_sealer_is_told_to_wait(log: Log) -> None:
    outcomes = []

    def hook(name: str) -> None:
        if name == "staged":
            outcomes.append(log.new_sealer().seal().outcome)

    log.sealer.step = hook
    log.sealer.seal()
    assert outcomes[0] == "busy"


def test_two_sealers_without_a_lock_do_no_harm(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    """Were the lock to fail, the database's own constraints still let only one of them swap."""
    from contextlib import nullcontext

    monkeypatch.setattr("service.ledger.sealer.leadership", lambda *_args: nullcontext(lambda: True))
    log.append(10)
    other = log.new_sealer()
    done = False

    def hook(name: str) -> None:
        nonlocal done
        if name == "tiles-written" and not done:
            done = True
            log.append(4)
            other.seal()

    log.sealer.step = hook
    with pytest.raises(Unavailable):
        log.sealer.seal()
    log.sealer.step = lambda _name: None
    log.sealer.seal()
    check(log, 15)
