"""What the service writes is for nobody else to read, whatever the umask says."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.limits.machine import MachineCounter
from service.private_files import too_open
from service.storage import open_storage
from service.store import Database, migrate
from service.store.leadership import leadership


@pytest.fixture(autouse=True)
def _careless() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def modes(folder: Path) -> dict[str, int]:
    found = [folder, *sorted(folder.rglob("*"))]
    return {str(path.relative_to(folder.parent)): stat.S_IMODE(path.stat().st_mode) for path in found}


def test_the_data_folder_is_the_services_own(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "data"
    database = Database(f"sqlite:///{folder / 'emblem.sqlite3'}")
    migrate.upgrade(database)
    with leadership(database, folder):
        pass
    storage = open_storage((folder / "storage").as_uri())
    storage.put_new("packages/a/b.zip", b"content")
    storage.replace("log/checkpoint", b"content")
    found = modes(tmp_path / "new")
    database.close()
    assert {name for name in found if name.endswith(("sqlite3-wal", "b.zip", "checkpoint", ".lock"))}
    for name, mode in found.items():
        assert mode in (0o700, 0o600), (name, oct(mode))


def test_the_counts_of_a_machine_are_the_services_own(tmp_path: Path) -> None:
    MachineCounter(tmp_path / "data" / "limits").hit("joining", "somebody", amount=5, seconds=60, count=True)
    assert not too_open(tmp_path / "data")
    assert not too_open(tmp_path / "data" / "limits", 0o600)


def test_only_a_web_server_of_the_group_may_read_what_it_has_to_send(tmp_path: Path) -> None:
    storage = open_storage((tmp_path / "storage").as_uri(), shared=True)
    storage.put_new("packages/a/b.zip", b"content")
    found = modes(tmp_path / "storage")
    assert found["storage/packages/a/b.zip"] == 0o640
    assert found["storage/packages"] == found["storage"] == 0o750
    assert found["storage/.staging"] == 0o700


def test_what_others_may_read_is_told(tmp_path: Path) -> None:
    file = tmp_path / "x"
    file.write_text("x")
    for mode, told in ((0o600, False), (0o640, True), (0o604, True), (0o700, False)):
        file.chmod(mode)
        assert too_open(file) is told
    file.chmod(0o640)
    assert not too_open(file, 0o750)
    assert not too_open(tmp_path / "nothing")
