"""A log of its own for each test: database, storage, keys, and a clock that stands still."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from service import ledger
from service.storage.directory import DirectoryStorage
from service.store import Base, Database
from service.verification.log_reader import FolderSource
from service.verification.signed_note import parse_vkey
from service.verification.verifier import verify_log

ORIGIN = "emblem.example.org/log"
NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)


_keys = itertools.count()  # no two entries are the same, in whichever log they are


def revoked(link: str) -> ledger.LinkRevokedEntry:
    """An entry that says that a link was ended."""
    return ledger.LinkRevokedEntry(id=link, participant="par_one", by=f"staff:key_{next(_keys)}")


class Log:
    """One log and what writes to it. ``damaged`` says that a test has harmed it on purpose."""

    damaged = False

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


def check(folder: Path, vkeys: list[str], size: int | None = None, since: bytes | None = None) -> None:
    """The whole log below a folder, by the verifier that shares no code with the sealer."""
    verdict = verify_log(FolderSource(folder), [parse_vkey(vkey) for vkey in vkeys], since)
    assert verdict.ok, verdict.findings
    assert verdict.entries_read
    if size is not None:
        assert verdict.size == size


@pytest.fixture
def make_log(tmp_path: Path) -> Iterator[Callable[..., Log]]:
    """Makes logs; when the test is over, each is read as a whole by the independent verifier, and closed."""
    made: list[Log] = []

    def make(name: str = "log", **options: str) -> Log:
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        made.append(Log(folder, **options))
        return made[-1]

    yield make
    try:
        for item in made:
            if not item.damaged and (item.tree() / "checkpoint").exists():
                check(item.tree(), item.new_sealer().vkeys())
    finally:
        for item in made:
            item.database.close()


@pytest.fixture
def log(make_log: Callable[..., Log]) -> Log:
    """An empty log on SQLite and a directory."""
    return make_log()
