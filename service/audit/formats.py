"""A report as JSON, CSV, Parquet and a table of text. HTML with plots is in ``page``."""

from __future__ import annotations

import csv
import io
import json
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any

from ..media_types import MEDIA_TYPES
from .dimensions import MEASURES
from .entry_table import connect
from .parquet import quoted, write_parquet
from .reports import Report

#: Name of a form of a report -> the media type that it has.
FORMS = {name: MEDIA_TYPES[name] for name in ("json", "csv", "parquet", "html")} | {"table": MEDIA_TYPES["txt"]}
# A spreadsheet runs a cell that begins like this; some take the wide forms of the signs for the signs.
_FORMULA = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20", "\t", "\r", "\n")


def as_json(report: Report) -> bytes:
    """The document; the same report gives the same bytes."""
    return (json.dumps(report.as_json(), ensure_ascii=False, separators=(",", ":")) + "\n").encode()


def cell(value: Any) -> Any:
    """A value for a CSV file: text that a spreadsheet would run gets an apostrophe before it, null is empty."""
    if value is None:
        return ""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def as_csv(report: Report) -> bytes:
    """RFC 4180, with a header line, without totals."""
    names = [*report.query.by, *MEASURES]
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(names)
    writer.writerows([cell(row[name]) for name in names] for row in report.rows)
    return text.getvalue().encode()


def as_parquet(report: Report) -> bytes:
    """The rows, dimensions as text and measures as 64-bit numbers, without totals."""
    columns = {**dict.fromkeys(report.query.by, "VARCHAR"), **dict.fromkeys(MEASURES, "BIGINT")}
    with tempfile.TemporaryDirectory() as folder:
        rows, made = Path(folder) / "rows.json", Path(folder) / "report.parquet"
        rows.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in report.rows), encoding="utf-8")
        listed = ", ".join(f"'{name}': '{kind}'" for name, kind in columns.items())
        with closing(connect(threads=1)) as connection:
            read = f"from read_json({quoted(rows)}, format='newline_delimited', columns={{{listed}}})"
            write_parquet(connection, read, made, columns)
        return made.read_bytes()


def as_table(report: Report) -> str:
    """Aligned columns for a terminal, totals at the end, the previous period's totals below them."""
    names = [*report.query.by, *MEASURES]
    lines = [names]
    lines += [["–" if row[name] is None else _shown(row[name]) for name in names] for row in report.rows]
    if report.query.by:
        lines.append(_total("total", report, report.totals))
    if report.previous is not None:
        lines.append(_total("before", report, report.previous.totals))
    widths = [max(len(line[column]) for line in lines) for column in range(len(names))]
    text = []
    for line in lines:
        cells = [
            item.ljust(width) if column < len(report.query.by) else item.rjust(width)
            for column, (item, width) in enumerate(zip(line, widths, strict=True))
        ]
        text.append("  ".join(cells).rstrip())
    text.insert(1, "  ".join("-" * width for width in widths))
    head = report.checkpoint
    text.append(f"\nLog {head['origin']}, checkpoint of {head['size']} leaves, root {head['root']}.")
    if report.note:
        text.append(report.note)
    return "\n".join(text) + "\n"


def _total(label: str, report: Report, totals: dict[str, Any]) -> list[str]:
    labels = [label, *["" for _ in report.query.by[1:]]] if report.query.by else []
    return labels + [_shown(totals[name]) for name in MEASURES]


def _shown(value: Any) -> str:
    """A value in a table; control characters of a value from outside could rewrite a terminal's screen."""
    if isinstance(value, int):
        return f"{value:,}"
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in str(value))
