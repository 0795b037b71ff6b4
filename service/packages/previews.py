"""Previews of packages for pages: the published PNG smaller, and in the formats that browsers show in fewer bytes."""

from __future__ import annotations

import io
from functools import lru_cache

from PIL import Image

from ..campaign.manifests import PREVIEW_SIZE

#: The formats, the smaller first.
FORMS = ("avif", "webp")
#: Widths in pixels: of a card beside two others on a screen with one pixel a point, and as published.
WIDTHS = (384, PREVIEW_SIZE[0])
#: At 65 small text and even colours look as before in AVIF, in a third of the PNG's bytes, and at 80 in WebP.
_AVIF: dict[str, object] = {"quality": 65, "speed": 6, "subsampling": "4:4:4", "codec": "aom", "max_threads": 1}
_WEBP: dict[str, object] = {"quality": 80, "method": 6, "use_sharp_yuv": True}
_KEPT = 256  # previews in memory, of some 6 KB each; making one takes a tenth of a second


@lru_cache(maxsize=_KEPT)
def encoded(png: bytes, form: str, width: int) -> bytes:
    """Encode a preview in one of FORMS, ``width`` pixels wide; the same on every machine with the same libraries."""
    with Image.open(io.BytesIO(png)) as image:
        rgb = image.convert("RGB")
    if width != rgb.width:
        rgb = rgb.resize((width, round(rgb.height * width / rgb.width)), Image.Resampling.LANCZOS)
    if form == "avif":
        return _saved(rgb, "AVIF", _AVIF)
    # Flat drawings are sometimes smaller without any loss.
    return min(_saved(rgb, "WEBP", _WEBP), _saved(rgb, "WEBP", {"lossless": True, "method": 4}), key=len)


def _saved(image: Image.Image, kind: str, options: dict[str, object]) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()
