"""Plots as SVG by pygal, made fit for our pages: no script, no style of their own, links, names for every mark."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree as ET

from .dimensions import DIMENSIONS
from .reports import Row

MOST_BARS = 16  # horizontal bars; the table beside a plot has everything
_MOST_COLUMNS = 120
_FEW = 9  # below, every whole number has its line

#: What pages show plots with. One set of classes; colours have 3:1 on both grounds, text 4.5:1.
CSS = """
.plot-svg{width:100%;height:auto;display:block;direction:ltr;font:12px/1.4 system-ui,sans-serif}
.plot-svg .background{fill:none}
.plot-svg text{fill:#3b4754;font-size:11px}
.plot-narrow{display:none}
.plot-narrow text{font-size:12px}
@media (max-width:40rem){.plot-wide{display:none}.plot-narrow{display:block}}
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


def _label(value: object) -> str:
    """A dimension's value in a plot or table; control characters are not shown."""
    return "none" if value is None else "".join(letter if letter.isprintable() else "\ufffd" for letter in str(value))


def _number(value: float) -> str:
    return f"{value:,.0f}"


def _short(value: float) -> str:
    """A number of at most five letters or so."""
    for least, size, sign in ((1e9, 1e9, "G"), (1e6, 1e6, "M"), (1e4, 1e3, "k")):
        if value >= least:
            return f"{value / size:,.4g}{sign}"
    return _number(value)


@dataclass(frozen=True)
class _Shape:
    """Size and density of a plot for one width of the window; lengths in the plot's own pixels."""

    name: str
    width: int
    height: int  # of columns over time
    dates: int  # that are named below them at most
    letters: int  # of a bar's name at most
    steps: int  # of the scale at most
    font: int
    number: Callable[[float], str]  # how the scale is written


#: A plot of the first shape would have letters of 4 pixels on a telephone.
_SHAPES = (
    _Shape("wide", width=860, height=260, dates=12, letters=40, steps=16, font=10, number=_number),
    _Shape("narrow", width=350, height=230, dates=4, letters=17, steps=5, font=12, number=_short),
)


def plot(
    rows: Sequence[Row],
    name: str,
    measure: str,
    *,
    label: str,
    link: Link = _nowhere,
    say: Callable[[object], str] = _label,
) -> str:
    """A plot of one measure over one dimension: columns over time, else bars, the largest first.

    Two SVG elements, for wide and for narrow windows; ``CSS`` shows one of them. ``label`` is the plot's
    accessible name; ``link`` gives where a click on a row's mark leads; ``say`` puts a value of the dimension
    into words.
    """
    over_time = DIMENSIONS[name].over_time
    if over_time:
        shown = list(rows)[-_MOST_COLUMNS:]
    else:
        shown = sorted(rows, key=lambda row: (-row[measure], row[name] is None, row[name] or ""))[:MOST_BARS]
        shown = shown[::-1]  # the library draws from below
    names = [_label(say(row[name])) for row in shown]
    marks = [{"value": row[measure], "xlink": link(row) or ""} for row in shown]
    titles = [f"{words}: {row[measure]:,}" for words, row in zip(names, shown, strict=True)]
    drawn = []
    for shape in _SHAPES:
        tree = _drawn(shape, names, measure, marks, over_time=over_time)
        drawn.append(_clean(tree, f"plot-svg plot-{shape.name}", label, titles))
    return "".join(drawn)


def _drawn(
    shape: _Shape, names: Sequence[str], measure: str, marks: Sequence[dict[str, Any]], *, over_time: bool
) -> ET.Element:
    import pygal  # type: ignore[import-untyped]  # it ships no types
    from pygal.etree import etree  # type: ignore[import-untyped]
    from pygal.style import Style  # type: ignore[import-untyped]

    etree.to_etree()  # it takes lxml where that happens to be installed, whose elements are none of the library's
    options = {
        "js": [],
        "show_legend": False,
        "disable_xml_declaration": True,
        "no_data_text": "Nothing in this range",
        "margin": 6,
        "margin_left": 18,
        "include_x_axis": True,
        "width": shape.width,
        "style": Style(label_font_size=shape.font, major_label_font_size=shape.font),
        "value_formatter": shape.number,
        "min_scale": min(4, shape.steps - 2),
        "max_scale": shape.steps,
    }
    most = max((mark["value"] for mark in marks), default=_FEW)
    if most < _FEW:
        # The library's own steps are fractions, which repeat when rounded.
        options["y_labels"] = list(range(max(1, most) + 1))
    if over_time:
        chart = pygal.Bar(height=shape.height, truncate_label=-1, show_minor_x_labels=False, spacing=2, **options)
        chart.x_labels_major_every = max(1, -(-len(names) // shape.dates))
    else:
        height = 70 + 26 * max(1, len(names))
        chart = pygal.HorizontalBar(height=height, truncate_label=-1, **options)
    chart.x_labels = names if over_time else [_cut(words, shape.letters) for words in names]
    chart.add(measure, marks)
    tree: ET.Element = chart.render_tree()
    return tree


def _cut(text: str, letters: int) -> str:
    """A name beside a bar, which would else leave no room for the bar; the bar's title has all of it."""
    if len(text) > letters:
        text = text.removeprefix("https://")
    return text if len(text) <= letters else f"{text[: letters - 1]}…"


def _clean(tree: ET.Element, classes: str, label: str, titles: Sequence[str]) -> str:
    """The library's SVG without what our Content-Security-Policy forbids and what screen readers cannot use."""
    remaining = iter(titles)
    _walk(tree, remaining)
    box = tree.get("viewBox", "")
    root = ET.Element("svg", {"class": classes, "viewBox": box, "role": "group", "aria-label": label})
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
