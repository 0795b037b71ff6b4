"""Gradients: with what they take from each other resolved, so that each stands for itself."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from . import matrix
from .context import Context
from .document import XLINK, Element
from .drawing import Node
from .faults import Refused
from .matrix import IDENTITY
from .numbers import length, short
from .properties import Colour, Reference
from .registry import Registry
from .shapes import Geometry
from .style import Viewport
from .vocabulary import GRADIENTS, reason

_COORDINATES = {
    "linearGradient": {"x1": "0%", "y1": "0%", "x2": "100%", "y2": "0%"},
    "radialGradient": {"cx": "50%", "cy": "50%", "r": "50%", "fr": "0%"},
}
_FIT = "Draw the gradient again, or choose plain colours"
_MOST_CHAIN = 20  # gradients that one takes attributes and stops from
# Where two stops at an end are put: readers of PDFs look at 256 places of a gradient, of which none is its end.
_AFTER_START = 0.004
_BEFORE_END = (0.99, 0.995)
_NEAR = 0.999  # of the radius: a focus nearer to the circle is drawn differently by each renderer


@dataclass(frozen=True)
class Painted:
    """A paint as it is written, and the opacity that belongs to it."""

    text: str
    alpha: float = 1.0


NOTHING = Painted("none")


def plain(colour: Colour, opacity: float = 1.0) -> Painted:
    """A colour as a paint."""
    alpha = colour.alpha * opacity
    return Painted(colour.hex, alpha) if alpha else NOTHING


@dataclass(frozen=True)
class _Made:
    painted: Painted
    in_box: bool = False  # in units of the shape's own box, so that a shape without one has no paint


@dataclass(frozen=True)
class _ColourStop:
    offset: float
    colour: Colour
    opacity: float


_NONE = _Made(NOTHING)


class Gradients:
    """The gradients of one document."""

    def __init__(self, context: Context, registry: Registry) -> None:
        self._context = context
        self._registry = registry
        self._made: dict[Element, _Made] = {}

    def paint(self, reference: Reference, shape: Geometry | None) -> Painted:
        """Return what a reference paints a shape with; without a shape, what it writes on a group."""
        element = self._context.find(reference, reference.line, "A paint")
        if element is None:
            return NOTHING
        if element not in self._made:
            self._made[element] = self._make(element, reference.line)
        made = self._made[element]
        if made.in_box and shape is not None:
            left, top, right, bottom = shape[2]
            if left == right or top == bottom:
                return NOTHING  # SVG 2, 13.4.1: such a shape has no box to lay the gradient in
        return made.painted

    def _make(self, element: Element, line: int) -> _Made:
        if element.name not in GRADIENTS:
            what, fix = reason(element.name)
            self._context.note(line, f"A paint refers to {what}", fix)
            return _NONE
        if not self._context.usable(element, line):
            return _NONE
        chain = self._chain(element)
        stops = next((stops for part in chain if (stops := self._stops(part))), [])
        if not stops:
            return _NONE
        if len(stops) == 1:
            return _Made(plain(stops[0].colour, stops[0].opacity))
        try:
            return self._resolved(element, chain, stops)
        except Refused as refused:
            self._context.refuse(element, refused)
            return _NONE

    def _chain(self, element: Element) -> list[Element]:
        """A gradient and those that it takes attributes and stops from."""
        chain = [element]
        while any(name in chain[-1].attrib for name in ("href", f"{{{XLINK}}}href")):
            following = self._context.target(chain[-1])
            if following is None:
                break
            if following in chain or following.name not in GRADIENTS:
                message = "A gradient refers to itself" if following in chain else "A gradient refers to something else"
                self._context.note(chain[-1].line, message, "Remove href, or refer to another gradient")
                break
            if len(chain) == _MOST_CHAIN:
                self._context.note(element.line, "The gradient takes from too many others", "Let it stand for itself")
                break
            chain.append(following)
        return chain

    def _stops(self, gradient: Element) -> list[_ColourStop]:
        found: list[_ColourStop] = []
        for child in gradient.parts():
            if child.name != "stop":
                continue
            style = self._context.style_of(child)
            try:
                offset = _offset(child.get("offset", "0"))
            except Refused as refused:
                self._context.refuse(child, refused, "offset")
                offset = 0.0
            offset = max(offset, found[-1].offset if found else 0.0)
            found.append(_ColourStop(offset, style.colour("stop-color"), style["stop-opacity"]))
        return _apart_at_the_ends(found)

    def _resolved(self, element: Element, chain: list[Element], stops: list[_ColourStop]) -> _Made:
        context = self._context
        for part in chain:
            if context.style_of(part)["transform"].functions:
                raise Refused("A gradient has a transform", "Write it as gradientTransform")
        units = _given(chain, "gradientUnits") or "objectBoundingBox"
        spread = _given(chain, "spreadMethod") or "pad"
        if units not in ("objectBoundingBox", "userSpaceOnUse") or spread not in ("pad", "reflect", "repeat"):
            raise Refused(f"gradientUnits={units!r} spreadMethod={spread!r} cannot be read", "Correct or remove them")
        turned = matrix.bounded(matrix.from_attribute(_given(chain, "gradientTransform") or ""))
        if matrix.is_flat(turned):
            raise Refused("The gradientTransform leaves nothing of the gradient", _FIT)
        in_box = units == "objectBoundingBox"
        unit_box = Viewport(0.0, 0.0, 1.0, 1.0)
        at = self._coordinates(element, chain, unit_box if in_box else context.viewport_of(element), in_box)
        if _is_empty(at):
            if spread != "pad":
                raise Refused("The gradient has no length", _FIT)
            return _Made(plain(stops[-1].colour, stops[-1].opacity), in_box)
        attributes = {name: short(value) for name, value in at.items()}
        if "r" in at and spread != "pad":
            raise Refused("A radial gradient that goes on beyond its circle has no form in a PDF", _FIT)
        if not in_box:
            attributes["gradientUnits"] = units
        if spread != "pad":
            attributes["spreadMethod"] = spread
        if turned != IDENTITY:
            attributes["gradientTransform"] = matrix.written(turned)
        return _Made(Painted(self._registry.add(Node(element.name, attributes, list(map(_written, stops))))), in_box)

    def _coordinates(
        self, element: Element, chain: list[Element], viewport: Viewport | None, in_box: bool
    ) -> dict[str, float]:
        """Return where the gradient runs, a focus only where it is not the centre. Refuse what is not drawn alike."""
        style = self._context.style_of(element)

        def user(name: str, text: str) -> float:
            along = None if viewport is None else viewport.width if "x" in name else viewport.height
            if viewport is not None and name in ("r", "fr"):
                along = 1.0 if in_box else viewport.diagonal
            return self._context.styles.length(length(text), style, along)

        at = {
            name: user(name, _given(chain, name, element.name) or default)
            for name, default in _COORDINATES[element.name].items()
        }
        if element.name == "linearGradient":
            return at
        if at["r"] < 0 or at.pop("fr"):
            raise Refused("The radii of the gradient are not drawn alike everywhere", _FIT)
        focus = {
            name: at[f"c{name[1]}"] if (text := _given(chain, name, element.name)) is None else user(name, text)
            for name in ("fx", "fy")
        }
        off = math.hypot(focus["fx"] - at["cx"], focus["fy"] - at["cy"])
        if off and off >= at["r"] * _NEAR:
            raise Refused("The focus of the gradient lies outside its circle", _FIT)
        return at | focus if off else at


def _apart_at_the_ends(stops: list[_ColourStop]) -> list[_ColourStop]:
    """Stops of which no two stand right at the beginning or the end, where renderers choose different ones."""
    first = [stop for stop in stops if stop.offset == 0]
    last = [stop for stop in stops if stop.offset == 1]
    between = [stop for stop in stops if 0 < stop.offset < 1]
    if len(first) > 1:
        first = [first[0], replace(first[-1], offset=_AFTER_START)]
    if len(last) > 1:
        last = [replace(stop, offset=at) for stop, at in zip((last[0], last[-1]), _BEFORE_END, strict=True)]
        between = [replace(stop, offset=min(stop.offset, _BEFORE_END[0])) for stop in between]
    return [*first, *between, *last]


def _given(chain: list[Element], name: str, of: str | None = None) -> str | None:
    """The first value of an attribute along a chain; ``of`` asks gradients of that kind only."""
    return next((part.attrib[name] for part in chain if name in part.attrib and of in (None, part.name)), None)


def _is_empty(at: dict[str, float]) -> bool:
    return at["r"] == 0 if "r" in at else (at["x1"], at["y1"]) == (at["x2"], at["y2"])


def _written(stop: _ColourStop) -> Node:
    alpha = stop.colour.alpha * stop.opacity
    opacity = {"stop-opacity": short(alpha, 4)} if alpha < 1 else {}
    return Node("stop", {"offset": short(stop.offset), "stop-color": stop.colour.hex, **opacity})


def _offset(text: str) -> float:
    found = length(text)
    if found.unit not in ("", "%"):
        raise Refused(f"{text.strip()[:60]!r} is no offset", "Write a number from 0 to 1")
    return min(1.0, max(0.0, found.value / (100 if found.unit else 1)))
