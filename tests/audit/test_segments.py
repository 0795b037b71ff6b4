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

from service.audit.entry_table import COLUMNS, DERIVED, STORED
from service.audit.query import parse
from service.audit.segments import Comparison, Segments
from service.problems import LogDamaged
from service.storage.directory import DirectoryStorage
from service.store import Database
from service.verification.log_reader import FolderSource
from service.verification.verifier import leaf_hashes

from .conftest import ON_BOTH, START, Deployment, decided, some_facts

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


@ON_BOTH
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
        assert {name: kind for name, kind, *_ in columns} == STORED
    documented = (Path(__file__).parents[2] / "docs/auditors.md").read_text()
    assert all(f"`{name}`" in documented for name in COLUMNS)


@ON_BOTH
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


@ON_BOTH
@pytest.mark.parametrize(("leaves", "due"), [(127, 0), (128, 1), (129, 1), (255, 1), (256, 2)])
def test_a_segment_is_full_at_exactly_its_number_of_leaves(deployment: Deployment, leaves: int, due: int) -> None:
    deployment.segments.rows = 128
    deployment.record(some_facts(leaves - 1, START))  # and the log's own key
    assert deployment.sealer.seal().size == leaves
    assert deployment.segments.write() == due
    assert deployment.segments.end() == 128 * due


def _write_and_die(folder: str, url: str, step: str, after: int) -> None:
    now = START
    segments = Segments(
        Database(url),
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


@ON_BOTH
@pytest.mark.parametrize(("step", "after"), [("made", 1), ("stored", 1), ("stored", 2), ("entered", 1), ("stored", 6)])
def test_a_process_killed_at_a_step_of_writing_loses_and_doubles_nothing(
    deployment: Deployment, step: str, after: int
) -> None:
    filled(deployment)
    before = deployment.reports.run(parse([("by", "day")])).as_json()
    process = multiprocessing.get_context("spawn").Process(
        target=_write_and_die, args=(str(deployment.folder), deployment.url, step, after)
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


def files_of(deployment: Deployment) -> list[Path]:
    return sorted((deployment.folder / "storage/segments").glob("*/*.parquet"))


def compare(deployment: Deployment, files: list[Path], end: int = 256) -> tuple[int | None, str] | None:
    """Where files first disagree with the log of 301 leaves, and how."""
    comparison = Comparison(leaf_hashes(FolderSource(deployment.folder / "storage/log"), 301), end)
    try:
        for path in files:
            if found := comparison.add(path):
                return found
        return None if (missing := comparison.missing()) is None else (missing, "missing")
    finally:
        comparison.close()


def forge(path: Path, select: str) -> None:
    """Writes a segment anew, as ``select`` says of the rows in it."""
    forged = path.with_suffix(".forged")
    rows = f"(from read_parquet('{path}', hive_partitioning=false))"
    duckdb.execute(f"copy (with rows as {rows} {select}) to '{forged}' (format parquet)")
    forged.replace(path)


def first_leaf(path: Path) -> int:
    return int(duckdb.execute(f"select min(leaf) from '{path}'").fetchall()[0][0])


def test_segments_that_say_what_the_log_says_agree(deployment: Deployment) -> None:
    filled(deployment)
    deployment.segments.write()
    assert compare(deployment, files_of(deployment)) is None
    assert compare(deployment, files_of(deployment), end=257) == (256, "missing")


@pytest.mark.parametrize("name", [name for name in DERIVED if name not in ("leaf", "entry")])
def test_a_column_that_disagrees_with_its_entry_is_found_at_its_leaf(deployment: Deployment, name: str) -> None:
    filled(deployment)
    deployment.segments.write()
    path = files_of(deployment)[2]
    leaf = first_leaf(path) + 1
    others = {
        "TIMESTAMP": f"{name} + interval 1 second",
        "VARCHAR": "'other'",
        "BOOLEAN": f"not coalesce({name}, false)",
    }
    changed = others.get(COLUMNS[name], f"coalesce({name}, 0) + 1")
    next_leaf = duckdb.execute(f"select min(leaf) from '{path}' where leaf >= {leaf}").fetchall()[0][0]
    forge(path, f"select * replace (case when leaf = {next_leaf} then {changed} else {name} end as {name}) from rows")
    assert compare(deployment, files_of(deployment)) == (next_leaf, "a column does not say what the entry says")


@pytest.mark.parametrize(
    ("select", "said"),
    [
        ("select * replace (replace(entry, 'kind', 'kynd') as entry) from rows", "not what the log says"),
        ("select * replace (leaf + 1000 as leaf) from rows", "not what the log says"),
        ("select * from rows union all select * from rows where leaf = (select min(leaf) from rows)", "there twice"),
        ("select * replace (case when leaf = (select min(leaf) from rows) then null else leaf end as leaf) from rows",
         "without a leaf"),
        ("select * replace (null as entry) from rows", "without a leaf"),
        ("select * exclude (entry) from rows", "cannot be read"),
    ],
)  # fmt: skip
def test_a_segment_that_disagrees_with_the_log_is_found(deployment: Deployment, select: str, said: str) -> None:
    filled(deployment)
    deployment.segments.write()
    forge(files_of(deployment)[1], select)
    found = compare(deployment, files_of(deployment))
    assert found is not None
    assert said in found[1]


def test_a_row_that_is_left_out_is_found_also_where_another_is_there_twice(deployment: Deployment) -> None:
    """The number of rows alone would say that all are there."""
    filled(deployment)
    deployment.segments.write()
    path = files_of(deployment)[0]
    first = first_leaf(path)
    forge(path, f"select * from rows where leaf <> {first}")
    assert compare(deployment, files_of(deployment)) == (first, "missing")
    last = duckdb.execute(f"select max(leaf) from '{path}'").fetchall()[0][0]
    forge(path, f"from rows union all (from rows where leaf = {last})")
    assert compare(deployment, files_of(deployment)) == (last, "the leaf is there twice")


def test_a_file_that_is_no_segment_is_found(deployment: Deployment) -> None:
    filled(deployment)
    deployment.segments.write()
    path = files_of(deployment)[0]
    for data in (b"", b"PAR1", path.read_bytes()[:-9]):
        path.write_bytes(data)
        assert compare(deployment, files_of(deployment)) == (None, "it cannot be read as a file of entries")


@ON_BOTH
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
    deployment.record([decided(START, rule=rule) for rule in ("a", "a", "b")])
    deployment.sealer.seal()
    deployment.time = START + DAY + timedelta(minutes=2)
    deployment.segments.write()
    asked = questions()
    assert len(asked) == 5
    connection = duckdb.connect()
    connection.execute("set timezone = 'UTC'")  # as the guide says
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
