"""The report of many files as one HTML file that holds everything it shows."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from html import escape

from ..campaign import direction
from ..problems import Problem
from .report import Checked, Finding, LogoReport

_VERDICTS = {
    "compliant": "Follows the rules",
    "not_compliant": "Breaks the rules",
    "needs_review": "A person should look",
    "logo_not_found": "No logo found",
}
_STYLE = """
body{font:16px/1.5 system-ui,sans-serif;margin:0 auto;max-width:62rem;padding:1rem;color:#16202c;background:#fff}
h1{font-size:1.5rem}h2{font-size:1.1rem;overflow-wrap:anywhere;margin:2.5rem 0 .5rem}
img{max-width:100%;height:auto;border:1px solid #c5cdd8}table{border-collapse:collapse;width:100%}
th,td{text-align:start;vertical-align:top;padding:.3rem .6rem;border-bottom:1px solid #c5cdd8}
.verdict{display:inline-block;padding:.1rem .6rem;border-radius:1rem;color:#fff;background:#5b6472}
.compliant{background:#00704a}.not_compliant,.problem{background:#b3142e}.needs_review{background:#8a4b00}
""".replace("\n", "")


def page(files: Sequence[tuple[str, Checked | Problem]], lang: str) -> str:
    """One page for all files, in the order given."""
    counts: dict[str, int] = {}
    for _, found in files:
        name = "not checked" if isinstance(found, Problem) else _VERDICTS[found.report.verdict].lower()
        counts[name] = counts.get(name, 0) + 1
    summary = ", ".join(f"{count} {name}" for name, count in sorted(counts.items()))
    parts = [_section(name, found) for name, found in files]
    return (
        f'<!doctype html><html lang="{lang}" dir="{direction(lang)}"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>Artwork check</title><style>{_STYLE}</style><main><h1 lang=en dir=ltr>Artwork check</h1>"
        f"<p lang=en dir=ltr>{len(files)} files: {escape(summary)}.</p>{''.join(parts)}</main></html>\n"
    )


def _section(name: str, found: Checked | Problem) -> str:
    if isinstance(found, Problem):
        said = f'<p><span class="verdict problem" lang=en>Not checked</span> {escape(found.detail)}</p>'
        return f"<section><h2 dir=ltr>{escape(name)}</h2>{said}</section>"
    report = found.report
    rows = "".join(
        _row(number, logo, finding, asked)
        for number, logo in enumerate(report.logos, start=1)
        for finding, asked in [*((f, False) for f in logo.violations), *((f, True) for f in logo.questions)]
    )
    table = f"<table><tr lang=en dir=ltr><th>Logo<th>Rule<th>Finding<th>What to do</tr>{rows}</table>" if rows else ""
    pictures = "".join(
        f'<p><img alt="{escape(name, quote=True)}" src="data:image/png;base64,{base64.b64encode(png).decode()}"></p>'
        for _, png in found.annotated
    )
    notes = "".join(f"<p>{escape(note)}</p>" for note in report.notes)
    return (
        f"<section><h2 dir=ltr>{escape(name)}</h2>"
        f'<p><span class="verdict {report.verdict}" lang=en>{_VERDICTS[report.verdict]}</span></p>'
        f"{pictures}{table}{notes}</section>"
    )


def _row(number: int, logo: LogoReport, finding: Finding, asked: bool) -> str:
    place = f"{number}. {logo.logo}" + (f" ({logo.page})" if logo.page is not None else "")
    mark = "?" if asked else ""
    return (
        f"<tr><td dir=ltr>{escape(place)}<td>{escape(finding.title)}{mark}"
        f"<td>{escape(finding.found)}<td>{escape(finding.fix)}</tr>"
    )
