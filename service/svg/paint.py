"""Paint as it is written: what elements inherit, in words that all renderers share."""

from __future__ import annotations

from typing import Any

from .context import Context
from .faults import Refused
from .gradients import NOTHING, Gradients, Painted, plain
from .numbers import short
from .properties import Colour, CurrentColour, Reference
from .shapes import Geometry
from .style import Style, Viewport

#: What renderers take where nothing is written, in the order in which we write it.
DEFAULTS = {
    "fill": "#000000",
    "fill-opacity": "1",
    "fill-rule": "nonzero",
    "stroke": "none",
    "stroke-width": "1",
    "stroke-opacity": "1",
    "stroke-linecap": "butt",
    "stroke-linejoin": "miter",
    "stroke-miterlimit": "4",
    "stroke-dasharray": "none",
    "stroke-dashoffset": "0",
    "clip-rule": "nonzero",
}
_OF_FILL = frozenset({"fill-opacity", "fill-rule"})
_OF_STROKE = frozenset(name for name in DEFAULTS if name.startswith("stroke-"))


class Paint:
    """Writes the paint of styles."""

    def __init__(self, context: Context, gradients: Gradients) -> None:
        self._context = context
        self._gradients = gradients

    def inherited(self, style: Style, viewport: Viewport | None, shape: Geometry | None = None) -> dict[str, str]:
        """All that elements inherit; ``shape`` is what paint in a box's units is for."""
        found = {}
        for name in ("fill", "stroke"):
            painted = self._painted(style[name], style, shape)
            found[name] = painted.text
            found[f"{name}-opacity"] = short(style[f"{name}-opacity"] * painted.alpha, 4)
        for name in ("fill-rule", "clip-rule", "stroke-linecap", "stroke-linejoin"):
            found[name] = style[name]
        found["stroke-miterlimit"] = short(style["stroke-miterlimit"])
        width, offset, *dashes = self._lengths(style, viewport)
        if width == 0:
            found["stroke"] = "none"
        found["stroke-width"] = short(width)
        found["stroke-dasharray"] = " ".join(map(short, dashes)) or "none"
        found["stroke-dashoffset"] = short(offset)
        return found

    def of_group(self, style: Style, viewport: Viewport | None, written: dict[str, str]) -> dict[str, str]:
        """Return what has to be written on a group, within which ``written`` stands."""
        return {name: text for name, text in self.inherited(style, viewport).items() if written[name] != text}

    def of_shape(
        self, style: Style, viewport: Viewport | None, written: dict[str, str], shape: Geometry
    ) -> dict[str, str] | None:
        """Return what has to be written on a shape, as far as it matters to it; None where it is not painted at all."""
        inherited = self.inherited(style, viewport, shape)
        if inherited["fill"] == inherited["stroke"] == "none":
            return None
        needed = {"fill", "stroke"}
        needed |= _OF_FILL if inherited["fill"] != "none" else set()
        needed |= _OF_STROKE if inherited["stroke"] != "none" else set()
        return {name: inherited[name] for name in DEFAULTS if name in needed and written[name] != inherited[name]}

    def _lengths(self, style: Style, viewport: Viewport | None) -> list[float]:
        """Width of the stroke, offset of its dashes, and the dashes, in user units."""
        diagonal = None if viewport is None else viewport.diagonal
        values = (style["stroke-width"], style["stroke-dashoffset"], *style["stroke-dasharray"])
        try:
            return [self._context.styles.length(value, style, diagonal) for value in values]
        except Refused as refused:
            self._context.refuse(self._context.root, refused, "stroke")
            return [1.0, 0.0]

    def _painted(self, value: Any, style: Style, shape: Geometry | None) -> Painted:
        if value is None:
            return NOTHING
        if isinstance(value, CurrentColour):
            return plain(style.colour("color"))
        if isinstance(value, Colour):
            return plain(value)
        assert isinstance(value, Reference)
        return self._gradients.paint(value, shape)
