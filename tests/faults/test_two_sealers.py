"""Two sealers at once, in processes of their own, with the lock between them and after it was lost."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import select, text

from service.problems import Unavailable
from service.store.tables import Checkpoint
from service.verification.log_reader import FolderSource
from service.verification.signed_note import parse_vkey
from service.verification.verifier import verify_log
from tests.ledger.conftest import Log
from tests.ledger.test_sealing import entries_of
from tests.parts.dying import Doom, stands_still, started
from tests.parts.postgres import Postgres
from tests.parts.processes import wait_until

MakeLog = Callable[[], Log]


@pytest.fixture(params=["sqlite", "postgres"])
def make_log(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[MakeLog]:
    """Makes empty logs, each with a database of its own."""
    server: Postgres | None = request.getfixturevalue("postgres") if request.param == "postgres" else None
    made: list[Log] = []

    def make() -> Log:
        folder = tmp_path / f"log{len(made)}"
        folder.mkdir()
        made.append(Log(folder, url=server.new_database() if server else None))
        return made[-1]

    yield make
    for log in made:
        log.database.close()


def check(log: Log, links: list[str]) -> None:
    """The log verifies, holds each of the entries once, and continues every checkpoint that it ever had."""
    keys = [parse_vkey(vkey) for vkey in log.sealer.vkeys()]
    with log.database.read() as session:
        notes = list(session.scalars(select(Checkpoint.note).order_by(Checkpoint.size)))
    for note in notes:
        verdict = verify_log(FolderSource(log.tree()), keys, note.encode())
        assert verdict.ok, verdict.findings
    assert (log.tree() / "checkpoint").read_text() == notes[-1]
    assert [entry["id"] for entry in entries_of(log) if entry["kind"] == "link.revoked"] == links


def seal_often(folder: Path, url: str, key: str, times: int) -> None:
    log = Log(folder, url=url, key=key)
    for number in range(times):
        log.append(3)
        log.sealer.seal(wait=0 if number % 2 else 5)
    log.database.close()


def test_processes_that_seal_at_once_make_one_log(make_log: MakeLog) -> None:
    log = make_log()
    log.sealer.seal()
    processes = [started(seal_often, log.folder, log.database.url, log.key, 12) for _ in range(4)]
    for process in processes:
        process.join(60)
        assert process.exitcode == 0
    log.new_sealer().seal(wait=5)
    check(log, ["lnk_0", "lnk_1", "lnk_2"] * 4 * 12)


def stand_still_and_go_on(folder: Path, url: str, key: str, at: int, after: bool) -> None:
    """Seals, stops somewhere in the middle, and goes on when it is told to, as far as it can."""
    log = Log(folder, url=url, key=key)
    Doom(at, after=after, how=signal.SIGSTOP).hang_over(log.database, log.storage)
    with suppress(Unavailable):
        log.sealer.seal()
    log.database.close()


def lose_lock(log: Log) -> None:
    """What must not happen: the file is removed, or the connection that holds the lock is cut."""
    if log.database.is_sqlite:
        (log.folder / "seal.lock").unlink()
        return
    with log.database.engine.connect() as connection:
        cut = text("select pg_terminate_backend(pid, 5000) from pg_locks where locktype = 'advisory' and database = ("
                   "select oid from pg_database where datname = current_database())")  # fmt: skip
        assert connection.execute(cut).all() == [(True,)]


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_sealer_that_is_overtaken_at_any_change_does_no_harm(make_log: MakeLog, after: bool) -> None:
    """It holds the others up for as long as it has the lock; without it, the database lets only one of them swap."""
    at, ended = 0, False
    while not ended:
        at += 1
        log = make_log()
        log.append(200)
        log.sealer.seal()
        log.append(100)
        process = started(stand_still_and_go_on, log.folder, log.database.url, log.key, at, after)
        try:
            wait_until(lambda p=process: stands_still(p) or not p.is_alive(), 60, "it stops or ends")  # type: ignore[misc]
            ended = not process.is_alive()
            if not ended:
                assert log.new_sealer().seal().outcome == "busy"
                lose_lock(log)
                log.append(400)
                log.new_sealer().seal(wait=5)
                os.kill(process.pid or 0, signal.SIGCONT)
                process.join(60)
            assert process.exitcode == 0
        finally:
            process.kill()
        # Also at this moment nothing that was published is taken back.
        links = [f"lnk_{n}" for count in (200, 100, *([] if ended else [400])) for n in range(count)]
        check(log, links)
        log.append(1)
        log.new_sealer().seal(wait=5)
        check(log, [*links, "lnk_0"])
        log.database.close()
    assert at > 8
