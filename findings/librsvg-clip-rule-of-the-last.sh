#!/usr/bin/env bash
# librsvg as pyvips-binary 8.18.7 brings it: in a <clipPath> of several shapes one clip-rule is taken for all of them, that of
# the last. By SVG each shape has its own. Here the first square has a hole by the rule "evenodd"; with a second shape of
# the rule "nonzero" behind it, the hole is filled; with that shape before it, the hole is there.
# What helps: give all shapes the same rule, or turn the inner part of a path round.
# Exits non-zero where this has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "pyvips[binary]==3.2.0" pyvips-binary==8.18.7
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import sys
from importlib.metadata import version

import pyvips

print("pyvips-binary", version("pyvips-binary"))
HOLED = "<path clip-rule=\"evenodd\" d=\"M10 10h30v30h-30zM20 20h10v10h-10z\"/>"
OTHER = "<path d=\"M60 60h30v30h-30z\"/>"
for order, seen in ((OTHER + HOLED, 0), (HOLED + OTHER, 255)):
    svg = (
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"100\" height=\"100\">"
        f"<clipPath id=\"c\">{order}</clipPath><rect width=\"100\" height=\"100\" clip-path=\"url(#c)\"/></svg>"
    )
    opacity = pyvips.Image.svgload_buffer(svg.encode())(25, 25)[3]
    print("opacity in the hole:", opacity)
    if opacity != seen:
        sys.exit(f"This has changed: {seen} was seen.")
PYTHON
