"""Twenty pieces made with tools that the generator does not use: Chromium, Typst and LibreOffice.

``python -m tests.artwork.outside FOLDER`` makes them into a folder, checks each, and prints what was drawn beside what
the check says, so that a person can look at the file and at the answer.
"""

from __future__ import annotations

import argparse
import base64
import io
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import typst
from PIL import Image

from service.artwork import ArtworkChecks, colours
from service.artwork.candidates import masks
from service.campaign import load
from service.settings import shipped

_SHOWN = ("page-crowded", "page-turned")  # in the documentation


@dataclass(frozen=True)
class Outside:
    """A piece, and what a person sees in it."""

    name: str
    source: str
    seen: frozenset[str] = frozenset()  # the rules that are broken
    logo: bool = True

    @property
    def verdict(self) -> str:
        """What a check has to say."""
        return "logo_not_found" if not self.logo else "not_compliant" if self.seen else "compliant"


def _svg(logo: str, colourway: str) -> Path:
    return shipped("assets") / "logos" / logo / f"{colourway}.svg"


def _img(logo: str, colourway: str, style: str) -> str:
    data = base64.b64encode(_svg(logo, colourway).read_bytes()).decode()
    return f'<img src="data:image/svg+xml;base64,{data}" style="{style}">'


def pages() -> list[Outside]:
    """Pages for a browser, 900 by 600 pixels."""
    words = "<p style='margin:140px 60px 0'>Protect people. Learn the signs, ask, and tell someone you trust.</p>"
    hearts = "".join(
        f"<span style='font-size:{size}px;color:{colour}'>♥</span>"
        for size, colour in ((150, "#0b5cad"), (90, "#c62828"), (60, "#000"), (120, "#0b5cad"))
    )
    return [
        Outside("page-header", f"<header style='padding:60px'>{_img('lockup', 'blue', 'width:260px')}</header>{words}"),
        Outside(
            "page-footer",
            "<div style='background:#0a325e;height:600px;padding:120px'>"
            f"{_img('lockup', 'white', 'width:320px')}</div>",
        ),
        Outside(
            "page-shadow",
            "<div style='padding:120px'>"
            f"{_img('heart', 'blue', 'width:220px;filter:drop-shadow(9px 9px 6px rgba(0,0,0,.6))')}</div>",
            frozenset({"effect"}),
        ),
        Outside(
            "page-stretched",
            "<div style='padding:120px'>"
            f"{_img('heart', 'blue', 'width:220px;transform-origin:0 0;transform:scaleX(1.25)')}</div>",
            frozenset({"stretched"}),
        ),
        Outside(
            "page-turned",
            f"<div style='padding:140px'>{_img('lockup', 'blue', 'width:330px;rotate:-8deg')}</div>",
            frozenset({"rotated"}),
        ),
        Outside(
            "page-mirrored",
            "<div style='padding:120px;background:#eef5fb;height:600px'>"
            f"{_img('lockup', 'blue', 'width:360px;transform:scaleX(-1)')}</div>",
            frozenset({"flipped"}),
        ),
        Outside(
            "page-recoloured",
            f"<div style='padding:120px'>{_img('heart', 'blue', 'width:200px;filter:hue-rotate(150deg)')}</div>",
            frozenset({"recoloured"}),
        ),
        Outside(
            "page-round",
            "<div style='margin:120px;width:200px;height:200px;border-radius:50%;overflow:hidden;"
            f"background:#dbe9f7'>{_img('heart', 'blue', 'width:200px;margin:9px 0')}</div>",
            frozenset({"cropped"}),
        ),
        Outside(
            "page-crowded",
            "<div style='padding:120px;font:bold 34px sans-serif;line-height:1'>"
            f"{_img('lockup', 'blue', 'width:300px;display:block;margin-bottom:9px')}Our partners</div>",
            frozenset({"clear_space"}),
        ),
        Outside("page-hearts", f"<div style='padding:80px'>{hearts}</div>{words}", logo=False),
    ]


def sheets() -> list[Outside]:
    """Documents for Typst."""
    head = "#set page(width: 148mm, height: 105mm, margin: 18mm)\n#set text(size: 11pt)\n"
    lockup, heart = 'image("lockup-blue.svg", ', 'image("heart-blue.svg", '
    blue = head + '#set page(fill: rgb("134983"))\n'
    return [
        Outside("sheet-letter", f"{head}#{lockup}width: 50mm)\n#v(20mm)\n#lorem(60)"),
        Outside("sheet-card", f'{blue}#align(center + horizon, image("heart-white.svg", width: 30mm))'),
        Outside(
            "sheet-gradient",
            f'{head}#set page(fill: gradient.linear(white, rgb("dbe9f7")))\n'
            f"#align(center + horizon, {lockup}width: 70mm))",
        ),
        Outside("sheet-small", f"{head}#{lockup}width: 15mm)\n#v(20mm)\n#lorem(40)", frozenset({"too_small"})),
        Outside(
            "sheet-turned", f"{head}#align(center + horizon, rotate(6deg, {heart}width: 40mm)))", frozenset({"rotated"})
        ),
        Outside(
            "sheet-dark",
            f'{head}#set page(fill: rgb("333333"))\n#align(center + horizon, image("heart-black.svg", width: 40mm))',
            frozenset({"low_contrast"}),
        ),
        Outside("sheet-crowded", f"{head}#{lockup}width: 60mm)\n#v(-8pt)\n#lorem(50)", frozenset({"clear_space"})),
    ]


def drawings() -> list[Outside]:
    """Flat OpenDocument drawings for LibreOffice: what stands on a page of 20 by 14 cm."""
    hatch = '<draw:rect draw:style-name="h" svg:x="0cm" svg:y="0cm" svg:width="20cm" svg:height="14cm"/>'
    return [
        Outside("drawing-right", _frame("lockup", 5, 5, 8, 8 / 2.6)),
        Outside("drawing-stretched", _frame("heart", 6, 3, 7, 5), frozenset({"stretched"})),
        Outside("drawing-hatched", hatch + _frame("heart", 7, 4, 5.5, 5), frozenset({"background"})),
    ]


def _frame(logo: str, x: float, y: float, width: float, height: float) -> str:
    data = base64.b64encode(_svg(logo, "blue").read_bytes()).decode()
    return (
        f'<draw:frame svg:x="{x}cm" svg:y="{y}cm" svg:width="{width}cm" svg:height="{height}cm"><draw:image'
        f' draw:mime-type="image/svg+xml"><office:binary-data>{data}</office:binary-data></draw:image></draw:frame>'
    )


def drawn_pages(pieces: list[Outside]) -> Iterator[tuple[Outside, bytes]]:
    """Screenshots by Chromium."""
    from tests.parts.browser import chromium

    with chromium() as browser:
        page = browser.new_page(viewport={"width": 900, "height": 600})
        for piece in pieces:
            page.set_content(f"<body style='margin:0;background:#fff;font:20px sans-serif'>{piece.source}")
            yield piece, page.screenshot()


def drawn_sheets(pieces: list[Outside]) -> Iterator[tuple[Outside, bytes]]:
    """PDF documents by Typst."""
    with tempfile.TemporaryDirectory() as folder:
        for logo in ("heart", "lockup"):
            for colourway in ("blue", "white", "black"):
                shutil.copy(_svg(logo, colourway), Path(folder) / f"{logo}-{colourway}.svg")
        for piece in pieces:
            main = Path(folder) / "main.typ"
            main.write_text(piece.source, encoding="utf-8")
            yield piece, typst.compile(main, format="pdf")


_DRAWING = """<?xml version="1.0" encoding="UTF-8"?>
<office:document xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"
 xmlns:draw="urn:oasis:names:tc:opendocument:xmlns:drawing:1.0"
 xmlns:style="urn:oasis:names:tc:opendocument:xmlns:style:1.0"
 xmlns:fo="urn:oasis:names:tc:opendocument:xmlns:xsl-fo-compatible:1.0"
 xmlns:svg="urn:oasis:names:tc:opendocument:xmlns:svg-compatible:1.0"
 office:version="1.3" office:mimetype="application/vnd.oasis.opendocument.graphics">
<office:styles><draw:hatch draw:name="lines" draw:style="double" draw:color="#30404f" draw:distance="0.4cm"
 draw:rotation="450"/></office:styles>
<office:automatic-styles><style:page-layout style:name="p"><style:page-layout-properties fo:page-width="20cm"
 fo:page-height="14cm" fo:margin="0cm"/></style:page-layout>
<style:style style:name="h" style:family="graphic"><style:graphic-properties draw:fill="hatch" draw:stroke="none"
 draw:fill-hatch-name="lines"/></style:style></office:automatic-styles>
<office:master-styles><style:master-page style:name="m" style:page-layout-name="p"/></office:master-styles>
<office:body><office:drawing><draw:page draw:master-page-name="m">{shapes}</draw:page></office:drawing></office:body>
</office:document>"""


def drawn_drawings(pieces: list[Outside]) -> Iterator[tuple[Outside, bytes]]:
    """PDF documents by LibreOffice."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files = [folder / f"{piece.name}.fodg" for piece in pieces]
        for piece, file in zip(pieces, files, strict=True):
            file.write_text(_DRAWING.format(shapes=piece.source), encoding="utf-8")
        profile = f"-env:UserInstallation={(folder / 'profile').as_uri()}"
        command = ["soffice", profile, "--headless", "--convert-to", "pdf", "--outdir", name, *map(str, files)]
        subprocess.run(command, check=True, capture_output=True, timeout=180)
        for piece, file in zip(pieces, files, strict=True):
            yield piece, file.with_suffix(".pdf").read_bytes()


def steps(picture: bytes, seen: bytes) -> Image.Image:
    """A picture, what the check finds contours in, and what it says, side by side."""
    first = Image.open(io.BytesIO(picture)).convert("RGB")
    inks = [colours.rgb("0b5cad")]
    *_, mask = masks(np.asarray(first), inks)
    panels = [
        first,
        Image.fromarray(np.where(mask > 0, 0, 255).astype(np.uint8)),
        Image.open(io.BytesIO(seen)).convert("RGB"),
    ]
    strip = Image.new("RGB", (1080, 240), "white")
    for number, panel in enumerate(panels):
        strip.paste(panel.crop((60, 60, 560, 393)).resize((356, 237)), (362 * number, 1))
    return strip


def main() -> None:
    """Makes and checks them all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    folder: Path = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    checks = ArtworkChecks(load(shipped("policies"), shipped("assets")))
    print("| piece | drawn | said | verdict |\n|---|---|---|---|")
    for made in (drawn_pages(pages()), drawn_sheets(sheets()), drawn_drawings(drawings())):
        for piece, data in made:
            (folder / f"{piece.name}{'.pdf' if data[:4] == b'%PDF' else '.png'}").write_bytes(data)
            checked = checks.check(data)
            for number, picture in checked.annotated:
                (folder / f"{piece.name}-{number}-seen.png").write_bytes(picture)
            if piece.name in _SHOWN:
                steps(data, checked.annotated[0][1]).save(folder / f"artwork-{piece.name}.webp", quality=70)
            said = sorted({finding.rule for logo in checked.report.logos for finding in logo.violations})
            asked = sorted({finding.rule for logo in checked.report.logos for finding in logo.questions})
            words = ", ".join([*said, *(f"{rule}?" for rule in asked)]) or "nothing"
            right = "" if checked.report.verdict == piece.verdict else " (wrong)"
            drawn = ", ".join(sorted(piece.seen)) or ("nothing wrong" if piece.logo else "no logo")
            print(f"| {piece.name} | {drawn} | {words} | {checked.report.verdict}{right} |", flush=True)


if __name__ == "__main__":
    main()
