"""The writer: what waits is committed together, each caller gets its own answer, and notes gather."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

from service.problems import NotFound, Unavailable
from service.store import Database
from service.store import database as database_module
from service.store import writer as writer_module
from service.store.answer import Answer
from service.store.database import Batch
from service.store.tables import PublishedPolicy
from tests.parts.processes import wait_until

from .rows import add, digests


def test_waiting_writes_share_a_commit_on_sqlite(tmp_path: Path) -> None:
    """A hundred waiting downloads share one fsync."""
    database = Database(f"sqlite:///{tmp_path / 'x.sqlite3'}")
    PublishedPolicy.metadata.create_all(database.engine)
    commits = []
    event.listen(database.engine, "commit", lambda _connection: commits.append(1))
    hold, begun = threading.Event(), threading.Event()

    def first(session: Session) -> None:
        begun.set()
        assert hold.wait(60)

    with ThreadPoolExecutor(101) as pool:
        futures = [pool.submit(database.write, first)]
        assert begun.wait(60)
        futures += [pool.submit(database.write, add(f"{number:03}")) for number in range(100)]
        writer = database._writer
        assert writer is not None
        wait_until(lambda: writer.queue.qsize() == 100, 60, "all wait")
        hold.set()
        for future in futures:
            future.result()
    assert len(digests(database)) == 100
    assert len(commits) <= 3
    database.close()


def hold_the_writer(database: Database) -> threading.Event:
    """Let the writer of this process work until the event is set."""
    begun, held = threading.Event(), threading.Event()

    def hold(_session: Session) -> None:
        begun.set()
        held.wait(30)

    database.put(None, hold, Answer())
    assert begun.wait(60)
    return held


def test_a_batch_is_one_call_and_each_caller_gets_its_own_answer(database: Database) -> None:
    calls: list[int] = []

    def work(session: Session, items: Any) -> list[Any]:
        calls.append(len(items))
        for item in items:
            if item % 5:
                add(f"{item:02}")(session)
        return [item * 10 if item % 5 else NotFound(f"{item}") for item in items]

    batch = database.batch(work)
    held = hold_the_writer(database)  # while it works, the others wait

    def ask(item: int) -> Any:
        try:
            return batch.write(item)
        except NotFound as error:
            return error.detail

    with ThreadPoolExecutor(20) as pool:
        asked = [pool.submit(ask, item) for item in range(20)]
        writer = database._writer
        assert writer is not None
        wait_until(lambda: writer.queue.qsize() == 20, 60, "all wait")
        held.set()
        answers = [one.result() for one in asked]
    assert answers == [item * 10 if item % 5 else f"{item}" for item in range(20)]
    assert calls == [20]
    assert digests(database) == [f"{item:02}" for item in range(20) if item % 5]


def test_a_batch_that_fails_fails_for_its_callers_alone(database: Database) -> None:
    def broken(_session: Session, _items: Any) -> list[Any]:
        raise ValueError("ours")

    batch = database.batch(broken)
    with pytest.raises(ValueError, match="ours"):
        batch.write(1)
    database.write(add("still written"))
    assert digests(database) == ["still written"]


def test_notes_that_nobody_waits_for_are_written_together(database: Database) -> None:
    calls: list[list[int]] = []

    def work(session: Session, items: Any) -> list[Any]:
        calls.append(list(items))
        for item in items:
            add(f"{item:02}")(session)
        return list(items)

    batch = database.batch(work)
    held = hold_the_writer(database)
    for item in range(20):
        batch.write_soon(item)
    held.set()
    wait_until(lambda: len(digests(database)) == 20, 60, "they are written")
    assert calls == [list(range(20))]
    batch.write_soon(20)  # and one that comes after them
    wait_until(lambda: len(digests(database)) == 21, 60, "it is written")


def test_notes_that_fail_take_nothing_with_them(database: Database) -> None:
    def broken(_session: Session, _items: Any) -> list[Any]:
        raise ValueError("ours")

    def fine(session: Session, items: Any) -> list[Any]:
        return [add(item)(session) for item in items]

    bad: Batch[str, None] = database.batch(broken)
    good: Batch[str, None] = database.batch(fine)
    bad.write_soon("lost")
    good.write_soon("kept")
    database.write(add("somebody waits"))
    wait_until(lambda: digests(database) == ["kept", "somebody waits"], 60, "the good one is written")


def test_a_write_that_is_not_begun_in_time_is_not_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database_module, "_LONGEST_WAIT", 0.2)
    database = Database(f"sqlite:///{tmp_path / 'x.sqlite3'}")
    PublishedPolicy.metadata.create_all(database.engine)
    held = hold_the_writer(database)
    with pytest.raises(Unavailable):
        database.write(add("too late"))
    held.set()
    monkeypatch.setattr(database_module, "_LONGEST_WAIT", 10)
    database.write(add("in time"))
    assert digests(database) == ["in time"]
    database.close()


def test_who_wrote_together_is_waited_for_and_who_writes_alone_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []
    monkeypatch.setattr("service.store.writer.sleep", slept.append)
    database = Database(f"sqlite:///{tmp_path / 'x.sqlite3'}")
    PublishedPolicy.metadata.create_all(database.engine)
    for number in range(3):
        database.write(add(f"alone {number}"))
    assert slept == []
    held = hold_the_writer(database)
    with ThreadPoolExecutor(3) as pool:
        asked = [pool.submit(database.write, add(f"together {number}")) for number in range(3)]
        writer = database._writer
        assert writer is not None
        wait_until(lambda: writer.queue.qsize() == 3, 60, "all wait")
        held.set()
        for one in asked:
            one.result()
    slept.clear()
    database.write(add("after them"))
    database.write(add("alone again"))
    assert len(slept) == 1
    assert 0 < slept[0] <= writer_module._LONGEST_GATHERING
    database.close()


def test_an_answer_is_left_to_whoever_is_first() -> None:
    begun, left = Answer(), Answer()
    assert begun.begin()
    assert not begun.give_up()
    assert left.give_up()
    assert not left.begin()
    with pytest.raises(TimeoutError):
        begun.wait(0.01)
    begun.give(TimeoutError("the work's own"))
    for _ in range(2):
        with pytest.raises(TimeoutError, match="own"):
            begun.wait(0.01)
