"""The version of the variants: a digest of everything that their bytes depend on."""

from __future__ import annotations

import hashlib
import inspect
from pathlib import Path

import pyvips
from PIL import features

from ..campaign import Logo
from ..campaign.brand import BrandRules
from ..svg import Drawing
from ..svg.shortest import shortest
from .formats import TABLE, installed

#: The modules whose code decides the bytes that an address gives; a change in any of them is another version.
_RECIPE = (
    "render.py",
    "palette.py",
    "encoders/*.py",
    "formats.py",
    "codings.py",
    "faithful.py",
    "ladder.py",
    "smallest.py",
)


def catalogue_version(logos: dict[str, Logo], brand: BrandRules) -> str:
    """16 hex digits of a digest of masters, brand rules, our recipe, and the renderer's and encoders' versions."""
    digest = hashlib.sha256()
    for name in sorted(logos):
        for colourway in logos[name].colourways:
            drawing = logos[name].drawing(colourway)
            digest.update(f"{name} {colourway} ".encode() + hashlib.sha256(drawing.plain()).digest())
        digest.update(brand.logo(name).model_dump_json().encode())
    for name in sorted(brand.colourways):
        digest.update(f"{name} {brand.colourways[name].model_dump_json()}".encode())
    here = Path(__file__).parent
    for pattern in _RECIPE:
        for module in sorted(here.glob(pattern)):
            digest.update(module.read_bytes())
    for written_by in (Drawing, shortest):
        digest.update(Path(inspect.getfile(written_by)).read_bytes())
    digest.update((here.parent / "png.py").read_bytes())
    digest.update(encoders().encode())
    return digest.hexdigest()[:16]


def encoders() -> str:
    """The versions of the renderer and the encoders, as one line."""
    parts = [
        f"libvips {pyvips.version(0)}.{pyvips.version(1)}.{pyvips.version(2)}",
        *(f"{name} {installed(name)}" for name in sorted({name for row in TABLE for name in row.packages})),
        *(f"{name} {features.version(name)}" for name in ("webp", "avif")),
    ]
    own = installed("pyvips-binary")  # brings its own librsvg
    parts.append(f"pyvips-binary {own}" if own else "librsvg of the system")
    return ", ".join(parts)
