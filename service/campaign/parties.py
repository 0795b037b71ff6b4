"""Parties to the Protocol and, for regional organizations, to the Convention: ``parties.csv``."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from .countries import is_country
from .mistakes import Mistakes
from .source import read_text

COLUMNS = (
    "code",
    "name_in_source",
    "status",
    "date",
    "date_kind",
    "decides",
    "convention",
    "convention_source",
    "source",
    "confidence",
)
STATUSES = ("party", "signatory", "none")
CONVENTION = ("party", "")


@dataclass(frozen=True)
class PartyRow:
    """Row of a source on one State or regional organization."""

    code: str
    name_in_source: str
    status: str
    date: date | None
    date_kind: str
    decides: bool
    convention: str
    convention_source: str
    source: str
    confidence: str
    line: int


def protocol_status(row: PartyRow | None) -> str:
    """``party``, ``signatory`` or ``none`` as far as the row decides by itself, else ``unknown``."""
    return row.status if row and row.decides else "unknown"


def convention_status(row: PartyRow | None) -> str:
    """``party`` if the row says so and decides by itself, else ``unknown``."""
    return row.convention if row and row.decides and row.convention else "unknown"


def read_parties(path: Path, mistakes: Mistakes) -> Mapping[str, PartyRow]:
    """The rows by country code; every mistake is noted with its line."""
    text = read_text(path, mistakes)
    if text is None:
        return {}
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
    found: dict[str, PartyRow] = {}
    line = 1
    try:
        header = next(reader, [])
        if tuple(header) != COLUMNS:
            mistakes.add(
                path, 1, "The columns are not the expected ones", f"Write the first line as {','.join(COLUMNS)}"
            )
            return {}
        while True:
            line = reader.line_num + 1  # a quoted cell may go on over lines, so it is taken before the row
            cells = next(reader, None)
            if cells is None:
                break
            if not cells:
                continue
            row = _row(path, line, cells, mistakes)
            if row is None:
                continue
            if row.code in found:
                where = found[row.code].line
                mistakes.add(path, line, f"{row.code} stands in line {where} already", "Keep one of the two rows")
                continue
            found[row.code] = row
    except csv.Error as error:
        mistakes.add(path, line, f"This is not valid CSV: {error}", "Check the quotes of this row")
        return {}
    if not found and not mistakes:
        mistakes.add(path, 1, "The table has no rows", "Add a row for each State whose status is known")
    return found


def _row(path: Path, line: int, cells: list[str], mistakes: Mistakes) -> PartyRow | None:
    if len(cells) != len(COLUMNS):
        mistakes.add(
            path,
            line,
            f"The row has {len(cells)} cells, not {len(COLUMNS)}",
            "Put quotes round a cell that has a comma in it",
        )
        return None
    value = {name: cell.strip() for name, cell in zip(COLUMNS, cells, strict=True)}
    before = len(mistakes.all())

    def wrong(message: str, fix: str) -> None:
        mistakes.add(path, line, message, fix)

    if not is_country(value["code"]):
        wrong(f"{value['code']!r} is no country", "Use the ISO 3166-1 alpha-2 code in upper case, or EU")
    if value["status"] not in STATUSES:
        wrong(f"The status {value['status']!r} is not known", f"Use one of {', '.join(STATUSES)}")
    if value["decides"] not in ("yes", "no"):
        wrong(f"decides is {value['decides']!r}", "Write yes if the row decides by itself, else no")
    if value["convention"] not in CONVENTION:
        wrong(f"The convention {value['convention']!r} is not known", "Write party, or leave it empty")
    if value["convention"] and not value["convention_source"]:
        wrong("convention has no source", "Add where it is said in convention_source")
    if not value["source"]:
        wrong("The row has no source", "Add where the status is said")
    if not value["confidence"]:
        wrong("The row has no confidence", "Say how sure it is, such as high")
    day = _date(value["date"])
    if value["date"] and day is None:
        wrong(f"The date {value['date']!r} is none", "Write it as YYYY-MM-DD, or leave it empty")
    if len(mistakes.all()) > before:
        return None
    return PartyRow(
        code=value["code"],
        name_in_source=value["name_in_source"],
        status=value["status"],
        date=day,
        date_kind=value["date_kind"],
        decides=value["decides"] == "yes",
        convention=value["convention"],
        convention_source=value["convention_source"],
        source=value["source"],
        confidence=value["confidence"],
        line=line,
    )


def _date(text: str) -> date | None:
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
