#!/usr/bin/env bash
# typst 0.15.2: colours in CMYK are written to a PDF in steps of 1/255, so percent are not what was asked for: 94 % of
# cyan becomes 0.9411765 and 47 % of magenta 0.47058824. Print shops that check a brand's values to the whole percent
# find 94.1 and 47.1. What helps: replace the numbers in the content stream afterwards.
# Exits non-zero where the percent are written as they are.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check typst==0.15.2 pikepdf==10.18.0
cat > "$folder/page.typ" <<'TYPST'
#set page(width: 40pt, height: 40pt, margin: 5pt)
#rect(width: 20pt, height: 20pt, fill: cmyk(94%, 47%, 0%, 32%))
TYPST
"$folder/venv/bin/python" - "$folder" <<'PYTHON'
import io
import sys
from importlib.metadata import version

import pikepdf
import typst

pdf = pikepdf.open(io.BytesIO(typst.compile(f"{sys.argv[1]}/page.typ", format="pdf")))
painted = [
    [round(float(part), 7) for part in instruction.operands]
    for instruction in pikepdf.parse_content_stream(pdf.pages[0])
    if len(instruction.operands) == 4 and str(instruction.operator) in ("k", "sc", "scn")
]
print("typst", version("typst"), "writes cmyk(94%, 47%, 0%, 32%) as", painted)
if painted != [[0.9411765, 0.4705882, 0.0, 0.3215686]]:
    sys.exit("This has changed.")
PYTHON
