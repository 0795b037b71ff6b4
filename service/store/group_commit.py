"""Writes that are committed together, in one transaction.

Each kind of write runs in a SAVEPOINT of its own, so that one that fails takes nothing else with it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from ..problems import Unavailable
from .answer import Answer
from .turns import Turns
from .wal import WriteAheadLog


class Work(Protocol):
    """Writes of one kind that are done by one call."""

    @property
    def work(self) -> Any:
        """What is called with a session and the items; it gives the answer for each of them."""


#: Work and an item of it, or None and a function of a session; and where its result goes.
Waiting = tuple[Work | None, Any, Answer]
Done = list[tuple[Answer, Any]]


class GroupCommit:
    """Commits what waits together, in turns with other processes. For one thread."""

    def __init__(self, engine: Engine, turns: Turns, log: WriteAheadLog | None) -> None:
        """Use the turns of a database's writers. ``log`` is SQLite's, where it has a file."""
        self._engine = engine
        self.turns = turns
        self.log = log

    def leave(self) -> None:
        """Close the files, such as in a child that was forked: they are its parent's."""
        self.turns.close()
        if self.log is not None:
            self.log.close()

    def flushed(self, done: Done) -> Done:
        """The results of ``together`` once they are durable; where they are not, who was not refused gets Unavailable.

        Call it after the turn: others write while the disk does.
        """
        if self.log is None or all(isinstance(given, BaseException) for _, given in done):
            return done
        try:
            self.log.flush()
        except OSError as error:
            lost = _not_written(error)
            return [(answer, given if isinstance(given, BaseException) else lost) for answer, given in done]
        return done

    def together(self, waiting: list[Waiting]) -> Done:
        """Do what waits in one transaction; for each its result, or the exception that its caller gets.

        Call it in one's turn.
        """
        refused: dict[Answer, BaseException] = {}
        try:
            with self._transaction() as connection:
                done = self._run_all(connection, _grouped(waiting), refused)
        except BaseException as error:  # nothing of the transaction was kept: everybody else hears it
            if isinstance(error, OSError):
                error = _not_written(error)
            return [(answer, refused.get(answer, error)) for _, _, answer in waiting]
        return [*done, *refused.items()]

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        """A transaction that is committed at the end; on SQLite without a flush, and as the only writer."""
        if self.log is None:
            with self._engine.begin() as connection:
                if connection.dialect.name == "sqlite":  # in memory
                    connection.exec_driver_sql("begin immediate")
                yield connection
            return
        with self._engine.connect() as connection, self.log.unflushed(connection):
            self.log.recover(connection)
            with connection.begin():
                connection.exec_driver_sql("begin immediate")
                yield connection

    def _run_all(
        self, connection: Connection, groups: list[_WaitingWrites], refused: dict[Answer, BaseException]
    ) -> Done:
        """The results of each group; those that failed by themselves are put into ``refused``."""
        if len(groups) == 1:
            # Alone it needs no savepoint: what it raises ends the transaction, which is its own.
            return list(zip(groups[0].answers, _run(connection, groups[0]), strict=True))
        done: Done = []
        for group in groups:
            try:
                done += zip(group.answers, self._one(connection, group), strict=True)
            except OperationalError:
                raise
            except BaseException as error:  # the callers' own: theirs alone
                refused |= dict.fromkeys(group.answers, error)
        return done

    def _one(self, connection: Connection, group: _WaitingWrites) -> Sequence[Any]:
        """Run one group in a savepoint of its own, on the connection: the ORM's own savepoints take a millisecond."""
        savepoint = connection.begin_nested()
        try:
            answers = _run(connection, group)
        except BaseException:
            if savepoint.is_active:  # a flush that failed has rolled back already
                savepoint.rollback()
            raise
        savepoint.commit()
        return answers


def _not_written(error: OSError) -> Unavailable:
    return Unavailable(headers={"Retry-After": "5"}, private=f"the disk does not write: {error.strerror or error}")


@dataclass(slots=True)
class _WaitingWrites:
    """Waiting writes that are one call: the items of one kind, or one function of a session."""

    work: Work | None
    items: list[Any]
    answers: list[Answer]


def _run(connection: Connection, group: _WaitingWrites) -> Sequence[Any]:
    with Session(connection, expire_on_commit=False, join_transaction_mode="rollback_only") as session:
        answers: Sequence[Any] = (
            [group.items[0](session)] if group.work is None else group.work.work(session, group.items)
        )
        session.flush()
    return answers


def _grouped(waiting: Sequence[Waiting]) -> list[_WaitingWrites]:
    """The items of each kind together, at the place of its first; every other write on its own."""
    groups: list[_WaitingWrites] = []
    of_work: dict[int, _WaitingWrites] = {}
    for work, item, answer in waiting:
        found = of_work.get(id(work)) if work is not None else None
        if found is not None:
            found.items.append(item)
            found.answers.append(answer)
            continue
        groups.append(_WaitingWrites(work, [item], [answer]))
        if work is not None:
            of_work[id(work)] = groups[-1]
    return groups
