"""The shipped campaign with one package of many megabytes, for downloads that take long enough to be broken."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

from PIL import Image

from service.settings import shipped

SIZE = 24 * 1024 * 1024

_MANIFEST = """\
id: film
kind: tool
version: 1.0.0
terms: tool-terms
title:
  en: Film
description:
  en: A large file, as a film would be.
licence:
  en: For tests.
languages: [en]
filename: film-{version}.zip
preview:
  from: preview.typ
files:
  - path: LICENCE.txt
    from: ../_shared/LICENCE.txt
  - path: film.png
    from: film.png
"""


def assets_with_film(folder: Path) -> Path:
    """A folder of assets with the logos, the logo package and the package ``film``; returns it."""
    source = shipped("assets")
    shutil.copytree(source / "logos", folder / "logos")
    for name in ("_shared", "logo"):
        shutil.copytree(source / "tools" / name, folder / "tools" / name)
    film = folder / "tools" / "film"
    film.mkdir()
    (film / "preview.typ").write_text("#set page(width: 640pt, height: 400pt)\nFilm", encoding="utf-8")
    (film / "manifest.yaml").write_text(_MANIFEST, encoding="utf-8")
    blocks = (hashlib.sha256(number.to_bytes(4, "big")).digest() for number in range(SIZE // 32))
    # Never the same twice, so that a part in the wrong place shows; a picture, since a package's pictures are read.
    picture = Image.frombytes("RGB", (2048, SIZE // 3 // 2048), b"".join(blocks))
    picture.save(film / "film.png", compress_level=0)
    return folder
