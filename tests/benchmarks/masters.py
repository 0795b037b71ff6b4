"""Real exports as masters: how many pass without an edit, why the others do not, and whether any is drawn differently.

    python -m tests.benchmarks.masters FOLDER...  [--width 256] [--formats svg png webp avif pdf]
        [--every N] [--seen FOLDER]

``FOLDER`` holds SVG files, or packages of icons as npm installs them (a folder ``icons``, or ``icons.json`` as
Iconify writes it). For each file that passes Chromium's rendering of the file itself is held against Chromium's
of the SVG variant, against our pictures, and against PDFium's of the PDF. ``--every`` draws
each Nth of them only. ``--seen`` takes a picture of each that
is apart: the file, then the formats in their order.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page

from service.campaign import Mistakes
from service.campaign.masters import read_master
from service.logos.encoders import encode
from service.logos.palette import inks_of
from service.logos.render import render
from service.svg import Drawing
from tests.parts.browser import chromium
from tests.parts.renderings import SAME, apart, decoded, in_browser, in_pdf

_AT_ONCE = 48


@dataclass
class Export:
    """One exported file."""

    name: str
    raw: bytes
    drawing: Drawing


def main() -> None:
    """Prints the figures; exits with 1 where a file that passes is drawn differently somewhere."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path, metavar="FOLDER")
    parser.add_argument("--width", type=int, default=256)
    parser.add_argument("--formats", nargs="+", default=["svg", "png", "pdf"])
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--seen", type=Path)
    given = parser.parse_args()
    total: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    alone: Counter[str] = Counter()
    passed: list[Export] = []
    scratch = Path(given.seen or ".").resolve() / ".master.svg"
    scratch.parent.mkdir(parents=True, exist_ok=True)
    for folder in given.folders:
        before = len(passed), sum(total.values())
        for name, raw in _files(folder):
            total["files"] += 1
            scratch.write_bytes(raw)
            mistakes = Mistakes()
            drawing = read_master(scratch, mistakes)
            if drawing is not None:
                passed.append(Export(f"{folder.name}/{name}", raw, drawing))
                continue
            said = {re.sub(r"'[^']*'|#\S+|[\d.]+", "…", mistake.message) for mistake in mistakes.all()}
            reasons.update(said)
            if len(said) == 1:
                alone.update(said)
        tried = total["files"] - before[1]
        here = len(passed) - before[0]
        print(f"{folder}: {here} of {tried} pass ({here / max(1, tried):.1%})", flush=True)
    scratch.unlink(missing_ok=True)
    print(f"all: {len(passed)} of {total['files']} pass ({len(passed) / max(1, total['files']):.1%})")
    for reason, count in reasons.most_common():
        print(f"  {count:5} refused, {alone[reason]:5} for it alone: {reason}")
    sys.exit(1 if _compare(passed[:: given.every], given.width, given.formats, given.seen) else 0)


def _compare(exports: list[Export], width: int, formats: list[str], seen: Path | None) -> int:
    """How many exports are drawn differently in a format; each is printed.

    What is apart is looked at again three times as large: where it is thin edges and lines alone, it is not.
    """
    found: Counter[str] = Counter()
    with chromium() as browser:
        page = browser.new_page()
        doubtful = [one.export for one in _seen(page, exports, width, 1, formats) if one.is_apart]
        for one in _seen(page, doubtful, 3 * width, 2, formats):
            if not one.is_apart:
                continue
            found.update(kind for kind, far in one.far.items() if far > SAME)
            found["files"] += 1
            print(f"apart: {one.export.name} {one.far}", flush=True)
            if seen is not None:
                name = re.sub(r"\W+", "_", one.export.name)
                _beside(one.renderings).save(seen / f"{name}.png")
    by_format = ", ".join(f"{found[kind]} in {kind}" for kind in formats)
    print(f"{found['files']} of {len(exports)} are drawn differently ({by_format}); {len(doubtful)} looked at twice")
    return found["files"]


@dataclass
class Seen:
    """An export as Chromium shows it and as each format does, and how far each is apart from the first."""

    export: Export
    renderings: list[Image.Image]
    far: dict[str, int]

    @property
    def is_apart(self) -> bool:
        """Whether any format is drawn differently."""
        return max(self.far.values()) > SAME


def _beside(pictures: list[Image.Image]) -> Image.Image:
    width, height = pictures[0].size
    row = Image.new("RGB", (width * len(pictures), height))
    for place, picture in enumerate(pictures):
        row.paste(picture, (place * width, 0))
    return row


def _seen(page: Page, exports: list[Export], width: int, within: int, formats: list[str]) -> Iterator[Seen]:
    rest = iter(exports)
    while part := list(islice(rest, _AT_ONCE)):
        sizes = [_size(export.drawing, width) for export in part]
        sized = list(zip(part, sizes, strict=True))
        drawn = [list(in_browser(page, [(export.raw, *size) for export, size in sized]))]
        for kind in formats:
            if kind == "svg":
                documents = [(export.drawing.document(*size), *size) for export, size in sized]
                drawn.append(list(in_browser(page, documents)))
            elif kind == "pdf":
                drawn.append(list(in_pdf((export.drawing, *size) for export, size in sized)))
            else:
                drawn.append(list(_pictures(sized, kind)))
        for export, *renderings in zip(part, *drawn, strict=True):
            far = [apart(renderings[0], other, within) for other in renderings[1:]]
            yield Seen(export, renderings, dict(zip(formats, far, strict=True)))


def _size(drawing: Drawing, width: int) -> tuple[int, int]:
    """A size of about that width whose height is nearly whole: Chromium keeps the shape, we fill the pixels."""
    widths = range(width, width + 48)
    best = min(widths, key=lambda one: abs(one / drawing.aspect_ratio - drawing.height(one)))
    return best, drawing.height(best)


def _pictures(exports: list[tuple[Export, tuple[int, int]]], kind: str) -> Iterator[Image.Image]:
    for export, (width, _) in exports:
        yield decoded(encode(render(export.drawing, width, 0, inks_of(export.drawing)), kind))


def _files(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of each SVG below a folder, or in a collection of Iconify's."""
    collection = folder / "icons.json"
    if not collection.is_file():
        for path in sorted(folder.rglob("*.svg")):
            yield path.relative_to(folder).as_posix(), path.read_bytes()
        return
    read = json.loads(collection.read_text(encoding="utf-8"))
    for name, icon in sorted(read["icons"].items()):
        width, height = (icon.get(side, read.get(side, 16)) for side in ("width", "height"))
        yield (
            name,
            (
                '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="1em"'
                f' height="1em" viewBox="0 0 {width} {height}">{icon["body"]}</svg>'
            ).encode(),
        )


if __name__ == "__main__":
    main()
