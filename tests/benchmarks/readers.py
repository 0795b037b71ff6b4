"""``python -m tests.benchmarks.readers``: which programs open each format of a variant, and keep its transparency.

Makes the white lockup in every format, has each program that is installed convert it to PNG, and looks at corner and
ink of what comes out. Prints a table with the programs' versions, for docs/partners.md.
"""

from __future__ import annotations

import io
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import PIL
import pyvips
from PIL import Image

from service.campaign import load
from service.logos import FORMATS
from service.logos.encoders import encode
from service.logos.palette import inks_of
from service.logos.render import render
from service.settings import shipped

_WIDTH = 256
_LEAST_INK = 500  # pixels of opaque white: the logo has some thousands
_DRAW_PNG = 'png:draw_png_Export:{"Translucent":{"type":"long","value":"1"}}'  # a page without its paper


@dataclass(frozen=True)
class Reader:
    """A program: its name, how it says its version, and how it makes a PNG of a file."""

    name: str
    program: str
    version: tuple[str, ...]
    convert: Callable[[Path, Path], list[str]]


READERS = (
    Reader("ImageMagick", "convert-im6.q16", ("--version",), lambda a, b: ["convert-im6.q16", f"{a}", f"PNG32:{b}"]),
    Reader("GraphicsMagick", "gm", ("version",), lambda a, b: ["gm", "convert", f"{a}", f"PNG32:{b}"]),
    Reader("ffmpeg", "ffmpeg", ("-version",), lambda a, b: ["ffmpeg", "-y", "-i", f"{a}", "-pix_fmt", "rgba", f"{b}"]),
    Reader("LibreOffice", "soffice", ("--version",), lambda a, b: [
        "soffice", f"-env:UserInstallation={b.parent.as_uri()}/profile", "--headless",
        "--convert-to", _DRAW_PNG, "--outdir", f"{b.parent}", f"{a}",
    ]),
)  # fmt: skip


def main() -> None:
    """Print the table."""
    drawing = load(shipped("policies"), shipped("assets")).logos["lockup"].drawing("white")
    picture = render(drawing, _WIDTH, 0, inks_of(drawing))
    made = {
        name: encode(picture, name) if row.encoder else drawing.document(_WIDTH, drawing.height(_WIDTH))
        for name, row in FORMATS.items()
    }
    print("| program | " + " | ".join(name.upper() for name in made) + " |")
    print("|---" * (len(made) + 1) + "|")
    rows = {f"Pillow {PIL.__version__}": {name: _by_pillow(content) for name, content in made.items()}}
    rows[f"libvips {pyvips.version(0)}.{pyvips.version(1)}"] = {n: _by_vips(content) for n, content in made.items()}
    for reader in READERS:
        if shutil.which(reader.program) is None:
            print(f"| {reader.name} is not installed |")
            continue
        said = subprocess.run([reader.program, *reader.version], capture_output=True, text=True, check=False).stdout
        found = re.search(r"\d+\.[\d.]+(?:-\d+)?", said)
        with tempfile.TemporaryDirectory(prefix="emblem-readers-") as folder:
            rows[f"{reader.name} {found[0] if found else ''}"] = {
                name: _by_program(reader, content, name, Path(folder)) for name, content in made.items()
            }
    for program, each in rows.items():
        print(f"| {program} | " + " | ".join(each.values()) + " |")


def _by_program(reader: Reader, content: bytes, kind: str, folder: Path) -> str:
    source, target = folder / f"logo.{kind}", folder / "logo.png"
    if kind == "png":
        source = folder / "given" / "logo.png"
        source.parent.mkdir()
    source.write_bytes(content)
    target.unlink(missing_ok=True)
    environment = {**os.environ, "HOME": str(folder)}
    subprocess.run(reader.convert(source, target), capture_output=True, env=environment, timeout=300, check=False)
    return _judged(target.read_bytes()) if target.exists() and target.stat().st_size else "not opened"


def _by_pillow(content: bytes) -> str:
    try:
        with Image.open(io.BytesIO(content)) as image:
            out = io.BytesIO()
            image.convert("RGBA").save(out, "PNG")
    except OSError:
        return "not opened"
    return _judged(out.getvalue())


def _by_vips(content: bytes) -> str:
    try:
        return _judged(bytes(pyvips.Image.new_from_buffer(content, "").pngsave_buffer()))
    except pyvips.Error:
        return "not opened"


def _judged(png: bytes) -> str:
    """Whether the corner is transparent and the ink is there, opaque and white."""
    with Image.open(io.BytesIO(png)) as opened:
        image = opened.convert("RGBA")
    colours = image.getcolors(1 << 24) or []
    white = [
        count for count, colour in colours if isinstance(colour, tuple) and colour[3] == 255 and min(colour) >= 250
    ]
    ink = max(white, default=0)
    if image.getchannel("A").getpixel((0, 0)) != 0:
        return "opaque"
    return "yes" if ink > _LEAST_INK else "no ink"


if __name__ == "__main__":
    main()
