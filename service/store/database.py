"""Sessions and durable writes. The guarantee: when ``Database.write`` returns, its changes survive a power cut.

On SQLite each process has one thread that writes (``writer``), and processes take turns (``turns``).
PostgreSQL does group commit itself; there each write is a transaction in the calling thread, but for batches.
"""

from __future__ import annotations

import os
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Generic, TypeVar

from sqlalchemy import create_engine, event, text
from sqlalchemy.engine import Engine, make_url
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session
from sqlalchemy.pool import QueuePool

from .. import private_files
from ..problems import ConfigurationError, Unavailable
from .answer import Answer
from .group_commit import GroupCommit
from .turns import Turns
from .wal import WriteAheadLog
from .writer import WriterThread

T = TypeVar("T")
Item = TypeVar("Item")
Result = TypeVar("Result")
_LONGEST_WAIT = 12.0  # seconds until a write that was not begun is given up
DAMAGED = "The database is damaged: put a backup back with `emblem restore DIR --replace`."
_POOL_WAIT = 5  # seconds for a connection of the pool
#: How long PostgreSQL may take, so that one that is frozen, or a table that is locked, holds up nobody for long: to
#: connect (seconds), for a statement and a lock (milliseconds), and until unanswered bytes end a connection.
CONNECT = 5
PATIENCE = {
    "connect_timeout": CONNECT,
    "options": "-c statement_timeout=15000 -c lock_timeout=5000 -c idle_in_transaction_session_timeout=60000",
    "tcp_user_timeout": 10_000,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
}
_FORK_WAIT = 5.0  # seconds for which a fork waits for other threads


class Batch(Generic[Item, Result]):
    """Writes of one kind that are done together: whatever waits at one moment is one call in one transaction.

    The work is called with a session and the items in the order of their arrival, and gives for each its
    result, or the exception that its caller gets. It must not have effects outside the session.
    """

    def __init__(self, database: Database, work: Callable[[Session, Sequence[Item]], Sequence[Result | Exception]]):
        self.work = work
        self._database = database

    def write(self, item: Item) -> Result:
        """Return the result for an item once it is durable, or raise what the work gives for it.

        Raises ``Unavailable`` where the database cannot take the write.
        """
        answer = Answer()
        self._database.put(self, item, answer)
        result: Result = _wait(answer)
        return result

    def write_all(self, items: Sequence[Item]) -> list[Result | Exception]:
        """Return for each item its result once all are durable, or the exception that its caller is to get.

        They are written in the calling thread: for a process whose one thread writes all that it does.
        """
        return self._database.write_all(self, items)

    def write_soon(self, item: Item) -> None:
        """Hand an item over and return at once: it is written soon, or lost if the process dies first.

        For notes that may be missing, never for a record. What the work gives for it is dropped.
        """
        self._database.put_note(self, item)


class Database:
    """The store of one deployment. Safe to share between threads; after a fork it starts afresh."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.is_sqlite = url.startswith("sqlite")
        if path := _sqlite_file(url):
            _make_private(path)
        self.engine = _engine(url)
        self._writer: WriterThread | None = None
        self._own: GroupCommit | None = None  # of the thread that calls ``write_all``
        self._pool: ThreadPoolExecutor | None = None
        self._lock = threading.Lock()
        _opened.add(self)

    def after_fork(self) -> None:
        """Start afresh in a child: its parent's connections, thread and place in the queue are not its own."""
        self.engine.dispose(close=False)
        if self._writer is not None:
            self._writer.commit.leave()
        if self._own is not None:
            self._own.leave()
        self._writer = self._own = None
        self._pool = None
        self._lock = threading.Lock()

    def in_sqlite(self) -> bool:
        """Tell whether a thread has a connection of an SQLite file, and may be inside the library."""
        return isinstance(self.engine.pool, QueuePool) and self.is_sqlite and self.engine.pool.checkedout() > 0

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session for reading; one consistent snapshot. Problems of the engine become 503 ``unavailable``."""
        try:
            with Session(self.engine) as session:
                if self.is_sqlite:
                    session.execute(text("begin"))
                else:
                    session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
                yield session
        except (DBAPIError, PoolTimeout) as error:
            raise Unavailable(headers={"Retry-After": "5"}, private=describe(error)) from error

    def write(self, work: Callable[[Session], T]) -> T:
        """Runs ``work(session)`` in a transaction and returns its result once that is durable.

        What ``work`` raises is raised here, and nothing of it is kept; so is IntegrityError, where another
        writer was first. ``work`` must not have effects outside the session. Raises ``Unavailable`` where
        the database cannot take the write.
        """
        try:
            if not self.is_sqlite:
                with Session(self.engine, expire_on_commit=False) as session, session.begin():
                    return work(session)
            answer = Answer()
            self.put(None, work, answer)
            result: T = _wait(answer)
            return result
        except IntegrityError:
            raise
        except (DBAPIError, PoolTimeout) as error:
            raise Unavailable(headers={"Retry-After": "5"}, private=describe(error)) from error

    def batch(self, work: Callable[[Session, Sequence[Item]], Sequence[Result | Exception]]) -> Batch[Item, Result]:
        """A batch of writes of one kind; see ``Batch``."""
        return Batch(self, work)

    def write_soon(self, work: Callable[[Session], Any]) -> None:
        """Hands ``work`` over and returns at once: it is written soon, or lost if the process dies first.

        For notes that may be missing, never for a record. What it raises is dropped.
        """
        if self.is_sqlite:
            self.put(None, work, Answer())
            return
        with self._lock:
            if self._pool is None:
                self._pool = ThreadPoolExecutor(1, thread_name_prefix="emblem-notes")
            self._pool.submit(self.write, work)

    def put(self, batch: Batch[Any, Any] | None, item: Any, answer: Answer) -> None:
        """Hand a write to the writer of this process: an item of a batch, or work of its own where that is None."""
        with self._lock:  # also round the put: what comes after close() would wait for a writer that has ended
            self._writer_of_process().put(batch, item, answer)

    def put_note(self, batch: Batch[Any, Any], item: Any) -> None:
        """Like ``put``, where nobody waits for it: it gathers with others for a moment."""
        with self._lock:
            self._writer_of_process().put_note(batch, item)

    def _writer_of_process(self) -> WriterThread:
        """The thread that writes for this process, started with its first write; the caller holds the lock."""
        if self._writer is None:
            self._writer = WriterThread(self._group_commit())
        return self._writer

    def _group_commit(self) -> GroupCommit:
        path = _sqlite_file(self.url)
        return GroupCommit(self.engine, Turns(path), WriteAheadLog(path) if path else None)

    def write_all(self, batch: Batch[Item, Result], items: Sequence[Item]) -> list[Result | Exception]:
        """See ``Batch.write_all``."""
        if self._own is None:
            self._own = self._group_commit()
        answers = [Answer() for _ in items]
        with self._own.turns.turn():
            done = self._own.together([(batch, item, answer) for item, answer in zip(items, answers, strict=True)])
        given = dict(self._own.flushed(done))
        return [_as_problem(given[answer]) for answer in answers]

    def scrub(self) -> None:
        """After an erasure: takes what was deleted out of SQLite's write-ahead log, waiting at most a second.

        Where a reader is in its way for longer, the log is overwritten by later writes instead.
        """
        if not self.is_sqlite:
            return
        with suppress(DBAPIError), self.engine.connect() as connection:
            connection.execute(text("PRAGMA busy_timeout=1000"))
            try:
                connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
            finally:
                connection.execute(text("PRAGMA busy_timeout=10000"))

    def check(self) -> None:
        """Raise ``Unavailable`` where the database does not answer, or takes no writes."""
        try:
            with self.engine.connect() as connection:
                if self.is_sqlite:
                    # Taking the writer's place needs a file that can be written, and nobody who holds it for long.
                    connection.exec_driver_sql("begin immediate")
                    connection.exec_driver_sql("rollback")
                elif connection.exec_driver_sql("show transaction_read_only").scalar() == "on":
                    raise Unavailable(headers={"Retry-After": "5"}, private="the server is read-only")
        except (DBAPIError, PoolTimeout) as error:
            raise Unavailable(headers={"Retry-After": "5"}, private=describe(error)) from error

    def check_pages(self, seconds: float | None = None) -> None:
        """Raise ``Unavailable`` where the pages of an SQLite database do not fit together, such as after a bad copy.

        Reads all of it, or as much as it comes to in so many seconds. PostgreSQL looks after its own.
        """
        if not self.is_sqlite:
            return
        until = None if seconds is None else time.monotonic() + seconds
        try:
            with self.engine.connect() as connection:
                driver = connection.connection.driver_connection
                assert driver is not None
                if until is not None:
                    driver.set_progress_handler(lambda: time.monotonic() > until, 10_000)
                try:
                    found = connection.exec_driver_sql("pragma quick_check(1)").scalar()
                finally:
                    driver.set_progress_handler(None, 0)
        except OperationalError as error:
            if "interrupted" in str(error):
                return  # as far as it came, nothing is wrong
            raise Unavailable(headers={"Retry-After": "5"}, private=describe(error)) from error
        except DBAPIError as error:
            raise Unavailable(DAMAGED, private=describe(error)) from error
        if found != "ok":
            raise Unavailable(DAMAGED, private=str(found))

    def check_after_crash(self, seconds: float) -> None:
        """Like ``check_pages``, where SQLite was not closed, or another database's log lies beside it."""
        if path := _sqlite_file(self.url):
            left = path.with_name(f"{path.name}-wal")
            if left.exists() and left.stat().st_size:
                self.check_pages(seconds)

    def close(self) -> None:
        """Finishes the waiting writes and closes every connection."""
        with self._lock:
            if self._writer is not None:
                self._writer.stop()
                self._writer = None
            if self._own is not None:
                self._own.leave()
                self._own = None
            if self._pool is not None:
                self._pool.shutdown()
                self._pool = None
        self.engine.dispose()


#: The databases of this process that are still in use somewhere.
_opened: weakref.WeakSet[Database] = weakref.WeakSet()


def _before_fork() -> None:
    """Wait until no thread is inside SQLite, at most ``_FORK_WAIT`` seconds.

    The library's locks are copied as they are: a child that inherits one that is taken, such as the one round its
    memory, waits for ever for a thread that it does not have.
    """
    until = time.monotonic() + _FORK_WAIT
    while any(database.in_sqlite() for database in list(_opened)) and time.monotonic() < until:
        time.sleep(0.001)


def _after_fork() -> None:
    for database in list(_opened):
        database.after_fork()


os.register_at_fork(before=_before_fork, after_in_child=_after_fork)


def _wait(answer: Answer) -> Any:
    """The result of a write; Unavailable where the writer does not come to it in time, and then it is not done."""
    try:
        return answer.wait(_LONGEST_WAIT)
    except TimeoutError:
        if answer.give_up():
            raise Unavailable(headers={"Retry-After": "5"}, private="the writer is busy for too long") from None
        return answer.wait()  # it has begun: what it says is the truth
    except (DBAPIError, PoolTimeout) as error:
        raise _as_problem(error) from error


def _as_problem(given: Any) -> Any:
    """What a write gave; Unavailable for what the database cannot do at this moment."""
    if isinstance(given, (DBAPIError, PoolTimeout)) and not isinstance(given, IntegrityError):
        return Unavailable(headers={"Retry-After": "5"}, private=describe(given))
    return given


def _sqlite_file(url: str) -> Path | None:
    """Return the file of an SQLite database; None in memory, and on other backends."""
    path = make_url(url).database if url.startswith("sqlite") else None
    return Path(path) if path and not path.startswith((":", "file:")) else None


def _make_private(path: Path) -> None:
    """Make SQLite's file, and the folders above it, for nobody else to read: its other files take the file's mode."""
    try:
        private_files.make_folder(path.parent)
        if not path.exists():
            private_files.make_file(path)
    except OSError as error:
        raise ConfigurationError(
            [f"EMBLEM_DATABASE_URL: {path} cannot be written ({error.strerror}): correct the path or its permissions."]
        ) from error


def describe(error: Exception) -> str:
    """Say what a database said, without any value of a row: those stand in parameters and in PostgreSQL's details."""
    original = getattr(error, "orig", None) or error
    said = f"{type(error).__name__} of {type(original).__name__}" if original is not error else type(error).__name__
    if code := getattr(original, "sqlstate", None):
        return f"{said}, SQLSTATE {code}"
    if isinstance(error, OperationalError):  # about the connection or the file: there are no values in it
        return f"{said}: {(str(original).splitlines() or [''])[0]}"
    return said


def _engine(url: str) -> Engine:
    if not url.startswith("sqlite"):
        return create_engine(
            url,
            pool_size=10,
            max_overflow=20,
            pool_pre_ping=True,
            pool_timeout=_POOL_WAIT,
            connect_args=PATIENCE,
            hide_parameters=True,
        )
    engine = create_engine(url, connect_args={"timeout": 10, "check_same_thread": False}, hide_parameters=True)

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # transactions are begun by us: the driver's own begin too late
        cursor = connection.cursor()
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            "busy_timeout=10000",
            "secure_delete=ON",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    return engine
