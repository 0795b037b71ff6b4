"""The audit for people: how the logo travels, as plots with their tables; alerts; the state of the log."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import partial
from hashlib import sha256
from typing import Any

from flask import Response, make_response, request, url_for
from markupsafe import Markup

from ...alerts.alerts import unlisted_origins, views_after_suspension
from ...audit.dimensions import DIMENSIONS, MEASURES
from ...audit.plots import CSS, plot
from ...audit.query import NONE, ReportQuery, parse
from ...audit.reports import Report, Row
from ...campaign.countries import country_name
from ...campaign.kinds import Kind
from ...campaign.text import msgid
from ...period import parse_period
from ...problems import InvalidRequest, NotSealed
from ..api.audit import report_answer
from ..context import deployment
from ..i18n import language, localized_plain, translate_plain
from ..pages.render import private
from .blueprint import staff

_DAYS = 30  # shown where no range is asked for
_ROWS = 50  # in a table beside its plot; the download has all

#: The measures in the order of the page's tables.
_MEASURES = {name: MEASURES[name] for name in ("downloads", "participants", "logo_views", "requests", "bytes")}
#: What the page shows: a title, the dimension (None: by time), and the measure that is drawn.
_PANELS = (
    ("downloads", msgid("Downloads over time"), None, "downloads"),
    ("views", msgid("Logo views over time"), None, "logo_views"),
    ("countries", msgid("Downloads by country"), "country", "downloads"),
    ("packages", msgid("Downloads by package"), "package", "downloads"),
    ("kinds", msgid("Downloads by kind of participant"), "participant_kind", "downloads"),
    ("sites", msgid("Logo views by site"), "origin", "logo_views"),
)


#: What alerts tell of besides dimensions and measures of reports.
_FACTS = {
    "embed": msgid("Embed"),
    "link": msgid("Link"),
    "views": msgid("Logo views"),
    "attempts": msgid("Refused attempts"),
    "usual": msgid("Usually in a day"),
}


@dataclass(frozen=True)
class Panel:
    """One plot with its table and its downloads."""

    id: str
    title: str
    dimension: str
    measure: str
    figure: Markup
    rows: list[Row]
    more: int
    links: dict[str, str]
    drill: Callable[[Row], str | None]

    @property
    def columns(self) -> list[str]:
        """The measures in the order of the table's columns: what is drawn first, so that a telephone shows it."""
        return [self.measure, *(name for name in _MEASURES if name != self.measure)]


@staff.get("/audit")
def audit() -> Response:
    """Plots and tables of what was downloaded and shown; a click on a mark narrows them to it."""
    given = [(name, value) for name, value in request.args.items(multi=True) if name != "lang"]
    mistakes: list[str] = []
    try:
        query = parse(given)
    except InvalidRequest as error:
        query = ReportQuery()
        mistakes = [found.detail for found in error.errors]
    query = replace(_with_range(query), compare=True, by=())
    context: dict[str, Any] = {
        "mistakes": mistakes,
        "query": query,
        "chips": _chips(query),
        "measures": _MEASURES,
        "dimensions": {name: dimension.words for name, dimension in DIMENSIONS.items()},
        "said": _said,
        "kinds": _kinds(),
        "styles": url_for("staff.audit_styles", v=_style_version()),
    }
    try:
        panels, whole = _panels(query)
    except NotSealed:
        return private("staff/audit.html", panels=[], whole=None, **context)
    emblem = deployment()
    since = query.period.start or emblem.clock() - timedelta(days=_DAYS)
    unlisted = unlisted_origins(emblem.database, since)
    return private(
        "staff/audit.html",
        panels=panels,
        whole=whole,
        alerts=[_told(alert) for alert in emblem.alerts.newest(20)],
        unlisted=unlisted[:_ROWS],
        unlisted_sites={use["origin"] for use in unlisted},
        suspended=views_after_suspension(emblem.database),
        checkpoint=emblem.reports.checkpoint(whole.checkpoint["size"]),
        vkeys=emblem.sealer.vkeys(),
        **context,
    )


def _told(alert: dict[str, Any]) -> dict[str, Any]:
    """An alert with its title by language and what it found as words and values.

    The summary is English: it is what mails and webhooks say. It stands alone where the rule is there no more.
    """
    facts = dict(alert["facts"])
    if "figure" in facts:
        facts[facts["of"]] = facts["figure"]
        if facts["by"]:
            facts[facts["by"]] = facts["value"]
    words = {name: DIMENSIONS[name].words for name in DIMENSIONS} | MEASURES | _FACTS
    named = [(words[name], name, value) for name, value in facts.items() if name in words and value is not None]
    return {**alert, "title": deployment().alerts.title(alert["rule"]), "named": named}


@staff.get("/audit/report")
def audit_report() -> Response:
    """A report as a file, for whoever is signed in; the same as the API gives a key."""
    return report_answer()


@staff.get("/audit/plots.css")
def audit_styles() -> Response:
    """The style of the plots, which the self-contained report carries too."""
    response = make_response(CSS)
    response.headers["Content-Type"] = "text/css; charset=utf-8"
    response.headers["Cache-Control"] = "private, max-age=31536000, immutable"
    return response


def _style_version() -> str:
    return sha256(CSS.encode()).hexdigest()[:12]


def _with_range(query: ReportQuery) -> ReportQuery:
    """The last thirty days where no range was asked for, so that there is a period before to compare with."""
    if query.period.start is not None or query.period.end is not None:
        return query
    today = deployment().clock().date()
    first = today - timedelta(days=_DAYS - 1)
    return replace(query, period=parse_period(first.isoformat(), today.isoformat()))


def _panels(query: ReportQuery) -> tuple[list[Panel], Report]:
    over = _time_unit(query)
    queries = [replace(query, by=(dimension or over,), compare=False) for _, _, dimension, _ in _PANELS]
    whole, *found = deployment().reports.run_all([query, *queries])
    made = []
    for (name, title, dimension, measure), report in zip(_PANELS, found, strict=True):
        shown = dimension or over
        rows = [row for row in report.rows if row[measure]] if dimension else report.rows
        if not any(row[measure] for row in rows):
            continue
        rows = rows if dimension is None else sorted(rows, key=lambda row: -row[measure])
        drill = _drill(query, shown)
        say = partial(_said, shown)
        drawn = plot(rows, shown, measure, label=translate_plain(title), link=drill, say=say)
        links = {
            form: _address(query, {"by": shown, "format": form}, "staff.audit_report")
            for form in ("csv", "parquet", "json")
        }
        figure = Markup(drawn)  # noqa: S704 - made by plot(), which escapes what it shows
        rows = rows[::-1] if dimension is None else rows
        made.append(Panel(name, title, shown, measure, figure, rows[:_ROWS], len(rows) - _ROWS, links, drill))
    return made, whole


def _said(dimension: str, value: object) -> str:
    """A dimension's value in the page's language, where it has words; else as the report has it."""
    if value is None:
        return "–"
    if dimension == "country":
        return country_name(str(value), language())
    if dimension == "participant_kind" and value in _kinds():
        return localized_plain(_kinds()[str(value)].label)
    return str(value)


def _kinds() -> dict[str, Kind]:
    return {kind.id: kind for kind in deployment().campaign.eligibility.kinds}


def _time_unit(query: ReportQuery) -> str:
    """Days for up to four months, then weeks, then months: as many columns as can be told apart."""
    if query.period.start is None or query.period.end is None:
        return "month"
    days = (query.period.end - query.period.start).days
    return "day" if days <= 124 else "week" if days <= 800 else "month"


def _parameters(query: ReportQuery) -> dict[str, str | None]:
    chosen: dict[str, str | None] = dict(query.where)
    if query.period.from_text:
        chosen["from"] = query.period.from_text
    if query.period.to_text:
        chosen["to"] = query.period.to_text
    if query.checkpoint is not None:
        chosen["checkpoint"] = str(query.checkpoint)
    return chosen


def _address(query: ReportQuery, changes: Mapping[str, str | None], endpoint: str = "staff.audit") -> str:
    """The address of the same question with some of it changed; None takes a part away."""
    chosen: dict[str, Any] = {**_parameters(query), **changes}
    return url_for(endpoint, **{name: value for name, value in chosen.items() if value is not None})


def _drill(query: ReportQuery, dimension: str) -> Callable[[Row], str | None]:
    """Return where a click on a row leads: the same page, of this row alone."""

    def link(row: Row) -> str | None:
        value = row[dimension]
        if DIMENSIONS[dimension].over_time:
            span = _span(dimension, value)
            return _address(query, {"from": span[0], "to": span[1]})
        return _address(query, {dimension: NONE if value is None else value})

    return link


def _span(unit: str, value: str) -> tuple[str, str]:
    """The first and the last day of a day, week or month as reports write it."""
    if unit == "day":
        return value, value
    if unit == "week":
        year, week = value.split("-W")
        first = date.fromisocalendar(int(year), int(week), 1)
        return first.isoformat(), (first + timedelta(days=6)).isoformat()
    first = date.fromisoformat(f"{value}-01")
    after = (first + timedelta(days=32)).replace(day=1)
    return first.isoformat(), (after - timedelta(days=1)).isoformat()


def _chips(query: ReportQuery) -> list[tuple[str, str, str]]:
    """The filters in force: the dimension's words, its value, and the address without it."""
    return [
        (DIMENSIONS[name].words, "–" if value == NONE else value, _address(query, {name: None}))
        for name, value in sorted(query.where.items())
        if name in DIMENSIONS
    ]
