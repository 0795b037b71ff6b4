"""A master as a drawing program exports it: the SVG, PNG and PDF of a package show what a browser shows of it."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pypdfium2
from PIL import Image

from service.packages.building import build

from .conftest import RIGHTS, Assets

#: The square is blue by a style sheet, stands on a corner by CSS, and is named in a colour outside sRGB too.
EXPORT = """<?xml version="1.0" encoding="utf-8"?>
<!-- of a drawing program -->
<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd">
<svg xmlns="http://www.w3.org/2000/svg" width="20mm" height="10mm" viewBox="0 0 20 10" style="background:#ffd700">
<style>.a { fill: #0b5cad; fill: color(display-p3 0.04 0.36 0.68) }</style>
<rect class="a" x="1.5mm" y="5" width="3" height="3" transform-origin="5.7 5"
 style="x:4.2px;y:3.5px;transform:rotate(45deg)"/><path fill="#c8102e" stroke="none" d="M12 2h6v6h-6z"/>
</svg>
"""
SHEET = """#set document(date: none)
#set page(width: 200pt, height: 100pt, margin: 0pt)
#image("/logos/mark/blue.svg", width: 200pt)
"""
BLUE, RED, WHITE = (11, 92, 173), (200, 16, 46), (255, 255, 255)


def test_every_file_of_a_package_shows_the_same(assets: Assets, tmp_path: Path) -> None:
    assets.write("logos/mark/blue.svg", EXPORT)
    assets.write("tools/kit/sheet.typ", SHEET)
    assets.edit("tools/kit/manifest.yaml", "width: [20, 41]", "width: [200]")
    built = build(assets.package(), assets.path, RIGHTS, tmp_path)
    with zipfile.ZipFile(built.path) as opened:
        files = {name: opened.read(name) for name in opened.namelist()}
    svg = files["svg/blue.svg"].decode()
    for left_out in ("style", "DOCTYPE", "background", "color(", "20mm", "<!--"):
        assert left_out not in svg
    picture = Image.open(io.BytesIO(files["png/mark-200.png"])).convert("RGBA")
    assert picture.size == (200, 100)
    page = pypdfium2.PdfDocument(files["sheet-en.pdf"])[0].render(scale=1).to_pil().convert("RGB")
    for at, seen in (((57, 50), BLUE), ((57, 32), BLUE), ((43, 36), WHITE), ((150, 50), RED), ((2, 2), WHITE)):
        if seen == WHITE:
            assert picture.getchannel("A").getpixel(at) == 0
        else:
            assert picture.getpixel(at) == (*seen, 255)
        assert max(abs(a - b) for a, b in zip(page.getpixel(at), seen, strict=True)) <= 2, at
