"""A backup that was made while the service ran, put back: nothing that was published is given to other entries."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from service import ledger
from service.ledger import tiles
from service.ledger.recovery import recover
from service.ledger.tree import leaf_hash
from service.problems import LogDamaged
from service.verification.log_reader import FolderSource
from service.verification.signed_note import parse_vkey
from service.verification.verifier import verify_log
from tests.ledger.conftest import Log
from tests.ledger.test_sealing import entries_of
from tests.parts.dying import Doom, ended_by_itself
from tests.parts.postgres import Postgres

Copy = Callable[[Log, str], Log]


@pytest.fixture(params=["sqlite", "postgres"])
def server(request: pytest.FixtureRequest) -> Postgres | None:
    return request.getfixturevalue("postgres") if request.param == "postgres" else None


@pytest.fixture
def log(server: Postgres | None, tmp_path: Path) -> Iterator[Log]:
    """A log in use: some of it is sealed, five entries wait."""
    folder = tmp_path / "origin"
    folder.mkdir()
    log = Log(folder, url=server.new_database() if server else None)
    log.append(90)
    log.sealer.seal()
    log.append(5)
    yield log
    log.database.close()


@pytest.fixture
def copy(server: Postgres | None, tmp_path: Path) -> Iterator[Copy]:
    """Copies the database of a log into a folder of its own, as a backup does; the storage is copied later."""
    made: list[Log] = []

    def new(log: Log, name: str) -> Log:
        folder = tmp_path / name
        folder.mkdir()
        log.database.close()
        if server is None:
            shutil.copyfile(log.folder / "emblem.sqlite3", folder / "emblem.sqlite3")
        made.append(Log(folder, url=server.new_database(like=log.database.url) if server else None, key=log.key))
        return made[-1]

    yield new
    for item in made:
        item.database.close()


def published(log: Log) -> bytes:
    return (log.tree() / "checkpoint").read_bytes()


def check(log: Log, *kept: bytes) -> None:
    keys = [parse_vkey(vkey) for vkey in log.sealer.vkeys()]
    for since in (None, *kept):
        verdict = verify_log(FolderSource(log.tree()), keys, since)
        assert verdict.ok, verdict.findings


def rows(log: Log) -> list[tuple[int | None, str]]:
    with log.database.read() as session:
        found = session.execute(text("select leaf, body from ledger_entries order by leaf is null, leaf, seq")).all()
    return [(row.leaf, row.body) for row in found]


@pytest.mark.parametrize("counts", [(3,), (3, 300), (700, 20)], ids=str)
def test_a_database_older_than_the_storage_takes_over_what_the_log_has(
    log: Log, copy: Copy, counts: tuple[int, ...]
) -> None:
    restored = copy(log, "restored")
    for count in counts:
        log.append(count)
        log.sealer.seal()
    kept = published(log)
    shutil.copytree(log.folder / "storage", restored.folder / "storage", dirs_exist_ok=True)
    restored.append(2)
    with pytest.raises(LogDamaged, match="emblem audit recover"):
        restored.new_sealer().seal()
    done = recover(restored.new_sealer())
    assert (done.before, done.size) == (91, 96 + sum(counts) + 2)
    assert done.unknown == {"link.revoked": sum(counts)}  # the five that waited were known
    check(restored, kept)
    assert entries_of(restored)[:-2] == entries_of(log)
    assert [entry["id"] for entry in entries_of(restored)[-2:]] == ["lnk_0", "lnk_1"]
    assert [leaf for leaf, _ in rows(restored)] == list(range(done.size))
    restored.append(4)
    assert restored.new_sealer().seal().size == done.size + 4
    check(restored, kept)


@pytest.mark.parametrize("count", [3, 300])
def test_tiles_that_are_newer_than_the_copied_checkpoint_are_taken_over_too(log: Log, copy: Copy, count: int) -> None:
    """Copying takes time: the checkpoint can be of its beginning and tiles of its end. Auditors saw both."""
    restored = copy(log, "restored")
    log.sealer.seal()
    early = published(log)
    log.append(count)
    log.sealer.seal()
    late = published(log)
    shutil.copytree(log.folder / "storage", restored.folder / "storage", dirs_exist_ok=True)
    (restored.tree() / "checkpoint").write_bytes(early)
    assert recover(restored.new_sealer()).size == 96 + count
    check(restored, early, late)
    assert published(restored) == late


def test_the_tiles_alone_may_be_newer_than_the_database(log: Log, copy: Copy) -> None:
    early = published(log)
    restored = copy(log, "restored")
    log.append(7)
    log.sealer.seal()
    late = published(log)
    shutil.copytree(log.folder / "storage", restored.folder / "storage", dirs_exist_ok=True)
    (restored.tree() / "checkpoint").write_bytes(early)
    assert recover(restored.new_sealer()).size == 103
    check(restored, late)


def test_where_nothing_is_missing_nothing_is_taken_over(log: Log) -> None:
    done = recover(log.sealer)
    assert (done.before, done.size, done.unknown) == (91, 96, {})
    before = rows(log)
    assert recover(log.new_sealer()).size == 96
    assert rows(log) == before


def test_a_key_that_the_database_forgot_is_known_again(log: Log, copy: Copy) -> None:
    restored = copy(log, "restored")
    log.key = restored.key = f"{ledger.new_log_key()},{log.key}"
    log.new_sealer().seal()
    vkeys = log.sealer.vkeys()
    assert len(vkeys) == 2
    shutil.copytree(log.folder / "storage", restored.folder / "storage", dirs_exist_ok=True)
    assert recover(restored.new_sealer()).size == 97
    assert restored.new_sealer().rows.vkeys() == vkeys
    assert entries_of(restored) == entries_of(log)


def recover_and_die(folder: Path, url: str, key: str, at: int, after: bool) -> None:
    log = Log(folder, url=url, key=key)
    Doom(at, after=after).hang_over(log.database, log.storage)
    recover(log.sealer)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_recovering_killed_at_any_change_goes_on_when_it_is_repeated(log: Log, copy: Copy, after: bool) -> None:
    restored = copy(log, "restored")
    log.append(400)
    log.sealer.seal()
    shutil.copytree(log.folder / "storage", restored.folder / "storage", dirs_exist_ok=True)
    restored.append(3)
    at, ended = 0, False
    while not ended:
        at += 1
        again = copy(restored, f"again{at}")
        shutil.copytree(restored.folder / "storage", again.folder / "storage", dirs_exist_ok=True)
        ended = ended_by_itself(recover_and_die, again.folder, again.database.url, again.key, at, after)
        check(again, published(log))
        assert recover(again.new_sealer()).size == 499
        check(again, published(log))
        assert [leaf for leaf, _ in rows(again)] == list(range(499))
        assert entries_of(again)[:496] == entries_of(log)
    assert at > 6


# --- what is not to be taken over


def refused(log: Log, match: str) -> None:
    """Recovery stops, and has changed nothing."""
    before, there = rows(log), published(log)
    with pytest.raises(LogDamaged, match=match):
        recover(log.new_sealer())
    assert (rows(log), published(log)) == (before, there)


def test_the_log_of_another_deployment_is_refused(log: Log, copy: Copy, tmp_path: Path) -> None:
    """Under its own key, and under the same one."""
    for name, key in (("stranger", ledger.new_log_key()), ("twin", log.key)):
        (tmp_path / name).mkdir()
        other = Log(tmp_path / name, key=key)
        other.append(200)
        other.sealer.seal()
        other.database.close()
        restored = copy(log, f"onto-{name}")
        shutil.rmtree(restored.folder / "storage")
        shutil.copytree(other.folder / "storage", restored.folder / "storage")
        refused(restored, "no known key signed" if name == "stranger" else "does not continue")


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("checkpoint", "not one of this log"),
        ("tile/0/000", "not that of its hash"),
        ("tile/0/001.p/240", "root of the published checkpoint"),
        ("tile/1/000.p/1", "root of the published checkpoint"),
        ("tile/entries/000", "not what its hash in the log says"),
        ("tile/entries/001.p/240", "not that of its hash"),
    ],
)
def test_a_damaged_log_is_refused(log: Log, copy: Copy, path: str, said: str) -> None:
    restored = copy(log, "restored")
    log.append(400)
    log.sealer.seal()
    shutil.copytree(log.folder / "storage", restored.folder / "storage", dirs_exist_ok=True)
    damaged = restored.tree() / path
    data = bytearray(damaged.read_bytes())
    data[-20] ^= 1
    damaged.write_bytes(data)
    refused(restored, said)
    damaged.unlink()
    with pytest.raises(LogDamaged, match="missing"):
        recover(restored.new_sealer())


def test_a_bundle_whose_hashes_were_changed_with_it_is_refused(log: Log, copy: Copy) -> None:
    restored = copy(log, "restored")
    log.append(400)
    log.sealer.seal()
    shutil.copytree(log.folder / "storage", restored.folder / "storage", dirs_exist_ok=True)
    bundle, tile = restored.tree() / "tile/entries/000", restored.tree() / "tile/0/000"
    bundle.write_bytes(bundle.read_bytes().replace(b'"lnk_140"', b'"lnk_14x"'))
    tile.write_bytes(b"".join(leaf_hash(entry) for entry in tiles.unbundle(bundle.read_bytes())))
    refused(restored, "not what its hash in the log says")
