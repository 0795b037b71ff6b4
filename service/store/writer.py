"""The thread of a process that commits whatever waits together.

SQLite has one writer at a time, and a commit is one flush of the disk (``wal``): a hundred waiting downloads share it,
and the writer's place is free for other processes meanwhile. Each kind of write runs in a SAVEPOINT of its own, so
that one that fails takes nothing else with it. Notes that may be missing wait for each other a moment longer, in
transactions of their own: one for each of them would take as many turns as the records that somebody waits for.
"""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic, sleep
from typing import Any, Protocol

from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from ..problems import Unavailable
from .answer import Answer
from .turns import Turns
from .wal import WriteAheadLog

_MOST = 256  # writes a transaction: bounds how long the first of them waits
_LATER = 0.25  # seconds for which a note waits for others
_LONGEST_GATHERING = 0.005  # seconds for which a write waits for those who were there the last time


class Work(Protocol):
    """Writes of one kind that are done by one call."""

    @property
    def work(self) -> Any:
        """What is called with a session and the items; it gives the answer for each of them."""


_Waiting = tuple[Work | None, Any, Answer]


class WriterThread:
    """Takes what waits, commits it, and then gives each caller its answer."""

    def __init__(self, engine: Engine, turns: Turns, log: WriteAheadLog | None) -> None:
        """Start it. ``log`` is SQLite's, where it has a file."""
        self._engine = engine
        self.turns = turns
        self.log = log
        #: What somebody waits for; None ends the thread, an empty tuple wakes it for a note.
        self.queue: queue.SimpleQueue[_Waiting | tuple[()] | None] = queue.SimpleQueue()
        self._notes: deque[_Waiting] = deque()
        self._due: float | None = None  # the moment at which the oldest note is to be written
        self._together = 1  # writes of the last transaction
        self._took = 0.0  # seconds that it took
        self._thread = threading.Thread(target=self._run, name="emblem-writer", daemon=True)
        self._thread.start()

    def put(self, work: Work | None, item: Any, answer: Answer) -> None:
        """Hand a write over: an item of ``work``, or a function of a session where that is None."""
        self.queue.put((work, item, answer))

    def put_note(self, work: Work, item: Any) -> None:
        """Hand over what nobody waits for, to be written within a moment."""
        self._notes.append((work, item, Answer()))
        if len(self._notes) in (1, _MOST):
            self.queue.put(())

    def stop(self) -> None:
        """Finish what waits, and end."""
        self.queue.put(None)
        self._thread.join()
        self.leave()

    def leave(self) -> None:
        """Close the files, such as in a child that was forked: they are its parent's."""
        self.turns.close()
        if self.log is not None:
            self.log.close()

    def _run(self) -> None:
        ending = False
        while not ending:
            if self._due is None and self._notes:
                self._due = monotonic() + _LATER
            first = self._next()
            if first is None:
                break
            if first:
                ending = self._write_waiting(first)
            if len(self._notes) >= _MOST or (self._due is not None and monotonic() >= self._due):
                self._write_notes()
        while self._notes:
            self._write_notes()

    def _next(self) -> _Waiting | tuple[()] | None:
        """The next that somebody waits for; an empty tuple where it is the notes' turn."""
        try:
            return self.queue.get(timeout=None if self._due is None else max(0.0, self._due - monotonic()))
        except queue.Empty:
            return ()

    def _write_waiting(self, first: _Waiting) -> bool:
        """Write it with what else waits; tell whether the thread is to end."""
        ending = False
        self._gather()
        with self.turns.turn():  # before taking more: what comes meanwhile is part of the batch, or given up
            began = monotonic()
            waiting = [first]
            while len(waiting) < _MOST:
                try:
                    item = self.queue.get_nowait()
                except queue.Empty:
                    break
                if item is None:
                    ending = True
                    break
                if item:
                    waiting.append(item)
            done = self._commit([one for one in waiting if one[2].begin()])
        # After the turn: others write while the disk does, and whoever hears of it may stand still at once, and the
        # process with it.
        for answer, given in self._flushed(done):
            answer.give(given)
        self._together, self._took = len(waiting), monotonic() - began
        return ending

    def _flushed(self, done: list[tuple[Answer, Any]]) -> list[tuple[Answer, Any]]:
        """The results once they are durable; where they are not, whoever was not refused gets Unavailable."""
        if self.log is None or all(isinstance(given, BaseException) for _, given in done):
            return done
        try:
            self.log.flush()
        except OSError as error:
            lost = _not_written(error)
            return [(answer, given if isinstance(given, BaseException) else lost) for answer, given in done]
        return done

    def _gather(self) -> None:
        """Wait a little for those who wrote together the last time: they come again one after the other.

        A transaction for the first of them would take as long as one for all. Who writes alone waits for nobody.
        """
        if self.queue.qsize() + 1 < self._together:
            sleep(min(self._took, _LONGEST_GATHERING))

    def _write_notes(self) -> None:
        """Write the oldest notes, to be flushed with what comes next; those that cannot be written are dropped."""
        self._due = None
        notes = [self._notes.popleft() for _ in range(min(len(self._notes), _MOST))]
        with self.turns.turn():
            self._commit(notes)

    def _commit(self, waiting: list[_Waiting]) -> list[tuple[Answer, Any]]:
        """Do what waits in one transaction; for each its result, or the exception that its caller gets."""
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
    ) -> list[tuple[Answer, Any]]:
        """The results of each group; those that failed by themselves are put into ``refused``."""
        if len(groups) == 1:
            # Alone it needs no savepoint: what it raises ends the transaction, which is its own.
            return list(zip(groups[0].answers, _run(connection, groups[0]), strict=True))
        done: list[tuple[Answer, Any]] = []
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


def _grouped(waiting: Sequence[_Waiting]) -> list[_WaitingWrites]:
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
