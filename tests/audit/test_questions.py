"""The questions in the auditors' guide are answered by the SQL that stands there, over a real export."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import duckdb
import pytest

from service.clock import timestamp

from .conftest import START, download, use

GUIDE = (Path(__file__).resolve().parents[2] / "docs" / "auditors.md").read_text(encoding="utf-8")
QUESTIONS = re.findall(r"\n([A-Z][^\n]*\?)\n```sql\n(.*?)```", GUIDE, re.DOTALL)


@pytest.fixture
def entries(tmp_path: Path) -> duckdb.DuckDBPyConnection:
    """A table of the shape that the guide describes, with a handful of facts."""
    facts: list[dict[str, Any]] = [
        download(START, participant="par_a"),
        download(START, participant="par_b", terms_version="2024-01-01"),
        download(START, participant="par_b", counted=False, client_kind="robot"),
        use(START, START, origin="https://a.example", views=5),
        use(START, START, origin="https://b.example", views=9),
        {"kind": "participant.decided", "at": START, "rule": "commitment-given", "outcome": "approved"},
    ]
    from service.audit.entry_table import connect, load_entries

    connection = connect()
    lines = (
        json.dumps(
            {"v": 1, "kind": fact["kind"], "at": timestamp(START)} | {k: v for k, v in fact.items() if k != "at"}
        )
        for fact in facts
    )
    load_entries(connection, "entries", enumerate(lines))
    return connection


def test_there_are_five() -> None:
    assert len(QUESTIONS) == 5


def test_each_is_answered(entries: duckdb.DuckDBPyConnection) -> None:
    answers = [entries.execute(sql).fetchall() for _, sql in QUESTIONS]
    assert answers == [
        [("2026-11", 2, 2)],
        [("https://b.example", 9), ("https://a.example", 5)],
        [("par_b", "2024-01-01")],
        [("commitment-given", "approved", 1)],
        [("browser", 2, 66.7), ("robot", 1, 33.3)],
    ]
