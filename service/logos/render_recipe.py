"""The version of the variants: a digest of everything that their bytes depend on."""

from __future__ import annotations

import hashlib
import inspect
from importlib.metadata import version
from pathlib import Path

import pyvips
from PIL import features

from ..campaign import Logo
from ..campaign.brand import BrandRules
from ..svg import Drawing

#: The modules whose code decides the bytes; a change in any of them is another version.
_RECIPE = ("render.py", "palette.py", "encode.py", "ladder.py")


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
    for module in (*(Path(__file__).parent / name for name in _RECIPE), Path(inspect.getfile(Drawing))):
        digest.update(module.read_bytes())
    digest.update(encoders().encode())
    return digest.hexdigest()[:16]


def encoders() -> str:
    """The versions of the renderer and the encoders, as one line."""
    parts = [
        f"libvips {pyvips.version(0)}.{pyvips.version(1)}.{pyvips.version(2)}",
        *(f"{name} {version(name)}" for name in ("pyvips", "pyoxipng", "pillow")),
        *(f"{name} {features.version(name)}" for name in ("webp", "avif")),
    ]
    try:
        parts.append(f"pyvips-binary {version('pyvips-binary')}")  # brings its own librsvg
    except ModuleNotFoundError:
        parts.append("librsvg of the system")
    return ", ".join(parts)
