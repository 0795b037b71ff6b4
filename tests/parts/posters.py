"""Posters for checks: a logo on a plain ground, as it should be or stretched."""

from __future__ import annotations

import io

from PIL import Image


def poster(logo: bytes | None, *, stretched: float = 1.0) -> bytes:
    """A PNG of 900 x 600 pixels with a picture of a logo in its middle, so many times as wide; None leaves it empty."""
    image = Image.new("RGB", (900, 600), "#ffffff")
    if logo is not None:
        with Image.open(io.BytesIO(logo)) as opened:
            ink = opened.convert("RGBA")
        ink = ink.resize((round(ink.width * stretched), ink.height), Image.Resampling.LANCZOS)
        image.paste(ink, ((900 - ink.width) // 2, (600 - ink.height) // 2), ink)
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()
