"""docs/privacy.md names every column of the database: what is personal with why and how long, and the rest as such."""

from __future__ import annotations

import re
from pathlib import Path

from service.store import schema

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "privacy.md").read_text(encoding="utf-8")
CLASSES = {"person", "secret", "trace", "staff"}


def personal() -> dict[str, list[str]]:
    """Class, reason and time of each personal column."""
    rows = re.findall(r"^\| `(\w+\.\w+)` \| (.*) \|$", PAGE, re.MULTILINE)
    return {name: [cell.strip() for cell in rest.split(" | ")] for name, rest in rows}


def others() -> set[str]:
    """The columns that say nothing of a person."""
    rows = re.findall(r"^- `(\w+)`: (.+)$", PAGE, re.MULTILINE)
    return {f"{table}.{column}" for table, columns in rows for column in columns.split()}


def test_every_column_is_on_the_page() -> None:
    """A new column fails here until a line says whether it is personal."""
    columns = {f"{table.name}.{column.name}" for table in schema.metadata.sorted_tables for column in table.c}
    assert personal().keys() & others() == set()
    assert sorted(columns - personal().keys() - others()) == []
    assert sorted((personal().keys() | others()) - columns) == []


def test_every_personal_column_says_its_class_why_and_how_long() -> None:
    assert len(personal()) > 40
    for name, (kind, why, how_long) in personal().items():
        assert kind in CLASSES, name
        assert len(why) > 10, name
        assert how_long, name
