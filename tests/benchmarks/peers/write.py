"""Writes what was measured as tables and charts into the documentation, between two marks."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import pygal  # type: ignore[import-untyped]
from pygal.style import CleanStyle  # type: ignore[import-untyped]

from .compare import Bar, by_width, pairs
from .measure import WIDTHS, Made, Sent
from .servers import KINDS

_BEGIN, _END = "<!-- measured: peers -->", "<!-- end: peers -->"


def replace(page: Path, text: str) -> None:
    """Puts ``text`` between the marks of a page."""
    before, _, rest = page.read_text(encoding="utf-8").partition(_BEGIN)
    _, found, after = rest.partition(_END)
    assert found, f"{page} has no marks {_BEGIN} … {_END}"
    page.write_text(f"{before}{_BEGIN}\n\n{text.strip()}\n\n{_END}{after}", encoding="utf-8")


def bars_table(bars: Sequence[Bar]) -> str:
    """The bars, one a line."""
    return table(
        ("measured", "ratio", "bar", "holds"),
        [(bar.what, bar.measured, bar.asked, "yes" if bar.holds else "**no**") for bar in bars],
    )


def bytes_table(found: Sequence[Made]) -> str:
    """Our variants beside the best peer's, master by master."""
    rows = []
    for kind in KINDS:
        for width in WIDTHS:
            for ours, peer in pairs(found, width, kind):
                rows.append(
                    (
                        f"{kind.upper()} {width} px",
                        ours.master,
                        f"{ours.bytes:,} at {ours.quality:.1f}",
                        f"{peer.bytes:,} at {peer.quality:.1f}",
                        f"{peer.program} from {peer.source.upper()}",
                        f"{ours.bytes / peer.bytes:.2f}",
                    )
                )
    return table(("variant", "master", "Emblem", "best peer", "which", "ratio"), rows)


def auto_table(found: Sequence[Sent]) -> str:
    """What is sent to Chrome for ``auto``, beside AVIF and JPEG XL; in brackets the share of AVIF's bytes."""
    rows = [
        (
            f"{one.master} {one.width} px",
            f"{one.avif:,}",
            f"{one.jxl:,} ({one.jxl / one.avif:.2f})",
            f"{one.chosen.upper()} {one.auto:,} ({one.auto / one.avif:.2f})",
        )
        for one in found
    ]
    return table(("bytes sent", "AVIF", "JPEG XL", "auto for Chrome"), rows)


def cold_table(medians: dict[tuple[str, str], float]) -> str:
    """The cold medians in milliseconds."""
    return _by_program("cold median, ms", medians)


def processor_table(means: dict[tuple[str, str], float]) -> str:
    """The processor time of a cold variant in milliseconds."""
    return _by_program("processor time of a cold variant, mean ms", means)


def _by_program(what: str, medians: dict[tuple[str, str], float]) -> str:
    rows = [
        (program, *(f"{1000 * medians[program, kind]:.1f}" if (program, kind) in medians else "–" for kind in KINDS))
        for program in dict.fromkeys(program for program, _ in medians)
    ]
    return table((what, *(kind.upper() for kind in KINDS)), rows)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    return "\n".join("| " + " | ".join(row) + " |" for row in (head, ["---"] * len(head), *rows))


def charts(found: Sequence[Made], folder: Path) -> None:
    """``performance-cold.svg`` and ``performance-bytes.svg``: how both grow with the width."""
    _chart("Milliseconds until a cold variant is there", found, folder / "performance-cold.svg", milliseconds=True)
    _chart("Kilobytes of a variant", found, folder / "performance-bytes.svg", milliseconds=False)


def _chart(title: str, found: Sequence[Made], file: Path, *, milliseconds: bool) -> None:
    chart = pygal.XY(
        title=title,
        x_title="width of the variant in pixels",
        width=800,
        height=420,
        js=[],
        style=CleanStyle(background="#ffffff", plot_background="#ffffff"),
        dots_size=2,
        show_legend=True,
        legend_at_bottom=True,
        pretty_print=True,
        no_prefix=True,
    )
    for kind in KINDS:
        points = by_width(found, kind, lambda one: 1000 * one.seconds if milliseconds else one.bytes / 1000)
        chart.add(kind.upper(), points)
    # Only the drawing: no script, and none of the comments that say what drew it.
    drawn = re.sub(r"<script.*?</script>|<!--.*?-->|/\*.*?\*/", "", chart.render().decode(), flags=re.DOTALL)
    file.write_text("\n".join(line.rstrip() for line in drawn.splitlines() if line.strip()) + "\n", encoding="utf-8")
