"""Sealing on a real PostgreSQL: commits that come late, and sealers of many processes."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from functools import partial

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from service import ledger
from service.ledger.sealer import CHUNK
from service.problems import Unavailable
from service.store import Database
from service.store.leadership import leadership
from tests.parts.postgres import Postgres
from tests.parts.processes import free_port

from .conftest import NOON, Log, revoked
from .test_sealing import check, entries_of


@pytest.fixture
def on_postgres(postgres: Postgres, make_log: Callable[..., Log]) -> Log:
    """A log in a database of its own."""
    return make_log(url=postgres.new_database())


def links(log: Log) -> list[object]:
    return [entry["id"] for entry in entries_of(log) if entry["kind"] == "link.revoked"]


def test_a_commit_that_comes_late_lands_behind_what_is_sealed(on_postgres: Log) -> None:
    """The sealer takes rows in an order that no late commit can break."""
    log = on_postgres
    log.sealer.seal()
    slow = Session(log.database.engine)
    slow.begin()
    ledger.append(slow, revoked("began first, ends last"), NOON)
    slow.flush()
    log.append(3)
    waiting = log.sealer.seal()
    assert waiting.outcome == "nothing"  # what came after the slow one waits for it: its place is not known yet
    slow.commit()
    slow.close()
    assert log.sealer.seal().added == 4
    assert links(log) == ["began first, ends last", "lnk_0", "lnk_1", "lnk_2"]
    check(log, 5)


def test_a_transaction_that_is_rolled_back_holds_nothing_up(on_postgres: Log) -> None:
    log = on_postgres
    log.sealer.seal()
    gone = Session(log.database.engine)
    gone.begin()
    ledger.append(gone, revoked("gone"), NOON)
    gone.flush()
    log.append(2)
    gone.rollback()
    gone.close()
    assert log.sealer.seal().added == 2
    check(log, 3)


def test_many_writers_and_sealers_at_once(on_postgres: Log) -> None:
    log = on_postgres
    failures: list[BaseException] = []

    def append(session: Session, link: str) -> str:
        return ledger.append(session, revoked(link), NOON)

    def write(number: int) -> None:
        try:
            for step in range(25):
                log.database.write(partial(append, link=f"{number}-{step}"))
        except BaseException as error:
            failures.append(error)

    def seal() -> None:
        try:
            for _ in range(15):
                sealer.seal()
        except BaseException as error:
            failures.append(error)

    sealer = log.sealer
    others = [log.new_sealer() for _ in range(2)]
    threads = [threading.Thread(target=write, args=(number,)) for number in range(6)]
    threads += [threading.Thread(target=lambda one=one: [one.seal() for _ in range(15)]) for one in others]
    threads.append(threading.Thread(target=seal))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    log.new_sealer().seal(wait=5)
    assert sorted(map(str, links(log))) == sorted(f"{number}-{step}" for number in range(6) for step in range(25))
    check(log, 151)


def test_a_second_sealer_is_told_to_wait_and_the_lock_ends_with_its_connection(on_postgres: Log) -> None:
    log = on_postgres
    with leadership(log.database, log.folder) as held:
        assert held is not None
        assert log.new_sealer().seal().outcome == "busy"
        with leadership(log.database, log.folder, name="other") as other:
            assert other is not None
        with log.database.engine.connect() as connection:
            killed = connection.execute(
                text("select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory'")
            ).all()
            assert killed
        assert not held()
    assert log.new_sealer().seal(wait=5).outcome == "sealed"
    check(log, 1)


def test_two_sealers_without_a_lock_do_no_harm(on_postgres: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    from contextlib import nullcontext

    log = on_postgres
    monkeypatch.setattr("service.ledger.sealer.leadership", lambda *_args: nullcontext(lambda: True))
    log.append(10)
    other = log.new_sealer()
    done = False

    def hook(name: str) -> None:
        nonlocal done
        if name == "staged" and not done:
            done = True
            log.append(4)
            other.seal()

    log.sealer.step = hook
    with pytest.raises(Unavailable):
        log.sealer.seal()
    log.sealer.step = lambda _name: None
    log.sealer.seal()
    check(log, 15)


def test_rows_of_a_restored_dump_are_sealed(on_postgres: Log) -> None:
    """Transaction ids of another cluster mean nothing here; their rows are committed all the same."""
    log = on_postgres
    log.append(3)
    log.database.write(lambda session: session.execute(text("update ledger_entries set xid = xid + 1000000000")))
    assert log.sealer.seal().added == 4
    check(log, 4)


def test_rows_that_have_their_indexes_get_no_others(on_postgres: Log) -> None:
    """The last guard, were two sealers at work at once."""
    log = on_postgres
    log.append(3)
    rows = log.sealer.rows
    seqs = [seq for seq, _ in rows.unsealed(10)]
    log.database.write(lambda session: rows.assign(session, seqs[:1], 0))
    with pytest.raises(Unavailable):
        log.database.write(lambda session: rows.assign(session, seqs, 1))
    assert [leaf for leaf, _ in rows.staged(0, 10)] == [0]
    assert [seq for seq, _ in rows.unsealed(10)] == seqs[1:]


def test_bulk_entries_and_more_than_a_chunk(on_postgres: Log) -> None:
    log = on_postgres
    count = CHUNK + 100
    log.database.write(lambda session: ledger.append_many(session, (revoked(f"{n}") for n in range(count)), NOON))
    assert log.sealer.seal().added == count + 1
    assert links(log) == [f"{n}" for n in range(count)]
    check(log, count + 1)
    assert json.loads(log.sealer.rows.staged(1, 1)[0][1])["v"] == 1


def test_a_server_that_does_not_answer_is_said_as_such(on_postgres: Log) -> None:
    """Nothing is lost: the caller tries again."""
    log = on_postgres
    log.append(3)
    away = Database(f"postgresql+psycopg://emblem@127.0.0.1:{free_port()}/emblem")
    sealer = log.new_sealer()
    sealer.database = away
    with pytest.raises(Unavailable):
        sealer.seal()
    away.close()
    sealer.database = log.database
    assert sealer.seal().added == 4
