"""Segments and exports have one schema, whatever stands in a file; files of an older one stay readable."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from service import ledger
from service.audit import dimensions
from service.audit.dimensions import DIMENSIONS, FACTS
from service.audit.entry_table import SCHEMA_VERSION, STORED
from service.audit.export import export, parquet_files
from service.audit.formats import as_parquet
from service.audit.parquet import has_schema, write_parquet
from service.audit.query import parse
from service.audit.segments import Comparison
from service.clock import timestamp
from service.problems import LogDamaged
from service.verification.log_reader import FolderSource
from service.verification.verifier import leaf_hashes
from tests.parts.system import strict

from .conftest import START, Deployment, download, use
from .read_by import COLUMNS, ENGINES, Row

DAY = timedelta(days=1)
ROOT = Path(__file__).parents[2]


@pytest.fixture
def mixed(deployment: Deployment) -> Deployment:
    """A day without a null, days of nothing else, a file of the first schema, and a tail."""
    deployment.segments.rows = 20
    second = timedelta(seconds=1)
    deployment.record([download(START + number * second, country="AT") for number in range(20)])
    deployment.record([download(START + DAY + number * second, country=None) for number in range(20)])
    hour = START + 2 * DAY
    sites = ["https://a.example", None] * 10 + [None]
    deployment.record([use(hour + 2 * DAY, hour, origin=site) for site in sites])
    deployment.sealer.seal()
    assert deployment.segments.write() == 3
    _to_first_schema(deployment, files_of(deployment)[0])
    deployment.record([download(START + 4 * DAY + timedelta(microseconds=1), country="FR")])
    deployment.sealer.seal()
    return deployment


def files_of(deployment: Deployment) -> list[Path]:
    return sorted((deployment.folder / "storage/segments").glob("*/*.parquet"))


def _to_first_schema(deployment: Deployment, path: Path) -> None:
    """A segment as it was written before: times without a zone, what happens to be nowhere null as required."""
    old = path.with_suffix(".old")
    connection = duckdb.connect()
    connection.execute("set timezone = 'UTC'")
    connection.execute(f"create table old as from read_parquet('{path}', hive_partitioning=false)")
    for name in ("recorded_at", "happened_at"):
        connection.execute(f"alter table old alter {name} type timestamp")
    connection.execute(f"copy old to '{old}' (format parquet, compression zstd)")
    connection.close()
    old.replace(path)


def schema(path: Path) -> list[tuple[str, str, str]]:
    """Name, type and repetition of every column, as the file's footer has it."""
    return (
        duckdb.connect()
        .execute(
            "select name, coalesce(logical_type, type), repetition_type from parquet_schema($file) "
            "where coalesce(num_children, 0) = 0",
            {"file": str(path)},
        )
        .fetchall()
    )


def answers(deployment: Deployment) -> list[dict[str, Any]]:
    """The report by every dimension."""
    return [deployment.reports.run(parse([("by", name)])).as_json() for name in DIMENSIONS]


def test_every_file_has_the_same_schema_with_nullable_columns(mixed: Deployment) -> None:
    written = files_of(mixed)[1:]
    assert len({str(schema(path)) for path in written}) == 1
    assert {repetition for _, _, repetition in schema(written[0])} == {"OPTIONAL"}
    assert [name for name, _, _ in schema(written[0])] == list(STORED)
    zoned = {name: kind for name, kind, _ in schema(written[0]) if name.endswith("_at")}
    assert all("isAdjustedToUTC=1" in kind for kind in zoned.values()), zoned
    said = duckdb.execute(f"select key, value from parquet_kv_metadata('{written[0]}')").fetchall()
    assert said == [(b"emblem_schema", str(SCHEMA_VERSION).encode())]


def test_an_export_has_one_schema_also_where_segments_have_an_older_one(mixed: Deployment, tmp_path: Path) -> None:
    old = files_of(mixed)[0]
    assert {repetition for _, _, repetition in schema(old)} != {"OPTIONAL"}
    done = export(mixed.reports, mixed.storage, mixed.sealer.vkeys(), tmp_path / "export")
    files = parquet_files(tmp_path / "export")
    assert len(files) == done.files == len(files_of(mixed)) + 3  # the tail has three days
    assert len({str(schema(path)) for path in files}) == 1
    before = {path: path.stat().st_mtime_ns for path in files if "tail" not in path.name}
    export(mixed.reports, mixed.storage, mixed.sealer.vkeys(), tmp_path / "export")
    assert {path: path.stat().st_mtime_ns for path in before} == before  # what is there already is left alone


def test_an_export_of_an_older_version_is_brought_to_the_schema_of_today(mixed: Deployment, tmp_path: Path) -> None:
    export(mixed.reports, mixed.storage, mixed.sealer.vkeys(), tmp_path / "export")
    first = parquet_files(tmp_path / "export")[0]
    _to_first_schema(mixed, first)
    export(mixed.reports, mixed.storage, mixed.sealer.vkeys(), tmp_path / "export")
    assert len({str(schema(path)) for path in parquet_files(tmp_path / "export")}) == 1


def test_the_parquet_of_a_report_is_nullable_too(mixed: Deployment, tmp_path: Path) -> None:
    path = tmp_path / "report.parquet"
    path.write_bytes(as_parquet(mixed.reports.run(parse([("by", "day")]))))
    assert {repetition for _, _, repetition in schema(path)} == {"OPTIONAL"}


def test_a_file_that_came_out_with_another_schema_is_not_taken(tmp_path: Path) -> None:
    """What is asked for is compared with what was written, so that a change of DuckDB is told of."""
    connection = duckdb.connect()
    path = tmp_path / "file.parquet"
    write_parquet(connection, "select 1 as a, 'x' as b", path, {"a": "BIGINT", "b": "VARCHAR"})
    assert has_schema(connection, path, {"a": "BIGINT", "b": "VARCHAR"})
    assert not has_schema(connection, path, {"b": "VARCHAR", "a": "BIGINT"})
    assert not has_schema(connection, path, {"a": "INTEGER", "b": "VARCHAR"})
    assert not has_schema(connection, path, {"a": "BIGINT"})
    connection.execute(f"copy (select 1::bigint as a, 'x' as b) to '{path}' (format parquet)")
    assert not has_schema(connection, path, {"a": "BIGINT", "b": "VARCHAR"})  # as required, where nothing is said
    with pytest.raises(RuntimeError, match=r"file\.parquet was written with other columns"):
        write_parquet(connection, "select 1 as a", path, {"a": "INT4"})  # not how DuckDB writes this type's name


def test_reports_are_the_same_with_segments_of_an_older_schema(
    mixed: Deployment, make: Callable[[str], Deployment]
) -> None:
    whole = make("whole")
    whole.record(mixed.facts)
    whole.sealer.seal()
    rows = [[answer["rows"], answer["totals"]] for answer in answers(mixed)]
    assert rows == [[answer["rows"], answer["totals"]] for answer in answers(whole)]  # all of it in the tail


def test_a_column_that_old_segments_lack_is_read_from_their_entries(mixed: Deployment) -> None:
    before = answers(mixed)
    for path in files_of(mixed)[:2]:
        forged = path.with_suffix(".forged")
        rows = f"from read_parquet('{path}', hive_partitioning=false)"
        duckdb.execute(f"copy (select * exclude (country, happened_at, counted) {rows}) to '{forged}' (format parquet)")
        forged.replace(path)
    mixed.segments._columns.clear()
    assert answers(mixed) == before
    comparison = Comparison(leaf_hashes(FolderSource(mixed.folder / "storage/log"), 63), 60)
    assert [comparison.add(path) for path in files_of(mixed)] == [None] * len(files_of(mixed))
    assert comparison.missing() is None
    comparison.close()


def test_what_a_killed_writer_of_an_older_version_left_is_taken_as_it_is(mixed: Deployment) -> None:
    before = answers(mixed)
    old = files_of(mixed)[0]
    content = old.read_bytes()
    from sqlalchemy import text

    mixed.database.write(lambda session: session.execute(text("delete from segments")))
    assert mixed.segments.write() == 3
    assert old.read_bytes() == content
    assert answers(mixed) == before
    mixed.database.write(lambda session: session.execute(text("delete from segments")))
    rows = f"read_parquet('{files_of(mixed)[1]}', hive_partitioning=false)"
    other = mixed.folder / "other.parquet"
    duckdb.execute(f"copy (select * replace (coalesce(country, 'XX') as country) from {rows}) to '{other}'")
    files_of(mixed)[1].write_bytes(other.read_bytes())
    with pytest.raises(LogDamaged, match="does not say what the log says"):
        mixed.segments.write()


class Spoken(ledger.DownloadEntry):
    """A download as it would be with one more fact."""

    language: str | None


WITH_LANGUAGE = """
import json, sys
from datetime import datetime
from pathlib import Path
import service.audit.dimensions as table

source = Path(table.__file__).read_text()
line = '    "country": Fact('
assert source.count(line) == 1
exec(compile(source.replace(line, '    "language": Fact(words=msgid("Language")),\\n' + line), "dimensions.py", "exec"),
     table.__dict__)

from service.audit.query import parse
from service.audit.reports import Reports
from service.audit.segments import Segments
from service.storage.directory import DirectoryStorage
from service.store import Database

folder, now = Path(sys.argv[1]), datetime.fromisoformat(sys.argv[2])
database = Database(f"sqlite:///{folder}/emblem.sqlite3")
segments = Segments(database, DirectoryStorage(folder / "storage"), folder, lambda: now)
reports = Reports(database, segments, lambda: now)
ask = lambda: reports.run(parse([("by", "language"), ("by", "country")])).as_json()["rows"]
before = ask()
written = segments.write()
columns = {path.name: b"language" in path.read_bytes() for path in (folder / "storage").rglob("*.parquet")}
print(json.dumps({"before": before, "written": written, "after": ask(), "columns": columns}))
database.close()
"""


def test_a_new_dimension_is_one_line_with_old_segments_present(mixed: Deployment, tmp_path: Path) -> None:
    """Old segments have no such column, and their entries are read; new ones have it."""
    assert "language" not in FACTS
    facts = {name: value for name, value in download(START).items() if name not in ("kind", "at", "id")}
    some = [Spoken(id=f"dl_{number}", language=lang, **facts) for number, lang in enumerate(("fr", "fr", None))]
    mixed.database.write(lambda session: ledger.append_many(session, some, START + 4 * DAY))
    mixed.sealer.seal()
    later = START + 5 * DAY
    done = subprocess.run(
        [sys.executable, "-c", WITH_LANGUAGE, str(mixed.folder), timestamp(later)],
        capture_output=True, text=True, cwd=ROOT, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["before"] == found["after"]
    assert found["written"] > 0
    assert set(found["columns"].values()) == {True, False}
    by = {(row["language"], row["country"]): row["requests"] for row in found["after"]}
    assert by == {("fr", "AT"): 2, (None, "AT"): 21, (None, "FR"): 1, (None, None): 20}
    assert Path(dimensions.__file__).name == "dimensions.py"


def read_by(engine: str, folder: Path) -> list[Row]:
    if importlib.util.find_spec(engine) is None:
        said = f"{engine} is not installed; get it with: pip install -e '.[test]'"
        if strict():
            pytest.fail(said, pytrace=False)
        pytest.skip(said)
    done = subprocess.run(
        [sys.executable, "-m", "tests.audit.read_by", engine, str(folder)],
        capture_output=True, text=True, cwd=ROOT, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return list(json.loads(done.stdout))


@pytest.fixture
def exported(mixed: Deployment, tmp_path: Path) -> Path:
    """The entries of an export."""
    export(mixed.reports, mixed.storage, mixed.sealer.vkeys(), tmp_path / "export")
    return tmp_path / "export" / "entries"


@pytest.mark.parametrize("engine", ENGINES)
def test_every_engine_reads_the_same(mixed: Deployment, exported: Path, engine: str) -> None:
    """Nulls, times with their zone, and the partition's day."""
    with mixed.database.read() as session:
        from sqlalchemy import text

        entries = session.execute(text("select leaf, body from ledger_entries order by leaf")).all()
    expected = []
    for leaf, body in entries:
        entry = json.loads(body)
        happened = entry.get("hour", entry["at"])
        row = {name: entry.get(name) for name in COLUMNS}
        row |= {"leaf": leaf, "recorded_at": entry["at"].replace("Z", "+00:00")}
        row |= {"happened_at": happened.replace("Z", "+00:00"), "day": happened[:10]}
        expected.append(row)
    assert read_by(engine, exported) == expected
    assert {row["country"] for row in expected} == {"AT", "FR", None}
