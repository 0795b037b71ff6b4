"""A log of its own for each test: database, storage, keys, and a clock that stands still."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from service import ledger
from service.storage.directory import DirectoryStorage
from service.store import Base, Database

ORIGIN = "emblem.example.org/log"
NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)


def revoked(link: str) -> ledger.LinkRevoked:
    """An entry that says that a link was ended."""
    return ledger.LinkRevoked(id=link, participant="par_one", by="staff")


class Log:
    """One log and what writes to it."""

    def __init__(self, folder: Path, url: str | None = None, key: str | None = None) -> None:
        self.folder = folder
        self.key = key or ledger.new_log_key()
        self.database = Database(url or f"sqlite:///{folder / 'emblem.sqlite3'}")
        Base.metadata.create_all(self.database.engine)
        self.storage = DirectoryStorage(folder / "storage")
        self.sealer = self.new_sealer()

    def new_sealer(self, key: str | None = None, origin: str = ORIGIN) -> ledger.Sealer:
        """A sealer that knows nothing but what is durable."""
        return ledger.Sealer(
            self.database,
            self.storage,
            ledger.key_source(key or self.key, origin),
            origin,
            lambda: NOON,
            self.folder,
        )

    def append(self, count: int) -> None:
        """So many entries, in one transaction."""

        def work(session: Session) -> None:
            for number in range(count):
                ledger.append(session, revoked(f"lnk_{number}"), NOON)

        self.database.write(work)

    def tree(self) -> Path:
        """The folder with checkpoint and tiles."""
        return self.folder / "storage" / "log"


@pytest.fixture
def make_log(tmp_path: Path) -> Iterator[Callable[..., Log]]:
    """Makes logs and closes them."""
    made: list[Log] = []

    def make(name: str = "log", **options: str) -> Log:
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        made.append(Log(folder, **options))
        return made[-1]

    yield make
    for item in made:
        item.database.close()


@pytest.fixture
def log(make_log: Callable[..., Log]) -> Log:
    """An empty log on SQLite and a directory."""
    return make_log()
