"""Sessions and durable writes. The guarantee: when ``Database.write`` returns, its changes survive a power cut.

SQLite (WAL, ``synchronous=FULL``) has one writer at a time, and a commit is one fsync. So each process
has one writer thread that takes whatever waits and commits it together: a hundred waiting downloads
share one fsync. Each write runs in a SAVEPOINT of its own: one that fails takes nothing else with it.
PostgreSQL does group commit itself; there each write is a transaction in the calling thread.
"""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import create_engine, event, text
from sqlalchemy.engine import Connection, Engine, make_url
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from ..problems import Unavailable

T = TypeVar("T")
_POOL_WAIT = 5  # seconds for a connection of the pool
#: How long PostgreSQL may take, so that one that is frozen, or a table that is locked, holds up nobody for long: to
#: connect (seconds), for a statement and a lock (milliseconds), and until unanswered bytes end a connection.
PATIENCE = {
    "connect_timeout": 5,
    "options": "-c statement_timeout=15000 -c lock_timeout=5000 -c idle_in_transaction_session_timeout=60000",
    "tcp_user_timeout": 10_000,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
}
_BATCH = 256  # writes a transaction: bounds how long the first of them waits


class Database:
    """The store of one deployment. Safe to share between threads; after a fork it starts afresh."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.is_sqlite = url.startswith("sqlite")
        if self.is_sqlite and (path := make_url(url).database):
            Path(path).parent.mkdir(parents=True, exist_ok=True)
        self.engine = _engine(url)
        self._writer: _Writer | None = None
        self._pool: ThreadPoolExecutor | None = None
        self._lock = threading.Lock()
        os.register_at_fork(after_in_child=self._after_fork)

    def _after_fork(self) -> None:
        self.engine.dispose(close=False)
        self._writer = None
        self._pool = None
        self._lock = threading.Lock()

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
            raise Unavailable(headers={"Retry-After": "5"}, private=str(error)) from error

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
            future: Future[Any] = Future()
            self._queue(work, future)
            result: T = future.result()
            return result
        except IntegrityError:
            raise
        except (DBAPIError, PoolTimeout) as error:
            raise Unavailable(headers={"Retry-After": "5"}, private=str(error)) from error

    def write_soon(self, work: Callable[[Session], Any]) -> None:
        """Hands ``work`` over and returns at once: it is written soon, or lost if the process dies first.

        For notes that may be missing, never for a record. What it raises is dropped.
        """
        if self.is_sqlite:
            self._queue(work, Future())
            return
        with self._lock:
            if self._pool is None:
                self._pool = ThreadPoolExecutor(1, thread_name_prefix="emblem-notes")
            self._pool.submit(self.write, work)

    def _queue(self, work: Callable[[Session], Any], future: Future[Any]) -> None:
        with self._lock:  # also round the put: what comes after close() would wait for a writer that has ended
            if self._writer is None:
                self._writer = _Writer(self.engine)
            self._writer.queue.put((work, future))

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
            raise Unavailable(headers={"Retry-After": "5"}, private=str(error)) from error

    def close(self) -> None:
        """Finishes the waiting writes and closes every connection."""
        with self._lock:
            if self._writer is not None:
                self._writer.stop()
                self._writer = None
            if self._pool is not None:
                self._pool.shutdown()
                self._pool = None
        self.engine.dispose()


class _Writer:
    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.queue: queue.SimpleQueue[tuple[Callable[[Session], Any], Future[Any]] | None] = queue.SimpleQueue()
        self.thread = threading.Thread(target=self._run, name="emblem-writer", daemon=True)
        self.thread.start()

    def stop(self) -> None:
        self.queue.put(None)
        self.thread.join()

    def _run(self) -> None:
        ending = False
        while not ending:
            batch = []
            item = self.queue.get()
            while True:
                if item is None:
                    ending = True
                    break
                batch.append(item)
                if len(batch) >= _BATCH:
                    break
                try:
                    item = self.queue.get_nowait()
                except queue.Empty:
                    break
            if batch:
                self._commit(batch)

    def _commit(self, batch: list[tuple[Callable[[Session], Any], Future[Any]]]) -> None:
        done: list[tuple[Future[Any], Any]] = []
        try:
            with self.engine.connect() as connection:
                connection.exec_driver_sql("begin immediate")
                for work, future in batch:
                    try:
                        done.append((future, self._one(connection, work)))
                    except OperationalError:
                        raise
                    except BaseException as error:  # the caller's own: theirs alone
                        future.set_exception(error)
                connection.commit()
        except BaseException as error:  # nothing of the batch was kept: everybody hears it
            for _, future in batch:
                if not future.done():
                    future.set_exception(error)
            return
        for future, result in done:
            future.set_result(result)

    def _one(self, connection: Connection, work: Callable[[Session], Any]) -> Any:
        """Runs one write in a savepoint of its own, on the connection: the ORM's own savepoints take a millisecond."""
        savepoint = connection.begin_nested()
        with Session(connection, expire_on_commit=False, join_transaction_mode="rollback_only") as session:
            try:
                result = work(session)
                session.flush()
            except BaseException:
                if savepoint.is_active:  # a flush that failed has rolled back already
                    savepoint.rollback()
                raise
        savepoint.commit()
        return result


def _engine(url: str) -> Engine:
    if not url.startswith("sqlite"):
        return create_engine(
            url, pool_size=10, max_overflow=20, pool_pre_ping=True, pool_timeout=_POOL_WAIT, connect_args=PATIENCE
        )
    engine = create_engine(url, connect_args={"timeout": 10, "check_same_thread": False})

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
