"""Segments: what they hold, when they are due, and that no crash and no change goes unseen."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import re
import signal
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest

from service.audit.engine import COLUMNS, connect
from service.audit.query import parse
from service.audit.segments import Segments, check_segment
from service.audit.sources import FolderSource
from service.audit.verify import leaf_hashes
from service.problems import LogDamaged
from service.storage.directory import DirectoryStorage
from service.store import Database

from .conftest import START, Deployment, some_facts

DAY = timedelta(days=1)


def rows(deployment: Deployment) -> list[tuple[int, str]]:
    """Leaf and entry of every row of every segment."""
    files = f"{deployment.folder}/storage/segments/*/*.parquet"
    return duckdb.execute(f"select leaf, entry from read_parquet('{files}') order by leaf").fetchall()


def filled(deployment: Deployment, count: int = 300) -> Deployment:
    deployment.segments.rows = 128
    deployment.record(some_facts(count, START))
    deployment.sealer.seal()
    return deployment


def test_each_sealed_entry_is_in_one_segment_as_it_was_sealed(deployment: Deployment) -> None:
    filled(deployment)
    assert deployment.segments.write() == 2
    found = rows(deployment)
    assert [leaf for leaf, _ in found] == list(range(256))
    with deployment.database.read() as session:
        from sqlalchemy import text

        stored = session.execute(text("select leaf, body from ledger_entries where leaf < 256 order by leaf")).all()
    assert found == [tuple(row) for row in stored]


def test_rows_lie_in_the_folder_of_their_day_with_the_documented_columns(deployment: Deployment) -> None:
    filled(deployment)
    deployment.segments.write()
    for path in (deployment.folder / "storage/segments").glob("*/*.parquet"):
        day = path.parent.name.removeprefix("day=")
        found = duckdb.execute(f"select distinct happened_at::date::varchar from '{path}'").fetchall()
        assert found == [(day,)]
        columns = duckdb.execute(f"describe select * from read_parquet('{path}', hive_partitioning=false)").fetchall()
        assert {name: kind for name, kind, *_ in columns} == COLUMNS
    documented = (Path(__file__).parents[2] / "docs/auditors.md").read_text()
    assert all(f"`{name}`" in documented for name in COLUMNS)


def test_a_segment_is_due_when_it_is_full_or_its_day_is_over(deployment: Deployment) -> None:
    deployment.record(some_facts(100, START))
    deployment.sealer.seal()
    assert deployment.segments.write() == 0
    deployment.time = START + DAY + timedelta(seconds=30)
    assert deployment.segments.write() == 0
    deployment.record(some_facts(10, START))
    deployment.sealer.seal()
    deployment.time = START + DAY + timedelta(minutes=2)
    assert deployment.segments.write() == 1
    assert deployment.segments.end() == 101  # what was sealed on the next day waits for the end of that
    assert deployment.segments.write() == 0


def _write_and_die(folder: str, step: str, after: int) -> None:
    now = START
    segments = Segments(
        Database(f"sqlite:///{folder}/emblem.sqlite3"),
        DirectoryStorage(Path(folder) / "storage"),
        Path(folder),
        lambda: now,
    )
    segments.rows = 128
    left = after

    def hook(name: str) -> None:
        nonlocal left
        if name == step:
            left -= 1
            if not left:
                os.kill(os.getpid(), signal.SIGKILL)

    segments.step = hook
    segments.write()


@pytest.mark.parametrize(("step", "after"), [("made", 1), ("stored", 1), ("stored", 2), ("entered", 1), ("stored", 6)])
def test_a_process_killed_at_a_step_of_writing_loses_and_doubles_nothing(
    deployment: Deployment, step: str, after: int
) -> None:
    filled(deployment)
    before = deployment.reports.run(parse([("by", "day")])).as_json()
    process = multiprocessing.get_context("spawn").Process(
        target=_write_and_die, args=(str(deployment.folder), step, after)
    )
    process.start()
    process.join(60)
    assert process.exitcode == -signal.SIGKILL
    assert deployment.reports.run(parse([("by", "day")])).as_json() == before
    deployment.segments.write()
    assert [leaf for leaf, _ in rows(deployment)] == list(range(256))
    assert deployment.reports.run(parse([("by", "day")])).as_json() == before


def test_a_file_that_is_there_with_other_rows_is_an_error(deployment: Deployment) -> None:
    filled(deployment)
    deployment.segments.write()
    from sqlalchemy import text

    deployment.database.write(lambda session: session.execute(text("delete from segments where first > 0")))
    key = deployment.storage.list("segments/")
    target = next(item.key for item in key if "/000000000128-" in item.key)
    path = deployment.folder / "storage" / target
    other = deployment.folder / "other.parquet"
    source = f"read_parquet('{path}', hive_partitioning=false)"
    duckdb.execute(f"copy (select * replace (coalesce(bytes, 0) + 1 as bytes) from {source}) to '{other}'")
    path.write_bytes(other.read_bytes())
    with pytest.raises(LogDamaged, match="does not say what the log says"):
        deployment.segments.write()
    path.write_bytes(b"no parquet")
    with pytest.raises(LogDamaged, match="no segment that can be read"):
        deployment.segments.write()


@pytest.mark.parametrize(
    "change", ["coalesce(bytes, 0) + 1 as bytes", "'ZZ' as country", "replace(entry, 'kind', 'kynd') as entry"]
)
def test_a_segment_that_disagrees_with_the_log_is_found(deployment: Deployment, tmp_path: Path, change: str) -> None:
    filled(deployment)
    deployment.segments.write()
    find = leaf_hashes(FolderSource(deployment.folder / "storage/log"), 301)
    path = min((deployment.folder / "storage/segments").glob("*/*.parquet"))
    connection = connect()
    bad, count = check_segment(connection, path, find)
    assert bad is None
    assert count > 0
    forged = tmp_path / "forged.parquet"
    connection.execute(
        f"copy (select * replace ({change}) from read_parquet('{path}', hive_partitioning=false)) to '{forged}'"
    )
    first = connection.execute(f"select min(leaf) from '{path}'").fetchall()[0][0]
    assert check_segment(connection, forged, find)[0] == first


def test_rows_gone_before_they_were_in_a_segment_are_an_error(deployment: Deployment) -> None:
    filled(deployment)
    from sqlalchemy import text

    deployment.database.write(lambda session: session.execute(text("delete from ledger_entries where leaf = 5")))
    with pytest.raises(LogDamaged, match="gone from the database"):
        deployment.segments.write()


def test_segments_elsewhere_are_read_through_a_copy_that_is_checked(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(deployment)
    deployment.segments.write()
    before = deployment.reports.run(parse([("by", "day")])).as_json()
    monkeypatch.setattr(deployment.storage, "local_path", lambda _key: None)
    assert deployment.reports.run(parse([("by", "day")])).as_json() == before
    copies = list((deployment.folder / "segments").glob("*.parquet"))
    assert {hashlib.sha256(path.read_bytes()).hexdigest() for path in copies} == {path.stem for path in copies}
    for path in copies:
        path.unlink()
    for item in deployment.storage.list("segments/"):
        deployment.storage.replace(item.key, b"PAR1")
    with pytest.raises(LogDamaged, match="not the file that was written"):
        deployment.reports.run(parse([]))


# --- the documented questions


def questions() -> list[str]:
    text = (Path(__file__).parents[2] / "docs/auditors.md").read_text()
    return re.findall(r"```sql\n(.*?)```", text, re.DOTALL)


def test_the_documented_questions_are_answered(make: Callable[[str], Deployment]) -> None:
    deployment = make("questions")
    filled(deployment)
    deployment.record(
        [
            {"kind": "participant.decided", "at": START, "participant": "par_1", "outcome": "approved", "rule": rule}
            for rule in ("a", "a", "b")
        ]
    )
    deployment.sealer.seal()
    deployment.time = START + DAY + timedelta(minutes=2)
    deployment.segments.write()
    asked = questions()
    assert len(asked) == 5
    connection = duckdb.connect()
    files = f"{deployment.folder}/storage/segments/*/*.parquet"
    connection.execute(f"create view entries as select * from read_parquet('{files}', hive_partitioning = true)")
    answers = [connection.execute(question).fetchall() for question in asked]
    facts = deployment.facts
    downloads = [fact for fact in facts if fact["kind"] == "download"]
    counted = [fact for fact in downloads if fact["counted"]]
    assert answers[0] == [("2026-11", len(counted), len({fact["participant"] for fact in counted}))]
    assert sum(views for _, views in answers[1]) == sum(fact.get("views", 0) for fact in facts)
    late = {(fact["participant"], fact["terms_version"]) for fact in downloads if fact["terms_version"] < "2026-06-01"}
    assert set(answers[2]) == late
    assert answers[3] == [("a", "approved", 2), ("b", "approved", 1)]
    assert sum(row[1] for row in answers[4]) == len(downloads)
    assert json.loads(rows(deployment)[0][1])["v"] == 1
