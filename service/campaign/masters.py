"""The SVG masters of logos: read as drawings, with what a logo may not be noted by file and line.

What an SVG may hold is told by ``service.svg``; here is what holds for a logo beyond that.
"""

from __future__ import annotations

from pathlib import Path

from ..svg import Drawing, DrawingError, ViewBox, read
from .mistakes import Mistakes

__all__ = ["MOST_BYTES", "Drawing", "ViewBox", "read_master"]

MOST_BYTES = 256 * 1024  # a logo is a few kilobytes; whatever is larger was traced or has a picture in it
_MOST_RATIO = 20.0


def read_master(path: Path, mistakes: Mistakes) -> Drawing | None:
    """The drawing of a master; None where there is a mistake, and every mistake in the file is noted."""
    try:
        size = path.stat().st_size
        raw = path.read_bytes() if size <= MOST_BYTES else b""
    except OSError as error:
        mistakes.add(path, 0, f"The master cannot be read ({error.strerror})", "Put the SVG file there")
        return None
    if size > MOST_BYTES:
        message = f"The master has {size} bytes, more than {MOST_BYTES}"
        mistakes.add(path, 0, message, "Simplify its paths and take out what the drawing program left")
        return None
    try:
        drawing = read(raw)
    except DrawingError as error:
        for fault in error.faults:
            mistakes.add(path, fault.line, fault.message, fault.fix)
        return None
    _, _, width, height = drawing.view_box
    if not (1 <= width <= 1e5 and 1 <= height <= 1e5 and 1 / _MOST_RATIO <= width / height <= _MOST_RATIO):
        mistakes.add(
            path,
            drawing.line,
            f"A viewBox of {width:g} by {height:g} is no size for a logo",
            f"Give it a width and height from 1 to 100,000, at most {_MOST_RATIO:g} times each other",
        )
        return None
    return drawing
