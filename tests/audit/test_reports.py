"""Reports against a plain recomputation of every figure, and the promises of reports."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb
import pytest

from service.audit import formats
from service.audit.dimensions import DIMENSIONS, MEASURES
from service.audit.query import parse
from service.problems import InvalidRequest, NotSealed

from .conftest import ON_BOTH, START, Deployment, Fact, download, some_facts, use

DAY = timedelta(days=1)


def when(fact: Fact) -> datetime:
    return datetime.fromisoformat(fact["hour"]) if "hour" in fact else fact["at"]


def dimension(name: str, fact: Fact) -> str | None:
    at = when(fact)
    if name == "day":
        return at.date().isoformat()
    if name == "week":
        year, week, _ = at.isocalendar()
        return f"{year}-W{week:02d}"
    if name == "month":
        return f"{at:%Y-%m}"
    value = fact.get(name)
    return None if value is None else str(value)


def plain(facts: Iterable[Fact], by: list[str]) -> list[dict[str, Any]]:
    """What a report is, in the plainest way."""
    groups: dict[tuple[Any, ...], list[Fact]] = {}
    for fact in facts:
        groups.setdefault(tuple(dimension(name, fact) for name in by), []).append(fact)
    rows = []
    for key in sorted(groups, key=lambda values: [(value is None, value or "") for value in values]):
        some = groups[key]
        downloads = [fact for fact in some if fact["kind"] == "download"]
        counted = [fact for fact in downloads if fact["counted"]]
        rows.append(
            {
                **dict(zip(by, key, strict=True)),
                "downloads": len(counted),
                "requests": len(downloads),
                "bytes": sum(fact["bytes"] for fact in downloads),
                "participants": len({fact["participant"] for fact in counted}),
                "logo_views": sum(fact.get("views", 0) for fact in some),
            }
        )
    return rows


def ask(deployment: Deployment, *parameters: tuple[str, str]) -> dict[str, Any]:
    return deployment.reports.run(parse(parameters)).as_json()


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def filled(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Deployment]:
    """Three rounds of facts: the first two in segments, the last in the tail. Only read."""
    url = request.getfixturevalue("postgres").new_database() if request.param == "postgres" else None
    deployment = Deployment(tmp_path_factory.mktemp("filled"), url)
    deployment.segments.rows = 256
    for round_ in range(3):
        deployment.record(some_facts(400, START + round_ * DAY, seed=round_))
        deployment.sealer.seal()
        if round_ < 2:
            deployment.segments.write()
    assert 0 < deployment.segments.end() < deployment.segments.size()
    yield deployment
    deployment.database.close()


@pytest.mark.parametrize(
    "by",
    [[], *([name] for name in DIMENSIONS), ["day", "country"], ["origin", "logo", "variant"], ["package", "version"]],
)
def test_every_figure_is_that_of_the_facts(filled: Deployment, by: list[str]) -> None:
    answer = ask(filled, *(("by", name) for name in by))
    assert answer["rows"] == plain(filled.facts, by)
    assert [answer["totals"]] == plain(filled.facts, [])
    assert answer["by"] == by


@pytest.mark.parametrize(
    ("limits", "start", "end"),
    [
        ({"from": "2026-11-21", "to": "2026-11-22"}, START + DAY, START + 3 * DAY),
        ({"from": "2026-11-21T10:00:00Z"}, START + timedelta(hours=34), None),
        ({"to": "2026-11-22T05:30:00+01:00"}, None, START + timedelta(hours=52, minutes=30)),
        ({"to": "2026-11-20"}, None, START + DAY),
    ],
)
def test_ranges_include_both_dates_and_exclude_the_second_instant(
    filled: Deployment, limits: dict[str, str], start: datetime | None, end: datetime | None
) -> None:
    inside = [
        fact for fact in filled.facts if (start is None or when(fact) >= start) and (end is None or when(fact) < end)
    ]
    answer = ask(filled, ("by", "package"), *limits.items())
    assert answer["rows"] == plain(inside, ["package"])
    assert [answer["totals"]] == plain(inside, [])
    assert 0 < len(inside) < len(filled.facts)


def test_filters_by_any_dimension_and_by_its_absence(filled: Deployment) -> None:
    answer = ask(filled, ("by", "day"), ("country", "FR"), ("package", "logo"))
    inside = [fact for fact in filled.facts if fact["country"] == "FR" and fact.get("package") == "logo"]
    assert answer["rows"] == plain(inside, ["day"])
    assert answer["where"] == {"country": "FR", "package": "logo"}
    answer = ask(filled, ("package", "~"), ("day", "2026-11-21"))
    inside = [fact for fact in filled.facts if "package" not in fact and dimension("day", fact) == "2026-11-21"]
    assert answer["rows"] == plain(inside, [])


def test_the_period_before_stands_beside(filled: Deployment) -> None:
    answer = ask(filled, ("by", "country"), ("from", "2026-11-22"), ("to", "2026-11-23"), ("compare", "previous"))
    before = [fact for fact in filled.facts if START <= when(fact) < START + 2 * DAY]
    assert (answer["previous"]["from"], answer["previous"]["to"]) == ("2026-11-20", "2026-11-21")
    assert answer["previous"]["rows"] == plain(before, ["country"])
    assert [answer["previous"]["totals"]] == plain(before, [])


@ON_BOTH
def test_an_earlier_checkpoint_gives_the_earlier_report_byte_for_byte(deployment: Deployment) -> None:
    """``checkpoint=SIZE`` gives any earlier report again, byte for byte."""
    deployment.segments.rows = 300
    kept: dict[int, list[bytes]] = {}
    questions = [("day",), ("country", "package"), ()]

    def answers(size: int) -> list[bytes]:
        made = []
        for by in questions:
            query = parse([("checkpoint", str(size)), *(("by", name) for name in by)])
            report = deployment.reports.run(query)
            made += [formats.as_json(report), formats.as_csv(report), formats.as_parquet(report)]
        return made

    for round_ in range(4):
        deployment.record(some_facts(200, START, seed=round_))
        size = deployment.sealer.seal().size
        kept[size] = answers(size)
        deployment.segments.write()
    deployment.time = START + 9 * DAY
    deployment.segments.write()
    assert deployment.segments.end() == deployment.segments.size()
    for size, before in kept.items():
        assert answers(size) == before


@ON_BOTH
def test_no_entries_give_one_row_of_zeros_or_none(deployment: Deployment) -> None:
    deployment.sealer.seal()
    zeros = dict.fromkeys(MEASURES, 0)
    assert ask(deployment)["rows"] == [zeros]
    assert ask(deployment, ("by", "day"))["rows"] == []
    assert ask(deployment, ("by", "day"))["totals"] == zeros


def test_the_checkpoint_is_the_one_that_is_published(filled: Deployment) -> None:
    origin, size, _ = (filled.folder / "storage/log/checkpoint").read_text().split("\n")[:3]
    stated = ask(filled)["checkpoint"]
    assert (stated["origin"], str(stated["size"])) == (origin, size)


@ON_BOTH
def test_before_the_first_checkpoint_nothing_is_sealed(deployment: Deployment) -> None:
    with pytest.raises(NotSealed):
        ask(deployment)


def test_a_checkpoint_to_come_is_not_sealed_and_one_that_never_was_names_its_neighbours(filled: Deployment) -> None:
    with pytest.raises(NotSealed, match="fewer than 999999"):
        ask(filled, ("checkpoint", "999999"))
    with pytest.raises(InvalidRequest) as error:
        ask(filled, ("checkpoint", "402"))
    assert "401, 801" in error.value.errors[0].detail


def test_a_range_that_is_not_sealed_yet_says_so(filled: Deployment) -> None:
    assert "beyond what is sealed" in ask(filled, ("from", "2026-11-21"), ("to", "2027-01-01"))["note"]
    assert "note" not in ask(filled, ("to", "2026-11-19"))


@pytest.mark.parametrize(
    ("parameters", "pointers"),
    [
        ([("by", "weekday")], ["?by"]),
        ([("from", "yesterday")], ["?from"]),
        ([("to", "2026-02-30")], ["?to"]),
        ([("to", "2026-11-25T12:00:00")], ["?to"]),
        ([("to", "9999-12-31")], ["?to"]),
        ([("from", "2026-11-25"), ("to", "2026-11-24")], ["?to"]),
        ([("checkpoint", "-1")], ["?checkpoint"]),
        ([("checkpoint", "٣")], ["?checkpoint"]),
        ([("format", "xlsx")], ["?format"]),
        ([("compare", "next")], ["?compare"]),
        ([("colour", "blue"), ("by", "x")], ["?by", "?colour"]),
    ],
)
def test_every_wrong_parameter_is_named(parameters: list[tuple[str, str]], pointers: list[str]) -> None:
    with pytest.raises(InvalidRequest) as error:
        parse(parameters)
    assert [found.pointer for found in error.value.errors] == pointers


def test_weeks_are_iso_weeks(deployment: Deployment) -> None:
    deployment.record([download(datetime(2027, 1, 1, tzinfo=UTC)), download(datetime(2026, 11, 25, tzinfo=UTC))])
    deployment.sealer.seal()
    assert [row["week"] for row in ask(deployment, ("by", "week"))["rows"]] == ["2026-W48", "2026-W53"]


# --- formats


def test_cells_that_a_spreadsheet_would_run_are_neutralised(deployment: Deployment) -> None:
    values = ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "plain", 'a,b"c']
    deployment.record([use(START, START, origin=value) for value in values])
    deployment.sealer.seal()
    text = formats.as_csv(deployment.reports.run(parse([("by", "origin")]))).decode()
    cells = {row["origin"] for row in csv.DictReader(io.StringIO(text, newline=""))}
    assert cells == {"'=1+1", "'+1", "'-1", "'@SUM(A1)", "'\tx", "'\rx", "plain", 'a,b"c'}


def test_csv_and_parquet_have_the_rows_of_the_json(filled: Deployment) -> None:
    report = filled.reports.run(parse([("by", "origin"), ("by", "day")]))
    rows = json.loads(formats.as_json(report))["rows"]
    read = list(csv.DictReader(io.StringIO(formats.as_csv(report).decode())))
    assert [{**row, "origin": row["origin"] or ""} for row in rows] == [
        {**row, **{name: int(row[name]) for name in MEASURES}} for row in read
    ]
    path = filled.folder / "report.parquet"
    path.write_bytes(formats.as_parquet(report))
    found = duckdb.execute(f"select * from '{path}'")
    names = [column[0] for column in found.description or []]
    assert names == ["origin", "day", *MEASURES]
    assert [dict(zip(names, row, strict=True)) for row in found.fetchall()] == rows


def test_the_table_shows_totals_and_no_control_characters(deployment: Deployment) -> None:
    deployment.record([use(START, START, origin="https://evil\x1b[2J.example", views=1234)])
    deployment.sealer.seal()
    text = formats.as_table(deployment.reports.run(parse([("by", "origin")])))
    assert "\x1b" not in text
    assert "1,234" in text
    assert text.splitlines()[3].startswith("total")
