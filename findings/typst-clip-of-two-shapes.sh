#!/usr/bin/env bash
# typst 0.15.2: a <clipPath> of two shapes that overlap, drawn in opposite directions, cuts the overlap out of a PDF.
# SVG takes the union of the shapes, whatever their direction, and browsers draw it so. The two squares here are 10..60 and
# 40..90; the middle of their overlap is painted if both run the same way, and white if one is mirrored. Drawing programs
# write mirrored copies by scale(-1 1). What helps: unite the shapes to one path, or use a <mask>.
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

CLIP = "<clipPath id=\"c\"><path d=\"M10 10h50v50h-50z\"/><path d=\"{}\"/></clipPath>"
PAINT = "<rect width=\"100\" height=\"100\" fill=\"#0000ff\" clip-path=\"url(#c)\"/>"
same = drawn(CLIP.format("M40 40h50v50h-50z") + PAINT)
opposite = drawn(CLIP.format("M40 40v50h50v-50z") + PAINT)
expect("both one way, overlap:", same.getpixel((50, 50)), (0, 0, 255))
expect("one turned round, each alone:", (opposite.getpixel((20, 20)), opposite.getpixel((80, 80))), ((0, 0, 255),) * 2)
expect("one turned round, overlap:", opposite.getpixel((50, 50)), (255, 255, 255))
PYTHON
