"""Prove that a drawing in the fewest characters looks as the drawing does; one that does not is sent as it is."""

from __future__ import annotations

import pyvips

from ..svg import Drawing

#: Widths in pixels at which both are drawn.
WIDTHS = (64, 128, 256, 512, 1024)
#: How far a channel of a pixel, multiplied by its opacity, may differ, of 255.
MOST = 2


def looks_the_same(drawing: Drawing) -> bool:
    """Tell whether the minified document draws what the plain one draws; not where either cannot be drawn."""
    try:
        return all(_difference(drawing, width) <= MOST for width in WIDTHS)
    except pyvips.Error:
        return False


def _difference(drawing: Drawing, width: int) -> float:
    height = drawing.height(width)
    short, plain = (
        pyvips.Image.svgload_buffer(drawing.document(width, height, as_is=as_is)).premultiply().rint()
        for as_is in (False, True)
    )
    return float((short - plain).abs().max())
