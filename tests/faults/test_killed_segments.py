"""SIGKILL at every change that writing segments makes: reports stay as they were, and no row is lost or doubled."""

from __future__ import annotations

import hashlib
import shutil
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest

from service.audit.query import parse
from service.verification.log_reader import FolderSource
from service.verification.signed_note import parse_vkey
from service.verification.verifier import leaf_hashes, verify_log
from tests.audit.conftest import START, Deployment, some_facts
from tests.parts.dying import Doom, ended_by_itself

FACTS = 300
SIZE = FACTS + 1  # the log's own key is its first entry


def reopened(folder: Path) -> Deployment:
    """The deployment in a folder, a day after it was filled: what it has sealed is due, in two segments."""
    deployment = Deployment(folder)
    deployment.segments.rows = 256
    deployment.time = START + timedelta(days=1, minutes=2)
    return deployment


def write_and_die(folder: Path, at: int, after: bool) -> None:
    deployment = reopened(folder)
    Doom(at, after=after).hang_over(deployment.database, deployment.storage)
    assert deployment.segments.write() == 2


def report(deployment: Deployment) -> object:
    return deployment.reports.run(parse([("by", "day"), ("by", "country")])).as_json()


def check(deployment: Deployment) -> None:
    """Every leaf is in the segments once, with the hash that the log has, as the independent checker reads it."""
    source = FolderSource(deployment.folder / "storage/log")
    verdict = verify_log(source, [parse_vkey(vkey) for vkey in deployment.sealer.rows.vkeys()])
    assert (verdict.ok, verdict.size) == (True, SIZE)
    files = deployment.segments.files(SIZE)
    assert [item.key for item in deployment.storage.list("segments/")] == sorted(file.key for file in files)
    for file in files:
        assert hashlib.sha256(deployment.storage.read(file.key)).hexdigest() == file.sha256
    found = f"read_parquet('{deployment.folder}/storage/segments/*/*.parquet')"
    rows = duckdb.execute(f"select leaf, entry from {found} order by leaf").fetchall()
    assert [leaf for leaf, _ in rows] == list(range(SIZE))
    hash_of = leaf_hashes(source, SIZE)
    assert all(hashlib.sha256(b"\0" + entry.encode()).digest() == hash_of(leaf) for leaf, entry in rows)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_writing_segments_killed_at_any_change_loses_and_doubles_nothing(tmp_path: Path, after: bool) -> None:
    (tmp_path / "origin").mkdir()
    origin = Deployment(tmp_path / "origin")
    origin.record(some_facts(FACTS, START))
    assert origin.sealer.seal().size == SIZE
    origin.database.close()
    at, ended, before = 0, False, None
    while not ended:
        at += 1
        copied = reopened(shutil.copytree(origin.folder, tmp_path / f"copy{at}"))
        before = before or report(copied)
        ended = ended_by_itself(write_and_die, copied.folder, at, after)
        assert report(copied) == before
        copied.segments.write()
        assert report(copied) == before
        check(copied)
        left = {path.name for path in copied.folder.iterdir()} - {path.name for path in origin.folder.iterdir()}
        assert left <= {"segments.lock", "emblem.sqlite3-wal", "emblem.sqlite3-shm"}
        copied.database.close()
    assert at > 10
