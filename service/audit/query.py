"""What a report is asked for: dimensions, range, filters, checkpoint; every mistake named."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta

from ..clock import timestamp
from ..problems import FieldError, InvalidRequest

_DAY = "cast(happened_at as date)"

#: Dimension -> (what is grouped by, how its group is written). Both are SQL over a segment's columns.
DIMENSIONS: dict[str, tuple[str, str]] = {
    "day": (_DAY, "strftime({}, '%Y-%m-%d')"),
    "week": ("date_trunc('week', happened_at)", "strftime({}, '%G-W%V')"),
    "month": ("date_trunc('month', happened_at)", "strftime({}, '%Y-%m')"),
    "package": ("package", "{}"),
    "version": ("version", "{}"),
    "participant": ("participant", "{}"),
    "participant_kind": ("participant_kind", "{}"),
    "country": ("country", "{}"),
    "terms_version": ("terms_version", "{}"),
    "origin": ("origin", "{}"),
    "logo": ("logo", "{}"),
    "variant": ("variant", "{}"),
    "client_kind": ("client_kind", "{}"),
}
_MEASURED = "count(*) filter (counted) as downloads, count(counted) as requests, coalesce(sum(bytes), 0) as bytes"
_DISTINCT = "count(distinct participant) filter (counted)"
_VIEWED = "coalesce(sum(views), 0) as logo_views"
TIMES = ("day", "week", "month")
MEASURES = ("downloads", "requests", "bytes", "participants", "logo_views")
FORMATS = ("json", "csv", "parquet", "html")
NONE = "~"  # as a filter's value: the dimension does not apply
_PARAMETERS = {"by", "from", "to", "checkpoint", "format", "compare"}


@dataclass(frozen=True)
class Query:
    """A report's question. ``start`` is included, ``end`` is not; None means without a limit.

    ``from_text`` and ``to_text`` are the range as it was asked for. ``where`` filters by dimensions; the
    value ``~`` means that the dimension does not apply.
    """

    by: tuple[str, ...] = ()
    start: datetime | None = None
    end: datetime | None = None
    from_text: str | None = None
    to_text: str | None = None
    checkpoint: int | None = None
    where: Mapping[str, str] = field(default_factory=dict)
    compare: bool = False

    def previous(self) -> Query | None:
        """The same question for as long a time before; None where the range is open."""
        if self.start is None or self.end is None:
            return None
        start = self.start - (self.end - self.start)
        dates = self.from_text is not None and len(self.from_text) == 10
        return replace(
            self,
            start=start,
            end=self.start,
            from_text=start.date().isoformat() if dates else timestamp(start),
            to_text=(self.start - timedelta(days=1)).date().isoformat() if dates else timestamp(self.start),
            compare=False,
        )


def parse(parameters: Iterable[tuple[str, str]]) -> Query:
    """The question of a query string; InvalidRequest names every parameter that is wrong.

    ``by`` may be repeated, or hold several dimensions with commas between them.
    """
    pairs = list(parameters)
    errors: list[FieldError] = []
    by = [part.strip() for name, value in pairs if name == "by" for part in value.split(",") if part.strip()]
    errors += [
        FieldError("?by", f"{name!r} is no dimension; use any of {', '.join(DIMENSIONS)}.")
        for name in sorted({name for name in by if name not in DIMENSIONS})
    ]
    single = {name: value for name, value in pairs if name in _PARAMETERS and name != "by" and value != ""}
    where = {name: value for name, value in pairs if name in DIMENSIONS and value != ""}
    errors += [
        FieldError(f"?{name}", "This parameter is not known; filters have the name of a dimension.")
        for name in sorted({name for name, _ in pairs} - _PARAMETERS - set(DIMENSIONS))
    ]
    start = _instant(single.get("from"), "from", errors)
    end = _instant(single.get("to"), "to", errors)
    if start and end and start[0] >= end[0]:
        errors.append(FieldError("?to", "The range ends before it begins; give a later end."))
    size = single.get("checkpoint")
    if size is not None and not re.fullmatch(r"0|[1-9][0-9]{0,17}", size):
        errors.append(FieldError("?checkpoint", f"{size!r} is no size of a checkpoint; give a whole number."))
        size = None
    if single.get("compare", "previous") != "previous":
        errors.append(FieldError("?compare", "The only comparison is compare=previous."))
    if single.get("format", "json") not in FORMATS:
        errors.append(FieldError("?format", f"Use one of {', '.join(FORMATS)}."))
    if errors:
        raise InvalidRequest(errors=errors)
    return Query(
        by=tuple(dict.fromkeys(by)),
        start=start[0] if start else None,
        end=end[0] if end else None,
        from_text=start[1] if start else None,
        to_text=end[1] if end else None,
        checkpoint=None if size is None else int(size),
        where=where,
        compare="compare" in single,
    )


def _instant(text: str | None, name: str, errors: list[FieldError]) -> tuple[datetime, str] | None:
    """The instant of ``from`` or ``to``, and how it is written back. A date in ``to`` includes its whole day."""
    if text is None:
        return None
    try:
        if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
            day = date.fromisoformat(text) + timedelta(days=name == "to")
            return datetime.combine(day, time(tzinfo=UTC)), text
        # A plus sign that was not encoded arrives as a space.
        instant = datetime.fromisoformat(text.replace(" ", "+") if "T" in text else text)
        if instant.tzinfo is None or not re.match(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt]", text):
            raise ValueError
        return instant.astimezone(UTC), timestamp(instant)
    except (ValueError, OverflowError):
        detail = f"{text!r} is neither a date such as 2026-11-25 nor an instant such as 2026-11-25T12:00:00Z."
        errors.append(FieldError(f"?{name}", detail))
        return None


def sql(query: Query, source: str) -> tuple[str, dict[str, object]]:
    """The one query of a report over ``source``, and its parameters. Its last row is the totals.

    The columns are the dimensions, the measures, and ``whole``, true in the row of the totals.
    """
    conditions = ["leaf < $size", "kind in ('download', 'logo.used')"]
    parameters: dict[str, object] = {}
    if query.start is not None:
        conditions.append("happened_at >= $start")
        parameters["start"] = query.start.replace(tzinfo=None)
    if query.end is not None:
        conditions.append("happened_at < $end")
        parameters["end"] = query.end.replace(tzinfo=None)
    for number, (name, value) in enumerate(sorted(query.where.items())):
        grouped, written = DIMENSIONS[name]
        if value == NONE:
            conditions.append(f"{grouped} is null")
        else:
            conditions.append(f"{written.format(grouped)} = $where{number}")
            parameters[f"where{number}"] = value
    entries = f"from {source} where {' and '.join(conditions)}"
    if not query.by:
        return f"select {_MEASURED}, {_DISTINCT} as participants, {_VIEWED}, true as whole {entries}", parameters
    keys = ", ".join(f"{DIMENSIONS[name][0]} as d{number}" for number, name in enumerate(query.by))
    names = [f"d{number}" for number in range(len(query.by))]
    shown = [f"{DIMENSIONS[name][1].format(f'd{number}')} as {name}" for number, name in enumerate(query.by)]
    groups = ", ".join(names)
    same = " and ".join(f"sums.{name} is not distinct from distinct_of.{name}" for name in names)
    order = ", ".join(["whole", *(f"{name} nulls last" for name in names)])
    # Who downloaded is told apart first, and counted twice from that: by group, and for the totals. That is
    # quicker than counting distinct ones in the groups, and a second time over all entries (docs/performance.md).
    statement = f"""with sums as (select {keys}, {_MEASURED}, {_VIEWED} {entries} group by {groups}),
        pairs as materialized (select distinct {keys}, participant {entries} and counted and participant is not null),
        distinct_of as (select {groups}, count(*) as participants from pairs group by {groups})
        select {", ".join([*shown, *MEASURES, "whole"])} from (
            (select sums.*, coalesce(participants, 0) as participants, false as whole
                from sums left join distinct_of on {same})
            union all by name
            (select cast(coalesce(sum(downloads), 0) as bigint) as downloads,
                cast(coalesce(sum(requests), 0) as bigint) as requests, coalesce(sum(bytes), 0) as bytes,
                (select count(distinct participant) from pairs) as participants,
                coalesce(sum(logo_views), 0) as logo_views, true as whole from sums)
        ) order by {order}"""  # noqa: S608 - our names
    return statement, parameters
