"""The statements of docs/engines.md run on ClickHouse over the segments where they lie, with Emblem's own figures."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from service.audit.dimensions import DIMENSIONS
from service.audit.entry_table import connect
from service.audit.query import parse
from service.storage import open_storage
from tests.parts.s3 import S3Server

from .conftest import START, Deployment, decided, some_facts
from .test_questions import QUESTIONS as OURS

GUIDE = (Path(__file__).resolve().parents[2] / "docs" / "engines.md").read_text(encoding="utf-8")
STATEMENTS: list[str] = re.findall(r"```sql\n(.*?)```", GUIDE, re.DOTALL)
FOLDER, BUCKET, REPORT, *QUESTIONS = STATEMENTS
OVER_TIME = dict(re.findall(r"^\| `(\w+)` \| `(.+)` \|$", GUIDE, re.MULTILINE))


def ask(view: str, *statements: str) -> list[list[dict[str, Any]]]:
    settings = "SET output_format_json_quote_64bit_integers = 0"
    done = subprocess.run(
        [sys.executable, "-m", "tests.audit.ask_clickhouse"],
        input=json.dumps([settings, view, *statements]), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    answers: list[list[dict[str, Any]]] = json.loads(done.stdout)
    return answers


@pytest.fixture
def filled(deployment: Deployment) -> Deployment:
    """Facts of two months, all of them in segments, so that Emblem's report reads what the other engine reads."""
    deployment.segments.rows = 256
    for round_ in range(3):
        deployment.record(some_facts(300, START + timedelta(days=5 * round_), seed=round_))
        deployment.record([decided(START)])
        deployment.sealer.seal()
    deployment.time = START.replace(month=12)
    deployment.segments.write()
    assert deployment.segments.end() == deployment.segments.size() > 900  # and the entry of the key
    return deployment


def in_folder(filled: Deployment) -> str:
    return FOLDER.replace("/var/lib/emblem/storage", str(filled.folder / "storage"))


def sorted_rows(rows: list[dict[str, Any]]) -> list[str]:
    return sorted(json.dumps(row, sort_keys=True) for row in rows)


def test_every_dimension_and_the_totals_have_our_figures(filled: Deployment) -> None:
    expressions = {name: OVER_TIME.get(name, name) for name in DIMENSIONS}
    grouped = [
        REPORT.replace("SELECT country", f"SELECT {shown}").replace("BY country", f"BY {name}")
        for name, shown in expressions.items()
    ]
    totals = re.sub(r"GROUP BY .*\n", "", REPORT.replace("SELECT country,", "SELECT"))
    answers = ask(in_folder(filled), *grouped, totals)
    assert {name for name, dimension in DIMENSIONS.items() if dimension.over_time} == set(OVER_TIME)
    for name, answer in zip(DIMENSIONS, answers, strict=False):
        ours = filled.reports.run(parse([("by", name)])).as_json()["rows"]
        assert sorted_rows(answer) == sorted_rows(ours), name
        assert len(ours) > 1, name
    assert answers[-1] == [filled.reports.run(parse([])).as_json()["totals"]]


def test_the_five_questions_have_our_answers(filled: Deployment) -> None:
    duck = connect()
    duck.execute(f"create view entries as from read_parquet('{filled.folder}/storage/segments/*/*.parquet')")
    expected = [duck.execute(statement).fetchall() for _, statement in OURS]
    answers = ask(in_folder(filled), *QUESTIONS)
    for (question, _), answer, rows in zip(OURS, answers, expected, strict=True):
        assert sorted(map(repr, (tuple(row.values()) for row in answer))) == sorted(map(repr, rows)), question
        assert rows, question


def test_segments_in_s3_are_read_where_they_lie(filled: Deployment, s3_server: S3Server) -> None:
    url = s3_server.url("engines")
    there = open_storage(url)
    for path in sorted((filled.folder / "storage" / "segments").rglob("*.parquet")):
        there.put_new(str(path.relative_to(filled.folder / "storage")), path)
    bucket = url.removeprefix("s3://").partition("/")[0]
    keys = s3_server.environment
    view = (
        BUCKET.replace("https://s3.example.org/BUCKET/PREFIX", f"{s3_server.endpoint}/{bucket}/engines")
        .replace("KEY", keys["AWS_ACCESS_KEY_ID"])
        .replace("SECRET", keys["AWS_SECRET_ACCESS_KEY"])
    )
    (answer,) = ask(view, REPORT)
    assert sorted_rows(answer) == sorted_rows(filled.reports.run(parse([("by", "country")])).as_json()["rows"])
