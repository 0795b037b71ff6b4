"""Encoders: one module a format, with the choices it makes and the reason that was measured for each.

The bar is a SSIMULACRA2 of 90 against a truth that is supersampled eight times, on the backgrounds that
the rules allow. docs/performance.md has the figures; ``tests/benchmarks/peers`` makes them again.

There are two efforts. The common widths are made before anyone asks for them and are served most, so they get
the fewest bytes. Somebody waits for any other width, once, so it is made in a tenth of the time.
"""

from __future__ import annotations

from ..formats import FORMATS
from ..render import Picture


def encode(picture: Picture, kind: str, *, ahead: bool = False) -> bytes:
    """Encode a picture in a format made of pixels, such as ``png``; the same input gives the same bytes.

    ``ahead`` says that nobody waits for it, so that fewer bytes are worth more time.
    """
    return FORMATS[kind].load().encode(picture, ahead)
