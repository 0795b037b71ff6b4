"""Reports: one query over the entries below a checkpoint, so each belongs to it and can be made again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ..clock import Clock, timestamp
from ..ledger import notes
from ..ledger.rows import Rows, StoredCheckpoint
from ..problems import FieldError, InvalidRequest, NotSealed
from ..store.database import Database
from .dimensions import MEASURES
from .entry_table import connect, load_entries
from .query import ReportQuery, sql
from .segments import Segments

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

Row = dict[str, Any]


@dataclass(frozen=True)
class Report:
    """An answer: rows by the dimensions of its question, and the totals, of one checkpoint."""

    query: ReportQuery
    checkpoint: dict[str, Any]
    rows: list[Row]
    totals: Row
    note: str | None = None
    previous: Report | None = None

    def as_json(self) -> dict[str, Any]:
        """The answer's document; what was not asked for is left out."""
        document: dict[str, Any] = {
            "by": list(self.query.by),
            "from": self.query.period.from_text,
            "to": self.query.period.to_text,
            "checkpoint": self.checkpoint,
        }
        if self.query.where:
            document["where"] = dict(sorted(self.query.where.items()))
        if self.note:
            document["note"] = self.note
        document["rows"] = self.rows
        document["totals"] = self.totals
        if self.previous is not None:
            keys = ("from", "to", "rows", "totals")
            before = self.previous.as_json()
            document["previous"] = {key: before[key] for key in keys}
        return document


class Reports:
    """Makes reports of one deployment."""

    def __init__(self, database: Database, segments: Segments, clock: Clock) -> None:
        self.database = database
        self.segments = segments
        self.rows = Rows(database)
        self.clock = clock

    def checkpoint(self, size: int | None) -> StoredCheckpoint:
        """The checkpoint of a size, or the newest. NotSealed where it is still to come, else InvalidRequest."""
        newest = self.rows.newest()
        if newest is None:
            raise NotSealed("Nothing is sealed yet; the first checkpoint comes within seconds.", headers=_SOON)
        if size is None or size == newest.size:
            return newest
        if size > newest.size:
            raise NotSealed(f"The newest checkpoint has {newest.size} leaves, fewer than {size}.", headers=_SOON)
        found = self.rows.checkpoint(size)
        if found is None:
            near = ", ".join(str(number) for number in self.rows.sizes_near(size))
            detail = f"There is no checkpoint of {size} leaves; the nearest are {near}."
            raise InvalidRequest(errors=[FieldError("?checkpoint", detail)])
        return found

    def run(self, query: ReportQuery) -> Report:
        """The report. Raises as ``checkpoint`` does."""
        return self.run_all([query])[0]

    def run_all(self, queries: Sequence[ReportQuery]) -> list[Report]:
        """Reports of one checkpoint, that of the first question; what they read is opened once."""
        checkpoint = self.checkpoint(queries[0].checkpoint)
        head = notes.read(checkpoint.note)
        stated = {"origin": head.origin, "size": head.size, "root": head.root.hex()}
        before = [query.previous() if query.compare else None for query in queries]
        asked = [query for query in (*queries, *before) if query is not None]
        starts, ends = [query.period.start for query in asked], [query.period.end for query in asked]
        start = None if None in starts else min(item for item in starts if item is not None)
        end = None if None in ends else max(item for item in ends if item is not None)
        with self.opened(checkpoint.size, start, end) as (connection, source):
            made = []
            for query, earlier in zip(queries, before, strict=True):
                previous = None
                if earlier is not None:
                    previous = Report(earlier, {}, *_answer(connection, source, earlier, checkpoint.size))
                rows, totals = _answer(connection, source, query, checkpoint.size)
                made.append(Report(query, stated, rows, totals, _note(query, checkpoint), previous))
        return made

    @contextmanager
    def opened(
        self, size: int, start: datetime | None = None, end: datetime | None = None
    ) -> Iterator[tuple[DuckDBPyConnection, str]]:
        """DuckDB with the entries below ``size``, and the SQL to read them ``from``.

        With a range, files of other days are left out; the rows still have to be filtered.
        """
        files = self.segments.files(size)
        sealed = max((file.last + 1 for file in files), default=0)
        wanted = [
            file
            for file in files
            if (start is None or file.day >= start.date().isoformat())
            and (end is None or file.day <= end.date().isoformat())
        ]
        connection = connect()
        try:
            load_entries(connection, "tail", self.segments.entries(sealed, size))
            parts = [*self.segments.selected(connection, wanted), "select * from tail"]
            connection.execute(f"create temp view entries as {' union all by name '.join(parts)}")
            yield connection, "entries"
        finally:
            connection.close()


_SOON = {"Retry-After": "10"}


def _answer(connection: DuckDBPyConnection, source: str, query: ReportQuery, size: int) -> tuple[list[Row], Row]:
    statement, parameters = sql(query, source)
    found = connection.execute(statement, {**parameters, "size": size}).fetchall()
    names = [*query.by, *MEASURES]
    rows = [_row(names, values) for values in found if query.by and not values[-1]]
    totals = _row(MEASURES, found[-1][len(query.by) :])
    return rows or ([] if query.by else [totals]), totals


def _row(names: Any, values: Any) -> Row:
    return {name: int(value) if name in MEASURES else value for name, value in zip(names, values, strict=False)}


def _note(query: ReportQuery, checkpoint: StoredCheckpoint) -> str | None:
    """A sentence for a reader whose range goes beyond what the checkpoint covers; None where it does not."""
    last = query.period.end or query.period.start
    if last is None or last <= checkpoint.at:
        return None
    return (
        f"The range goes beyond what is sealed: this checkpoint was made at {timestamp(checkpoint.at)}, "
        "and what happens after it is not in this report."
    )
