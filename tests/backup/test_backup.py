"""What a backup refuses and notices: damage, interruption, a database in use, a log that is longer."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, nullcontext
from pathlib import Path

import pytest
from sqlalchemy import text

from service import ledger
from service.backup import BackupError, DamagedBackupError, databases, make, put_back, require_finished
from service.ledger import notes, tiles
from service.ledger.copies import read_tile, tile_names
from service.ledger.recovery import recover
from service.problems import ConfigurationError, LogDamaged, Unavailable
from service.storage.directory import DirectoryStorage
from service.store import Database, migrate
from service.verification.log_reader import FolderSource
from service.verification.signed_note import parse_vkey
from service.verification.verifier import verify_log
from tests.ledger.conftest import NOON, Log
from tests.parts.postgres import Postgres

New = Callable[[str], Log]


def quiet(_done: int, _total: int) -> None:
    """No progress is shown."""


def save(log: Log, folder: Path) -> None:
    make(log.sealer, lambda: NOON, folder, quiet)


def restore(log: Log, folder: Path, *, replace: bool = False, given: Path | None = None) -> int:
    with put_back(log.sealer, folder, lambda _: quiet, replace=replace, log=given):
        return recover(log.new_sealer()).size


class Place(Log):
    """A log whose database is empty: its tables come by migration, or from a backup."""

    def __init__(self, folder: Path, url: str, key: str) -> None:
        self.folder, self.key = folder, key
        self.database, self.storage = Database(url), DirectoryStorage(folder / "storage")
        self.sealer = self.new_sealer()


@pytest.fixture(params=["sqlite", "postgres"])
def new(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[New]:
    """Makes empty places by name, all with one key."""
    made: list[Log] = []
    key = ledger.new_log_key()

    def build(name: str) -> Log:
        folder = tmp_path / name
        folder.mkdir()
        server: Postgres | None = request.getfixturevalue("postgres") if request.param == "postgres" else None
        url = server.new_database() if server else f"sqlite:///{folder / 'emblem.sqlite3'}"
        made.append(Place(folder, url, key))
        return made[-1]

    yield build
    for log in made:
        log.database.close()


@pytest.fixture
def log(new: New) -> Log:
    """A log with something sealed in it."""
    log = new("origin")
    migrate.upgrade(log.database)
    log.append(300)
    log.sealer.seal()
    return log


def count(log: Log) -> int:
    with log.database.read() as session:
        return int(session.scalar(text("select count(*) from ledger_entries")) or 0)


def check(log: Log, kept: bytes) -> None:
    keys = [parse_vkey(vkey) for vkey in log.sealer.vkeys()]
    verdict = verify_log(FolderSource(log.tree()), keys, kept)
    assert verdict.ok, verdict.findings


def published(log: Log) -> bytes:
    return (log.tree() / "checkpoint").read_bytes()


def test_what_is_written_while_it_is_made_is_in_it_whole_or_not_at_all(log: Log, new: New, tmp_path: Path) -> None:
    stopping = threading.Event()

    def write_on() -> None:
        while not stopping.is_set():
            log.append(10)  # in one transaction
            log.sealer.seal()

    writing = threading.Thread(target=write_on)
    writing.start()
    try:
        for number in range(3):
            save(log, tmp_path / f"backup{number}")
    finally:
        stopping.set()
        writing.join()
    restored = new("restored")
    size = restore(restored, tmp_path / "backup2")
    assert count(restored) == size
    assert size % 10 == 1  # and the entry of the log's key
    restored.append(3)
    assert restored.new_sealer().seal().size == size + 3
    check(restored, (tmp_path / "backup0/storage/log/checkpoint").read_bytes())
    with restored.database.read() as session:
        bodies = session.scalars(text("select id from ledger_entries order by leaf")).all()
    with log.database.read() as session:
        assert session.scalars(text(f"select id from ledger_entries order by leaf limit {size}")).all() == bodies[:size]


def test_ordinary_tools_check_a_backup(log: Log, tmp_path: Path) -> None:
    save(log, tmp_path / "backup")
    subprocess.run(["sha256sum", "--check", "--quiet", "--strict", "SHA256SUMS"], cwd=tmp_path / "backup", check=True)


def test_nothing_is_put_over_what_is_there_unless_told(log: Log, tmp_path: Path) -> None:
    save(log, tmp_path / "backup")
    log.append(5)
    log.sealer.seal()
    kept = published(log)
    with pytest.raises(BackupError, match="--replace"):
        restore(log, tmp_path / "backup")
    assert count(log) == 306
    # Told to: the database is of then, and takes over what the log in the storage has since.
    assert restore(log, tmp_path / "backup", replace=True) == 306
    assert (count(log), published(log)) == (306, kept)
    check(log, kept)


def test_a_log_never_gets_shorter(log: Log, new: New, tmp_path: Path) -> None:
    """Storage and database are gone, and this machine knows what it has published."""
    save(log, tmp_path / "backup")
    log.append(500)
    log.sealer.seal()
    kept = published(log)
    copy = tmp_path / "copy"
    shutil.copytree(log.tree(), copy)
    shutil.rmtree(log.folder / "storage")
    log.storage = DirectoryStorage(log.folder / "storage")
    log.sealer = log.new_sealer()
    with pytest.raises(BackupError, match="--log"):
        restore(log, tmp_path / "backup", replace=True)
    assert count(log) == 801  # nothing was changed
    require_finished(log.folder)
    assert restore(log, tmp_path / "backup", replace=True, given=copy) == 801
    check(log, kept)
    # The same by hand, without `restore`: a start is refused, and so is recovering.
    older = new("older")
    restore(older, tmp_path / "backup")
    shutil.copy(log.folder / "newest-checkpoint", older.folder)
    with pytest.raises(ConfigurationError, match="emblem audit recover"):
        older.new_sealer().check()
    with pytest.raises(LogDamaged, match="--log"):
        recover(older.new_sealer())
    with pytest.raises(LogDamaged, match="801 were published"):
        recover(older.new_sealer(), least=notes.read(kept.decode()))


def test_the_log_of_another_deployment_is_refused(log: Log, new: New, tmp_path: Path) -> None:
    save(log, tmp_path / "backup")
    twin = new("twin")
    migrate.upgrade(twin.database)
    twin.append(7)
    twin.sealer.seal()
    with pytest.raises(BackupError, match="does not verify"):
        restore(twin, tmp_path / "backup", replace=True)
    assert count(twin) == 8
    twin.key = ledger.new_log_key()
    twin.sealer = twin.new_sealer()
    with pytest.raises(BackupError, match="EMBLEM_LOG_KEY"):
        restore(twin, tmp_path / "backup", replace=True)


def test_an_interrupted_backup_is_known_and_begun_again(
    log: Log, new: New, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backup = tmp_path / "backup"
    with monkeypatch.context() as patch:
        patch.setattr(log.storage, "list", lambda _prefix: (_ for _ in ()).throw(Unavailable()))
        with pytest.raises(Unavailable):
            save(log, backup)
    restored = new("restored")
    with pytest.raises(DamagedBackupError, match="interrupted"):
        restore(restored, backup)
    log.append(3)
    log.sealer.seal()
    save(log, backup)
    assert restore(restored, backup) == 304
    with pytest.raises(BackupError, match="a backup already"):
        save(log, backup)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "file").touch()
    with pytest.raises(BackupError, match="not empty"):
        save(log, tmp_path / "other")


def test_a_damaged_backup_changes_nothing(log: Log, new: New, tmp_path: Path) -> None:
    save(log, tmp_path / "backup")
    restored = new("restored")
    files = [path for path in (tmp_path / "backup").rglob("*") if path.is_file() and path.name != "backup.json"]
    for number, path in enumerate(sorted(files)[:8]):
        broken = tmp_path / f"broken{number}"
        shutil.copytree(tmp_path / "backup", broken)
        there = broken / path.relative_to(tmp_path / "backup")
        there.write_bytes(there.read_bytes()[:-1] + b"~")
        with pytest.raises(BackupError):
            restore(restored, broken)
        there.unlink()
        with pytest.raises(BackupError):
            restore(restored, broken)
        assert databases.is_empty(restored.database)


def test_an_interrupted_restore_is_finished_by_the_next(log: Log, new: New, tmp_path: Path) -> None:
    save(log, tmp_path / "backup")
    restored = new("restored")

    with pytest.raises(KeyboardInterrupt), put_back(restored.sealer, tmp_path / "backup", lambda _: quiet):
        raise KeyboardInterrupt
    with pytest.raises(ConfigurationError, match="interrupted"):
        require_finished(restored.folder)
    assert restore(restored, tmp_path / "backup") == 301
    require_finished(restored.folder)


def test_a_database_in_use_is_not_replaced(log: Log, tmp_path: Path) -> None:
    save(log, tmp_path / "backup")
    other = Database(log.database.url)
    with other.read() as session:
        session.execute(text("select 1"))
        with pytest.raises(BackupError, match="in use"):
            restore(log, tmp_path / "backup", replace=True)
    other.close()
    assert restore(log, tmp_path / "backup", replace=True) == 301


def test_tiles_are_read_from_wider_ones(log: Log) -> None:
    names = tile_names(301)
    before = {name: read_tile(log.storage, name) for name in names}
    log.append(15)
    log.sealer.seal()
    for name in names:
        if name.width == 45:
            log.storage.delete(name.key)
    assert {name: read_tile(log.storage, name) for name in names} == before
    log.append(300)
    log.sealer.seal()
    for name in names:
        if name.width == 45:
            log.storage.delete(tiles.key(name.level, name.index, 60))
    assert {name: read_tile(log.storage, name) for name in names} == before
    log.storage.delete(tiles.key("entries", 1))
    with pytest.raises(LogDamaged, match="missing"):
        read_tile(log.storage, next(name for name in names if name.level == "entries" and name.index == 1))


# --- SQLite put back by hand


def test_a_copy_put_beside_the_log_of_another_state_is_found_damaged(tmp_path: Path) -> None:
    """Whoever copies a database back by hand, and leaves the ``-wal`` of a crash beside it, has it replayed over."""
    path, there = tmp_path / "emblem.sqlite3", tmp_path / "put-back.sqlite3"
    insert = "insert into t (b) values (?)"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("pragma journal_mode=wal")
        connection.execute("create table t (a integer primary key, b text)")
        connection.execute("create index i on t (b)")
        connection.executemany(insert, [(f"{n * 7919 % 1000:04}" * 40,) for n in range(1000)])
        connection.execute("pragma wal_checkpoint(truncate)")
        shutil.copy(path, there)
        connection.executemany(insert, [(f"{n:05}" * 50,) for n in range(3000)])
        connection.execute("pragma wal_checkpoint(truncate)")
        connection.execute("delete from t where a > 3500")
        shutil.copy(f"{path}-wal", f"{there}-wal")
        crashed = tmp_path / "crashed.sqlite3"
        for suffix in ("", "-wal"):
            shutil.copy(f"{path}{suffix}", f"{crashed}{suffix}")
    for file, whole in ((crashed, True), (there, False)):
        database = Database(f"sqlite:///{file}")
        with nullcontext() if whole else pytest.raises(Unavailable, match="damaged"):
            database.check_after_crash(30)
        database.close()
