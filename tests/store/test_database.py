"""``service.store.Database``: durable when ``write`` returns, group commit, snapshots, forks, full disks."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, func, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from service.problems import NotFound, Unavailable
from service.store import Database
from service.store import database as database_module
from service.store.database import PATIENCE
from service.store.tables import PublishedPolicy
from service.store.upsert import insert_new
from tests.parts.disk import small_disk

from .rows import AT, add, digests


def test_a_write_returns_the_works_result_and_is_there_for_others(database: Database) -> None:
    def work(session: Session) -> str:
        session.add(PublishedPolicy(digest="one", at=AT))
        return "done"

    assert database.write(work) == "done"
    other = Database(database.url)
    assert digests(other) == ["one"]
    other.close()


def test_what_work_raises_is_raised_and_nothing_of_it_is_kept(database: Database) -> None:
    def work(session: Session) -> None:
        session.add(PublishedPolicy(digest="half", at=AT))
        session.flush()
        raise NotFound("none of it")

    with pytest.raises(NotFound, match="none of it"):
        database.write(work)
    assert digests(database) == []


def test_a_failing_write_takes_nothing_else_of_its_batch_with_it(database: Database) -> None:
    """Each write runs in a SAVEPOINT of its own: one that fails takes nothing else with it."""
    hold, begun = threading.Event(), threading.Event()

    def first(session: Session) -> None:
        begun.set()
        assert hold.wait(60)  # all others queue up behind this one, and are one batch
        session.add(PublishedPolicy(digest="first", at=AT))

    def attempt(number: int) -> Exception | None:
        try:
            database.write(add("same" if number % 3 == 0 else f"own-{number:02}"))
        except IntegrityError as error:
            return error
        return None

    with ThreadPoolExecutor(31) as pool:
        slow = pool.submit(database.write, first)
        assert begun.wait(60)
        waiting = [pool.submit(attempt, number) for number in range(30)]
        time.sleep(0.2)
        hold.set()
        slow.result()
        errors = [future.result() for future in waiting]
    assert sum(error is not None for error in errors) == 9  # of ten with the same key one was first
    assert digests(database) == ["first", *[f"own-{n:02}" for n in range(30) if n % 3], "same"]


def test_what_was_written_survives_sigkill(database: Database) -> None:
    """When ``Database.write`` returns, its changes survive."""
    program = """
import sys
from datetime import UTC, datetime
from service.store import Database
from service.store import database as database_module
from service.store.database import PATIENCE
from service.store.tables import PublishedPolicy
database = Database(sys.argv[1])
number = 0
while True:
    number += 1
    database.write(lambda s: s.add(PublishedPolicy(digest=f"{number:06}", at=datetime.now(UTC))))
    print(f"{number:06}", flush=True)
"""
    process = subprocess.Popen([sys.executable, "-c", program, database.url], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    said = [process.stdout.readline().strip() for _ in range(50)]
    process.send_signal(signal.SIGKILL)
    said += process.stdout.read().split()
    process.wait()
    assert set(said) <= set(digests(database))


def test_a_read_sees_one_snapshot(database: Database) -> None:
    """A session for reading; one consistent snapshot."""
    database.write(add("before"))
    with database.read() as session:
        count = select(func.count()).select_from(PublishedPolicy)
        assert session.scalar(count) == 1
        database.write(add("meanwhile"))
        assert session.scalar(count) == 1
    assert digests(database) == ["before", "meanwhile"]


def test_readers_do_not_wait_for_a_writer(database: Database) -> None:
    inside, leave = threading.Event(), threading.Event()

    def slow(session: Session) -> None:
        session.add(PublishedPolicy(digest="slow", at=AT))
        session.flush()
        inside.set()
        assert leave.wait(60)

    writer = threading.Thread(target=database.write, args=(slow,))
    writer.start()
    assert inside.wait(60)
    begun = time.monotonic()
    assert digests(database) == []
    assert time.monotonic() - begun < 1
    leave.set()
    writer.join()
    assert digests(database) == ["slow"]


def test_insert_new_has_exactly_one_winner(database: Database) -> None:
    """Of several transactions at once exactly one gets True."""
    gate = threading.Barrier(8)

    def attempt(_: int) -> bool:
        gate.wait()
        return database.write(lambda session: insert_new(session, PublishedPolicy, digest="same", at=AT))

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(attempt, range(8))) == [False] * 7 + [True]


def test_a_forked_child_writes_and_reads_on_its_own(database: Database) -> None:
    """Safe to share between threads; after a fork it starts afresh."""
    database.write(add("parent"))
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            database.write(add("child"))
            status = 0 if digests(database) == ["child", "parent"] else 2
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    database.write(add("parent again"))
    assert digests(database) == ["child", "parent", "parent again"]


def test_a_fork_waits_until_no_thread_is_inside_sqlite(tmp_path: Path) -> None:
    """A child would inherit the library's locks as they are, and wait for a thread that it does not have."""
    database = Database(f"sqlite:///{tmp_path / 'x.sqlite3'}")
    PublishedPolicy.metadata.create_all(database.engine)
    began, go, reader = threading.Event(), threading.Event(), threading.Event()
    left: list[str] = []

    def slow(session: Session) -> None:
        began.set()
        go.wait(60)
        time.sleep(0.1)  # the fork has begun by now
        session.add(PublishedPolicy(digest="slow", at=AT))
        session.flush()
        left.append("writer")

    def reading() -> None:
        with database.read() as session:
            reader.set()
            go.wait(60)
            time.sleep(0.2)
            session.scalar(select(func.count()).select_from(PublishedPolicy))
            left.append("reader")

    with ThreadPoolExecutor(2) as pool:
        done = [pool.submit(database.write, slow), pool.submit(reading)]
        assert began.wait(60)
        assert reader.wait(60)
        go.set()
        child = os.fork()
        if child == 0:
            os._exit(0 if sorted(left) == ["reader", "writer"] and digests(database) == ["slow"] else 1)
        for one in done:
            one.result()
    assert os.waitpid(child, 0)[1] == 0
    database.close()


def test_a_fork_waits_for_nobody_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database_module, "_FORK_WAIT", 0.05)
    database = Database(f"sqlite:///{tmp_path / 'x.sqlite3'}")
    PublishedPolicy.metadata.create_all(database.engine)
    with database.read():
        child = os.fork()
        if child == 0:
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
    database.close()


def test_processes_writing_at_once_lose_nothing(database: Database) -> None:
    program = """
import sys
from datetime import UTC, datetime
from service.store import Database
from service.store import database as database_module
from service.store.database import PATIENCE
from service.store.tables import PublishedPolicy
database = Database(sys.argv[1])
for number in range(60):
    database.write(lambda s: s.add(PublishedPolicy(digest=f"{sys.argv[2]}-{number}", at=datetime.now(UTC))))
database.close()
"""
    running = [subprocess.Popen([sys.executable, "-c", program, database.url, str(n)]) for n in range(3)]
    assert [process.wait(60) for process in running] == [0, 0, 0]
    assert len(digests(database)) == 180


def test_a_database_that_stays_busy_is_unavailable(tmp_path: Path) -> None:
    path = tmp_path / "x.sqlite3"
    database = Database(f"sqlite:///{path}")
    PublishedPolicy.metadata.create_all(database.engine)
    database.engine.dispose()

    @event.listens_for(database.engine, "connect")
    def _impatient(connection: Any, _record: Any) -> None:
        connection.execute("PRAGMA busy_timeout=200")  # as shipped it waits for ten seconds

    other = sqlite3.connect(path, isolation_level=None)
    other.execute("begin immediate")
    with pytest.raises(Unavailable) as caught:
        database.write(add("blocked"))
    assert caught.value.headers["Retry-After"]
    other.execute("rollback")
    database.write(add("free"))
    assert digests(database) == ["free"]
    other.close()
    database.close()


def test_a_writer_waits_for_its_turn_and_what_was_given_up_meanwhile_is_not_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that was frozen or killed with the turn holds nobody up for longer than it lives."""
    path = tmp_path / "x.sqlite3"
    program = """
import sys, time
from pathlib import Path
from service.store.turns import Turns
with Turns(Path(sys.argv[1])).turn():
    print("mine", flush=True)
    time.sleep(600)
"""
    database = Database(f"sqlite:///{path}")
    PublishedPolicy.metadata.create_all(database.engine)
    with subprocess.Popen([sys.executable, "-c", program, path], stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "mine\n"
        monkeypatch.setattr(database_module, "_LONGEST_WAIT", 0.3)
        with pytest.raises(Unavailable):
            database.write(add("given up"))
        monkeypatch.undo()
        other.kill()
    database.write(add("after"))
    assert digests(database) == ["after"]
    database.close()


def test_a_child_does_not_keep_the_turn_of_a_parent_that_was_killed(tmp_path: Path) -> None:
    program = """
import os, signal, sys, threading, time
from service.store import Database
database = Database(sys.argv[1])
in_turn = threading.Event()
threading.Thread(target=database.write, args=(lambda session: (in_turn.set(), time.sleep(600)),)).start()
in_turn.wait()
if (child := os.fork()) == 0:
    time.sleep(600)
print(child, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
    database = Database(f"sqlite:///{tmp_path / 'x.sqlite3'}")
    PublishedPolicy.metadata.create_all(database.engine)
    with subprocess.Popen([sys.executable, "-c", program, database.url], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        parent.wait(30)
        try:
            database.write(add("after"))
            os.kill(child, 0)  # it is still there
        finally:
            os.kill(child, signal.SIGKILL)
    assert digests(database) == ["after"]
    database.close()


def test_a_full_disk_is_unavailable_and_loses_nothing(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as disk:
        database = Database(f"sqlite:///{disk.path / 'x.sqlite3'}")
        PublishedPolicy.metadata.create_all(database.engine)
        database.write(add("before"))
        disk.fill()
        more = (f"filling-{number:04}" for number in range(2000))
        with pytest.raises(Unavailable) as caught:
            [database.write(add(digest)) for digest in more]
        assert str(disk.path) not in caught.value.detail
        kept = digests(database)
        assert "before" in kept
        disk.free()
        database.write(add("after"))
        assert digests(database) == sorted([*kept, "after"])
        database.close()


def test_a_read_only_database_is_unavailable_and_still_read(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as disk:
        database = Database(f"sqlite:///{disk.path / 'x.sqlite3'}")
        PublishedPolicy.metadata.create_all(database.engine)
        database.write(add("before"))
        keeper = sqlite3.connect(disk.path / "x.sqlite3")  # keeps the WAL in place over the close below
        keeper.execute("select 1 from published_policies").fetchall()
        database.close()
        keeper.close()
        disk.read_only(True)
        reopened = Database(f"sqlite:///{disk.path / 'x.sqlite3'}")
        with pytest.raises(Unavailable):
            reopened.write(add("no"))
        with pytest.raises(Unavailable):
            reopened.check()
        reopened.close()
        disk.read_only(False)


def test_a_server_that_is_gone_is_unavailable() -> None:
    database = Database("postgresql+psycopg://emblem@127.0.0.1:9/emblem?connect_timeout=2")
    with pytest.raises(Unavailable) as caught:
        database.write(add("x"))
    assert "127.0.0.1" not in caught.value.detail
    with pytest.raises(Unavailable):
        database.check()
    database.close()


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
def test_a_server_that_takes_no_writes_is_not_ready(database: Database) -> None:
    database.check()
    name = database.engine.url.database
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f'alter database "{name}" set default_transaction_read_only = on'))
    database.engine.dispose()
    with pytest.raises(Unavailable):
        database.check()
    with pytest.raises(Unavailable):
        database.write(add("no"))
    assert digests(database) == []


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
def test_a_locked_table_holds_nobody_up_for_ever(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PATIENCE, "options", "-c lock_timeout=300 -c statement_timeout=15000")
    impatient = Database(database.url)
    with database.engine.begin() as holder:
        holder.execute(text("lock table published_policies in access exclusive mode"))
        with pytest.raises(Unavailable) as caught:
            impatient.write(add("no"))
        with pytest.raises(Unavailable):
            digests(impatient)
    assert caught.value.headers["Retry-After"]
    impatient.write(add("yes"))
    assert digests(impatient) == ["yes"]
    impatient.close()


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
def test_a_pool_that_is_used_up_is_unavailable(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    small = Database(database.url)
    monkeypatch.setattr(small.engine.pool, "_timeout", 0.1)
    held = [small.engine.connect() for _ in range(30)]
    try:
        with pytest.raises(Unavailable):
            small.write(add("no"))
        with pytest.raises(Unavailable), small.read():
            pass
    finally:
        for connection in held:
            connection.close()
        small.close()


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
def test_connections_that_the_server_cut_are_replaced(database: Database) -> None:
    database.write(add("before"))

    def cut(session: Session) -> None:
        session.execute(
            text(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where datname = current_database() and pid <> pg_backend_pid()"
            )
        )

    with ThreadPoolExecutor(4) as pool:  # several connections in the pool
        list(pool.map(lambda n: database.write(add(f"{n}")), range(4)))
    database.write(cut)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: database.write(add(f"again {n}")), range(4)))
    assert len(digests(database)) == 9


def test_close_finishes_what_waits(tmp_path: Path) -> None:
    path = tmp_path / "x.sqlite3"
    database = Database(f"sqlite:///{path}")
    PublishedPolicy.metadata.create_all(database.engine)
    for number in range(50):
        database.write_soon(add(f"{number:02}"))
    database.close()
    again = Database(f"sqlite:///{path}")
    assert len(digests(again)) == 50
    again.close()


def test_instants_keep_their_microseconds_and_come_back_in_utc(database: Database) -> None:
    """An aware UTC datetime with microseconds on every backend."""
    elsewhere = AT.astimezone(timezone(timedelta(hours=5, minutes=45)))
    database.write(lambda session: session.add(PublishedPolicy(digest="x", at=elsewhere)))
    with database.read() as session:
        found = session.scalars(select(PublishedPolicy.at)).one()
    assert found == AT
    assert found.tzinfo is UTC


def test_a_naive_instant_is_refused(database: Database) -> None:
    with pytest.raises(Exception, match="naive datetime"):
        database.write(lambda session: session.add(PublishedPolicy(digest="x", at=AT.replace(tzinfo=None))))
    assert digests(database) == []
