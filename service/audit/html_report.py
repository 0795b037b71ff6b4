"""A report as one HTML file: plots, tables and style in it, nothing fetched, no script."""

from __future__ import annotations

import base64
import hashlib

from jinja2 import Environment
from markupsafe import Markup

from .dimensions import DIMENSIONS, MEASURES
from .plots import CSS, plot
from .reports import Report

_STYLE = (
    """
:root{color-scheme:light dark}
body{font:16px/1.5 system-ui,sans-serif;max-width:64rem;margin:2rem auto;padding:0 1rem;color:#101820;background:#fff}
h1{font-size:1.6rem;line-height:1.2}h2{font-size:1.15rem;margin-top:2rem}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.25rem 1rem}
dt{font-weight:600}dd{margin:0;overflow-wrap:anywhere}
.table{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:.9rem}
th,td{padding:.35rem .6rem;border-bottom:1px solid #d5dde5;text-align:left}
th.n,td.n{text-align:right;font-variant-numeric:tabular-nums}
tfoot{font-weight:600}
.note{border-left:4px solid #b35900;padding-left:.75rem}
@media (prefers-color-scheme:dark){body{color:#e8eef4;background:#10161d}th,td{border-color:#3a4653}}
"""
    + CSS
)

_TEMPLATE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ title }}</title>
<style>{{ style }}</style>
</head>
<body>
<main>
<h1>{{ title }}</h1>
<dl>
<dt>From</dt><dd>{{ report.query.period.from_text or "the beginning" }}</dd>
<dt>To</dt><dd>{{ report.query.period.to_text or "the end" }}</dd>
{% for name, value in report.query.where | dictsort %}
<dt>Only {{ dimensions[name].words | lower }}</dt><dd>{{ value }}</dd>
{% endfor %}
<dt>Log</dt><dd>{{ report.checkpoint.origin }}</dd>
<dt>Checkpoint</dt><dd>{{ report.checkpoint.size }} leaves, root {{ report.checkpoint.root }}</dd>
</dl>
{% if report.note %}<p class="note">{{ report.note }}</p>{% endif %}
{% for heading, figure in plots %}
<h2>{{ heading }}</h2>
<figure>{{ figure }}</figure>
{% endfor %}
<h2>All figures</h2>
<div class="table" tabindex="0" role="region" aria-label="All figures">
<table>
<thead><tr>
{% for name in by %}<th scope="col">{{ dimensions[name].words }}</th>{% endfor %}
{% for words in measures.values() %}<th scope="col" class="n">{{ words }}</th>{% endfor %}
</tr></thead>
<tbody>
{% for row in report.rows %}<tr>
{% for name in by %}<td>{{ "–" if row[name] is none else row[name] }}</td>{% endfor %}
{% for name in measures %}<td class="n">{{ "{:,}".format(row[name]) }}</td>{% endfor %}
</tr>
{% endfor %}
</tbody>
{% if by %}<tfoot><tr>
<th scope="row" colspan="{{ by | length }}">Total</th>
{% for name in measures %}<td class="n">{{ "{:,}".format(report.totals[name]) }}</td>{% endfor %}
</tr></tfoot>{% endif %}
</table>
</div>
</main>
</body>
</html>
"""


def as_html(report: Report, campaign: str) -> bytes:
    """The report's page; the same report gives the same bytes."""
    by = report.query.by
    plots = []
    if len(by) == 1:
        words = DIMENSIONS[by[0]].words.lower()
        title = f"{campaign}: by {words}"
        for measure in ("downloads", "logo_views"):
            if any(row[measure] for row in report.rows):
                heading = f"{MEASURES[measure]} by {words}"
                plots.append((heading, Markup(plot(report.rows, by[0], measure, label=heading))))  # noqa: S704 - our SVG
    else:
        title = f"{campaign}: audit report"
    page = Environment(autoescape=True).from_string(_TEMPLATE)
    return page.render(
        title=title,
        style=Markup(_STYLE),  # noqa: S704 - a constant of ours
        report=report,
        plots=plots,
        by=by,
        measures=MEASURES,
        dimensions=DIMENSIONS,
    ).encode()


def style_digest() -> str:
    """The SHA-256 of the page's one style sheet, as a Content-Security-Policy names it."""
    return base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
