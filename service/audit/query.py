"""Read a report's question (dimensions, period, filters, checkpoint), and write it as SQL."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from ..period import Period, read_period
from ..problems import FieldError, InvalidRequest
from .dimensions import DIMENSIONS, MEASURES

_MEASURED = "count(*) filter (counted) as downloads, count(counted) as requests, coalesce(sum(bytes), 0) as bytes"
_DISTINCT = "count(distinct participant) filter (counted)"
_VIEWED = "coalesce(sum(views), 0) as logo_views"
FORMATS = ("json", "csv", "parquet", "html")
NONE = "~"  # as a filter's value: the dimension does not apply
LONGEST_FILTER = 300  # characters; a site has fewer
MOST_DIMENSIONS = 50  # that a question may name, however often each
LARGEST_SIZE = 10**18 - 1
_PARAMETERS = {"by", "from", "to", "checkpoint", "format", "compare"}


@dataclass(frozen=True)
class ReportQuery:
    """A report's question. ``where`` filters by dimensions; the value ``~`` means that one does not apply."""

    by: tuple[str, ...] = ()
    period: Period = field(default_factory=Period)
    checkpoint: int | None = None
    where: Mapping[str, str] = field(default_factory=dict)
    compare: bool = False

    def previous(self) -> ReportQuery | None:
        """The same question for as long a time before; None where the period has no such time."""
        before = self.period.previous()
        return None if before is None else replace(self, period=before, compare=False)


def parse(parameters: Iterable[tuple[str, str]]) -> ReportQuery:
    """Read the question of a query string; raise InvalidRequest that names every parameter that is wrong.

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
    if len(by) > MOST_DIMENSIONS:
        errors.append(FieldError("?by", f"Name at most {MOST_DIMENSIONS} dimensions."))
    errors += [
        FieldError(f"?{name}", f"Give at most {LONGEST_FILTER} characters, and no NUL among them.")
        for name, value in where.items()
        if len(value) > LONGEST_FILTER or "\0" in value
    ]
    period = read_period(single.get("from"), single.get("to"), errors)
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
    return ReportQuery(
        by=tuple(dict.fromkeys(by)),
        period=period,
        checkpoint=None if size is None else int(size),
        where=where,
        compare="compare" in single,
    )


def sql(query: ReportQuery, source: str) -> tuple[str, dict[str, object]]:
    """The one query of a report over ``source``, and its parameters. Its last row is the totals.

    The columns are the dimensions, the measures, and ``whole``, true in the row of the totals.
    """
    conditions = ["leaf < $size", "kind in ('download', 'logo.used')"]
    parameters: dict[str, object] = {}
    for name, sign, instant in (("start", ">=", query.period.start), ("end", "<", query.period.end)):
        if instant is not None:
            conditions.append(f"happened_at {sign} ${name}")
            parameters[name] = instant.replace(tzinfo=None)
    for number, (name, value) in enumerate(sorted(query.where.items())):
        dimension = DIMENSIONS[name]
        if value == NONE:
            conditions.append(f"{dimension.key} is null")
        else:
            conditions.append(f"{dimension.shown.format(dimension.key)} = $where{number}")
            parameters[f"where{number}"] = value
    entries = f"from {source} where {' and '.join(conditions)}"
    if not query.by:
        return f"select {_MEASURED}, {_DISTINCT} as participants, {_VIEWED}, true as whole {entries}", parameters
    keys = ", ".join(f"{DIMENSIONS[name].key} as d{number}" for number, name in enumerate(query.by))
    names = [f"d{number}" for number in range(len(query.by))]
    shown = [f"{DIMENSIONS[name].shown.format(f'd{number}')} as {name}" for number, name in enumerate(query.by)]
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
