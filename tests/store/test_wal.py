"""SQLite's commits are flushed apart from their transactions: before they are told of, and beside other writers."""

from __future__ import annotations

import errno
import os
import shutil
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from service.problems import Unavailable
from service.store import Database
from service.store.tables import PublishedPolicy

from .rows import add, digests


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "emblem.sqlite3"


@pytest.fixture
def sqlite(path: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{path}")
    PublishedPolicy.metadata.create_all(database.engine)
    yield database
    database.close()


def test_what_was_answered_is_in_what_was_flushed(
    sqlite: Database, path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a power cut there is what the disk had when a flush began: a copy of that moment holds every answer."""
    flush = os.fdatasync
    disk = tmp_path / "disk"

    def copied(descriptor: int) -> None:
        shutil.rmtree(disk, ignore_errors=True)
        disk.mkdir()
        for file in (path, path.with_name(f"{path.name}-wal")):
            shutil.copy(file, disk / file.name)
        flush(descriptor)

    monkeypatch.setattr(os, "fdatasync", copied)
    for number in range(5):
        sqlite.write(add(f"{number}"))
        after = Database(f"sqlite:///{disk / path.name}")
        assert digests(after) == [f"{before}" for before in range(number + 1)]
        after.close()


def test_others_write_while_the_disk_does(sqlite: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    other = Database(sqlite.url)
    flushing, written = threading.Event(), threading.Event()
    flush = os.fdatasync

    def slow(descriptor: int) -> None:
        if not flushing.is_set():  # the first
            flushing.set()
            assert written.wait(60)
        flush(descriptor)

    monkeypatch.setattr(os, "fdatasync", slow)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(sqlite.write, add("first"))
        assert flushing.wait(60)
        other.write(add("second"))
        assert not first.done()  # nobody hears of a commit that the disk does not have
        written.set()
        first.result(60)
    assert digests(sqlite) == ["first", "second"]
    other.close()


def test_after_a_flush_that_failed_nothing_is_answered_behind_a_gap(
    sqlite: Database, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The kernel forgets pages that it could not write: all goes into the database before the next answer."""
    sqlite.write(add("before"))
    log = path.with_name(f"{path.name}-wal")

    def broken(_descriptor: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fdatasync", broken)
        with pytest.raises(Unavailable):
            sqlite.write(add("lost"))
    whole = log.stat().st_size

    with sqlite.read() as session:  # whoever reads the log keeps SQLite from emptying it
        session.execute(text("select * from published_policies"))
        with pytest.raises(Unavailable):
            sqlite.write(add("refused"))
    sqlite.write(add("after"))
    assert log.stat().st_size < whole  # emptied, and begun anew
    assert "after" in digests(sqlite)
    assert "refused" not in digests(sqlite)


def test_a_log_that_was_put_in_the_others_place_is_flushed(
    sqlite: Database, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last connection that closes takes the log away, and the next one makes another."""
    sqlite.write(add("one"))
    sqlite.engine.dispose()
    flushed: list[int] = []
    monkeypatch.setattr(os, "fdatasync", lambda descriptor: flushed.append(os.fstat(descriptor).st_ino))
    sqlite.write(add("two"))
    assert flushed == [path.with_name(f"{path.name}-wal").stat().st_ino]


def test_only_the_writers_transactions_leave_the_flush_out(sqlite: Database) -> None:
    def asked(session: Session, name: str) -> Any:
        return session.scalar(text(f"pragma {name}"))

    assert sqlite.write(partial(asked, name="synchronous")) == 1
    with sqlite.engine.connect() as connection:
        settings = [connection.scalar(text(f"pragma {name}")) for name in ("synchronous", "journal_mode")]
    assert settings == [2, "wal"]
