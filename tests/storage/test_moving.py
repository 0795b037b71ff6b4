"""Objects move between any two storages: all of them, the same, once, and what was deleted does not live on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from service.ledger.copies import require_same_log
from service.problems import LogDamaged, Unavailable
from service.storage import Storage
from service.storage.directory import DirectoryStorage
from service.storage.moving import move
from tests.ledger.conftest import Log

OBJECTS = {f"packages/{number}.zip": bytes([number]) * (number * 70_000) for number in range(5)}


def quiet(_done: int, _total: int) -> None:
    """No progress is shown."""


def contents(storage: Storage) -> dict[str, bytes]:
    return {found.key: storage.read(found.key) for found in storage.list("")}


@pytest.fixture
def directory(tmp_path: Path) -> DirectoryStorage:
    return DirectoryStorage(tmp_path / "other")


@pytest.mark.parametrize("there_and_back", [False, True], ids=["from it", "to it"])
def test_every_object_arrives_and_the_next_run_copies_nothing(
    storage: Storage, directory: DirectoryStorage, there_and_back: bool
) -> None:
    source, target = (directory, storage) if there_and_back else (storage, directory)
    for key, data in OBJECTS.items():
        source.put_new(key, data)
    source.replace("log/checkpoint", b"a note")
    source.check()
    target.put_new("packages/2.zip", b"x" * len(OBJECTS["packages/2.zip"]))  # damaged on an earlier way
    target.put_new("artwork/s/gone.png", b"was erased")
    target.put_new("elsewhere", b"is of others")
    whole = OBJECTS | {"log/checkpoint": b"a note"}
    done = move(source, target, quiet, last=["log/checkpoint"], mirrored=["artwork/"])
    assert (done.copied, done.same, done.deleted, done.complete) == (6, 0, 1, True)
    assert done.bytes == sum(len(data) for data in whole.values())
    assert contents(target) == whole | {"elsewhere": b"is of others"}
    again = move(source, target, quiet, last=["log/checkpoint"], mirrored=["artwork/"])
    assert (again.copied, again.same, again.complete) == (0, 6, True)


def test_it_goes_on_where_it_was_stopped_and_tells_what_changed(directory: DirectoryStorage, tmp_path: Path) -> None:
    target = DirectoryStorage(tmp_path / "target")
    for key, data in OBJECTS.items():
        directory.put_new(key, data)

    class Stopped(Exception):
        pass

    def stop(done: int, _total: int) -> None:
        if done == 2:
            raise Stopped

    with pytest.raises(Stopped):
        move(directory, target, stop)
    done = move(directory, target, quiet)
    assert (done.copied + done.same, done.complete) == (5, True)
    assert done.same >= 2

    def change(_done: int, _total: int) -> None:
        directory.replace("packages/0.zip", b"new")

    assert not move(directory, target, change).complete
    assert move(directory, target, quiet).complete
    assert target.read("packages/0.zip") == b"new"


def test_what_comes_back_otherwise_is_an_error(
    directory: DirectoryStorage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that writes something else."""
    target = DirectoryStorage(tmp_path / "target")
    directory.put_new("packages/1.zip", b"right")

    def wrong(key: str, _content: object, media_type: str = "") -> bool:
        return DirectoryStorage.put_new(target, key, b"wrong", media_type)

    monkeypatch.setattr(target, "put_new", wrong)
    with pytest.raises(Unavailable, match="comes back"):
        move(directory, target, quiet)


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    (tmp_path / "log").mkdir()
    log = Log(tmp_path / "log")
    log.append(300)
    log.sealer.seal()
    yield log
    log.database.close()


def test_a_storage_with_another_log_is_no_target(log: Log, directory: DirectoryStorage, tmp_path: Path) -> None:
    require_same_log(log.storage, directory)
    move(log.storage, directory, quiet)
    log.append(20)
    log.sealer.seal()
    require_same_log(log.storage, directory)  # its beginning
    with pytest.raises(LogDamaged, match="does not continue"):
        require_same_log(directory, log.storage)
    (tmp_path / "twin").mkdir()
    twin = Log(tmp_path / "twin")
    twin.append(400)
    twin.sealer.seal()
    with pytest.raises(LogDamaged, match="another log"):
        require_same_log(twin.storage, directory)
    twin.database.close()
