"""Drawings in SVG as designers' programs export them, resolved to what every renderer draws alike.

``read`` takes the bytes of a file and gives the drawing, or everything that is wrong with it by line. What
browsers resolve is resolved: style sheets, ``style``, ``<use>``, units, transforms. What is not the drawing is
left out: sizes beside a view box, metadata, what editors keep for themselves. The rest is refused.
"""

from .drawing import Drawing, ViewBox
from .faults import DrawingError, Fault

__all__ = ["Drawing", "DrawingError", "Fault", "ViewBox", "read"]


def read(raw: bytes) -> Drawing:
    """The drawing in a file; DrawingError with every fault, whatever the bytes are."""
    # Parsers of CSS take a moment to load, and a process that draws one picture needs none.
    from .document import parse
    from .resolve import resolve

    document = parse(raw)
    if document.root is None:
        raise DrawingError(document.faults)
    try:
        return resolve(document)
    except RecursionError:
        fault = Fault(document.root.line, "A value is nested too deep", "Write it plainly, or remove it")
        raise DrawingError([*document.faults, fault]) from None
