#!/usr/bin/env bash
# typst 0.15.2: spreadMethod="reflect" and "repeat" of a radial gradient are lost in a PDF, which has no form for them;
# the last colour goes on instead, without a warning. Of a linear gradient they are kept. Browsers and librsvg draw both.
# What helps: write the rings as stops of a larger gradient.
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

STOPS = "<stop stop-color=\"#0000ff\"/><stop offset=\"1\" stop-color=\"#ffff00\"/>"
RECT = "<rect width=\"100\" height=\"100\" fill=\"url(#g)\"/>"
for spread in ("reflect", "repeat"):
    radial = drawn(f"<radialGradient id=\"g\" r=\".2\" spreadMethod=\"{spread}\">{STOPS}</radialGradient>{RECT}")
    linear = drawn(f"<linearGradient id=\"g\" x2=\".2\" spreadMethod=\"{spread}\">{STOPS}</linearGradient>{RECT}")
    # At the start of the second round (repeat), or at its end (reflect), the first colour comes again.
    at = 41 if spread == "reflect" else 21
    expect(f"linear, {spread}, blue again:", linear.getpixel((at, 50))[2] > 200, True)
    beyond = [radial.getpixel((50 + x, 50)) for x in range(22, 49)]
    expect(f"radial, {spread}, only yellow beyond the circle:", all(blue < 8 for _, _, blue in beyond), True)
PYTHON
