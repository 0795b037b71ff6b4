#!/usr/bin/env bash
# typst 0.15.2: a path of no length with round or square caps, such as "M40 50h0", is a dot in SVG (and in browsers), and is
# missing in a PDF when the path has nothing else. Sets of icons draw the dot of an i so. With a length of a
# thousandth it is drawn. What helps: "M40 50h.001".
# Exits non-zero where this has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check typst==0.15.2 pypdfium2==5.15.2 pillow==12.3.0
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import sys
from importlib.metadata import version
from pathlib import Path

import pypdfium2
import typst

print("typst", version("typst"), "/ pypdfium2", version("pypdfium2"))


def drawn(svg):
    """The drawing as a page of a PDF, as pixels: one a point, on white."""
    Path("drawing.svg").write_text(f"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 100 100\">{svg}</svg>")
    Path("main.typ").write_text(
        "#set page(width: 100pt, height: 100pt, margin: 0pt)\n#image(\"drawing.svg\", width: 100pt)"
    )
    page = pypdfium2.PdfDocument(typst.compile("main.typ", format="pdf"))[0]
    return page.render(scale=1).to_pil().convert("RGB")


def expect(what, found, seen):
    print(what, found)
    if found != seen:
        sys.exit(f"This has changed: {seen} was seen.")

DOT = "<path d=\"{}\" stroke=\"#0000ff\" stroke-width=\"40\" stroke-linecap=\"{}\"/>"
for cap in ("round", "square"):
    expect(f"no length, {cap}:", drawn(DOT.format("M50 50h0", cap)).getpixel((50, 50)), (255, 255, 255))
    expect(f"a thousandth, {cap}:", drawn(DOT.format("M50 50h.001", cap)).getpixel((50, 50)), (0, 0, 255))
PYTHON
