"""Plots as SVG by pygal, made fit for our pages: no script, no style of their own, links, names for every mark."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from xml.etree import ElementTree as ET

from .reports import Row

MOST_BARS = 16  # horizontal bars; the table beside a plot has everything
_MOST_COLUMNS = 120
_FEW = 9  # below, every whole number has its line

#: What pages show plots with. One set of classes; colours have 3:1 on both grounds, text 4.5:1.
CSS = """
.plot-svg{width:100%;height:auto;display:block;direction:ltr;font:12px/1.4 system-ui,sans-serif}
.plot-svg .background{fill:none}
.plot-svg text{fill:#3b4754;font-size:11px}
.plot-svg .axis .line,.plot-svg .axis .guide.line{stroke:#d5dde5;fill:none}
.plot-svg .axis.y text{text-anchor:end}
.plot-svg .axis.x text{text-anchor:middle}
.plot-svg .axis.x text[transform]{text-anchor:start}
.plot-svg .axis.x text[transform].backwards{text-anchor:end}
.plot-svg text.no_data{text-anchor:middle;font-size:16px}
.plot-svg .series rect{fill:#0b5cad}
.plot-svg a:hover rect,.plot-svg a:focus rect{fill:#063a70}
.plot-svg a:focus{outline:3px solid #b35900;outline-offset:1px}
@media (prefers-color-scheme:dark){
.plot-svg text{fill:#c9d4df}
.plot-svg .axis .line,.plot-svg .axis .guide.line{stroke:#3a4653}
.plot-svg .series rect{fill:#6fb1f0}
.plot-svg a:hover rect,.plot-svg a:focus rect{fill:#b7d9fa}
}
"""

Link = Callable[[Row], str | None]


def _nowhere(row: Row) -> str | None:
    """No link."""
    return None


def plot(rows: Sequence[Row], name: str, measure: str, *, label: str, link: Link = _nowhere) -> str:
    """An SVG element of one measure over one dimension: columns over time, else bars, the largest first.

    ``label`` is its accessible name; ``link`` gives where a click on a row's mark leads.
    """
    import pygal  # type: ignore[import-untyped]  # it ships no types

    over_time = name in ("day", "week", "month")
    if over_time:
        shown = list(rows)[-_MOST_COLUMNS:]
    else:
        shown = sorted(rows, key=lambda row: (-row[measure], row[name] is None, row[name] or ""))[:MOST_BARS]
    options = {
        "js": [],
        "show_legend": False,
        "disable_xml_declaration": True,
        "no_data_text": "Nothing in this range",
        "margin": 6,
        "margin_left": 18,
        "include_x_axis": True,
        "width": 860,
        "value_formatter": _number,
    }
    most = max((row[measure] for row in shown), default=_FEW)
    if most < _FEW:
        # The library's own steps are fractions, which repeat when rounded.
        options["y_labels"] = list(range(max(1, most) + 1))
    if over_time:
        step = max(1, -(-len(shown) // 12))
        chart = pygal.Bar(height=260, truncate_label=-1, show_minor_x_labels=False, spacing=2, **options)
        chart.x_labels = [_label(row[name]) for row in shown]
        chart.x_labels_major_every = step
        ordered = shown
    else:
        chart = pygal.HorizontalBar(height=70 + 26 * max(1, len(shown)), truncate_label=34, **options)
        ordered = shown[::-1]  # the library draws from below
        chart.x_labels = [_label(row[name]) for row in ordered]
    chart.add(measure, [{"value": row[measure], "xlink": link(row) or ""} for row in ordered] or [])
    tree = chart.render_tree()
    titles = [f"{_label(row[name])}: {row[measure]:,}" for row in ordered]
    return _clean(tree, label, titles)


def _label(value: object) -> str:
    """A dimension's value in a plot or table; control characters are not shown."""
    return "none" if value is None else "".join(letter if letter.isprintable() else "\ufffd" for letter in str(value))


def _number(value: float) -> str:
    return f"{value:,.0f}"


def _clean(tree: ET.Element, label: str, titles: Sequence[str]) -> str:
    """The library's SVG without what our Content-Security-Policy forbids and what screen readers cannot use."""
    remaining = iter(titles)
    _walk(tree, remaining)
    box = tree.get("viewBox", "")
    root = ET.Element("svg", {"class": "plot-svg", "viewBox": box, "role": "group", "aria-label": label})
    root.extend(list(tree))
    return ET.tostring(root, encoding="unicode")


def _walk(element: ET.Element, titles: object) -> None:
    for child in list(element):
        tag = child.tag if isinstance(child.tag, str) else ""
        kind = child.get("class") or ""
        if not tag or tag in ("defs", "style", "script", "desc", "title") or "overlay" in kind:
            element.remove(child)
            continue
        for name in ("style", "id"):
            child.attrib.pop(name, None)
        child.text = child.text if tag == "text" else None
        child.tail = None
        _walk(child, titles)
        if tag == "a":
            _link(child)
        if tag == "rect" and "reactive" in kind and "tooltip-trigger" in kind:
            said = next(titles, "")  # type: ignore[call-overload]  # an iterator, shared by the whole walk
            ET.SubElement(child, "title").text = said


def _link(anchor: ET.Element) -> None:
    href = next(
        (value for name, value in anchor.attrib.items() if str(getattr(name, "text", name)).endswith("href")), ""
    )
    anchor.attrib.clear()
    if href:
        anchor.set("href", href)
