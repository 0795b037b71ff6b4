"""Clips and masks: each resolved once, in the place where it stands in the file."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations

from . import matrix
from .context import Context, Place
from .document import Element
from .drawing import Node
from .faults import Refused
from .matrix import IDENTITY, Matrix
from .numbers import length, short
from .path import Box
from .properties import Reference
from .registry import Registry
from .shapes import geometry
from .style import Style, Viewport, side_of
from .vocabulary import SHAPES, SILENT, reason

#: Draws an element within one of the given style: what a mask is made of.
Render = Callable[[Element, Style, Place], list[Node]]

_MASK = {"x": "-10%", "y": "-10%", "width": "120%", "height": "120%"}
_MOST_SHAPES = 500  # in a clip
_UNITS = frozenset({"userSpaceOnUse", "objectBoundingBox"})


_Part = tuple[Node, Box]  # a shape of a clip, and the box that it fills there


class Clips:
    """The clips and masks of one document. ``written`` is what stands on the root, whose children they are."""

    def __init__(self, context: Context, registry: Registry, render: Render) -> None:
        self._context = context
        self._registry = registry
        self._render = render
        self.written: dict[str, str] = {}
        self._made: dict[tuple[str, Element], str | None] = {}
        self._making: list[Element] = []

    def clip(self, reference: Reference) -> str | None:
        """The clip that a reference names; None where it leaves nothing, or with its fault noted."""
        return self._once("clip-path", "clipPath", reference, self._make_clip)

    def mask(self, reference: Reference) -> str | None:
        """The mask that a reference names; None where it leaves nothing, or with its fault noted."""
        return self._once("mask", "mask", reference, self._make_mask)

    def _once(self, what: str, tag: str, reference: Reference, make: Callable[[Element], str | None]) -> str | None:
        context = self._context
        element = context.find(reference, reference.line, what)
        if element is None:
            return None
        key = (what, element)
        if key in self._made:
            return self._made[key]
        if element.name != tag:
            context.note(reference.line, f"{what} refers to a <{element.name}>", f"Refer to a <{tag}>")
            return None
        if element in self._making:
            context.note(element.line, f"This <{tag}> refers to itself", "Refer to another one")
            return None
        if not context.usable(element, reference.line):
            return None
        self._making.append(element)
        try:
            self._made[key] = make(element)
        except Refused as refused:
            context.refuse(element, refused)
            self._made[key] = None
        finally:
            self._making.pop()
        return self._made[key]

    # Clips

    def _make_clip(self, element: Element) -> str | None:
        context = self._context
        style = context.style_of(element)
        units = element.get("clipPathUnits", "userSpaceOnUse")
        if units not in _UNITS:
            raise Refused(f"clipPathUnits={units[:40]!r} cannot be read", "Write userSpaceOnUse")
        in_box = units == "objectBoundingBox"
        viewport = None if in_box else context.viewport_of(element)
        attributes = {"clipPathUnits": units} if in_box else {}
        made = context.matrix_of(element, style, viewport)
        if matrix.is_flat(made):
            return None
        if made != IDENTITY and in_box:
            raise Refused("A transform of a clip in a box is not drawn alike everywhere", "Apply it to the shapes")
        if style["mask"] is not None:
            raise Refused("A <clipPath> with a mask is not drawn alike everywhere", "Put the mask on the shapes")
        if not self._clipped(style, attributes):
            return None
        parts = [part for child in element.parts() for part in self._clip_part(child, style, viewport, made)]
        if len(parts) > _MOST_SHAPES:
            raise Refused(f"A <clipPath> holds more than {_MOST_SHAPES} shapes", "Unite them")
        if any(_overlap(one, other) for (_, one), (_, other) in combinations(parts, 2)):
            # Renderers take the shapes as one path, and where two run round each other's way nothing is left.
            raise Refused("The shapes of a <clipPath> overlap, which is not drawn alike everywhere", "Unite them")
        nodes = [node for node, _ in parts]
        if len({node.attributes.get("clip-rule") for node in nodes}) > 1:
            raise Refused("The shapes of a <clipPath> have different rules", "Give all of them the same clip-rule")
        return self._registry.add(Node("clipPath", attributes, nodes)) if nodes else None

    def _clipped(self, style: Style, attributes: dict[str, str]) -> bool:
        """Tell whether the clip of a style leaves anything; written into ``attributes``."""
        if style["clip-path"] is None:
            return True
        inner = self.clip(style["clip-path"])
        if inner is not None:
            attributes["clip-path"] = inner
        return inner is not None

    def _clip_part(self, element: Element, parent: Style, viewport: Viewport | None, made: Matrix) -> list[_Part]:
        """A shape of a clip. A ``<use>`` of a shape is written as the shape."""
        context = self._context
        if not element.name or element.name in SILENT:
            return []
        style = context.styles.compute(element, parent)
        if style["display"] == "none":
            return []
        context.conditions(element)
        # The transform of the clip is written on its shapes, so that it moves no other clip that it is clipped by.
        moved = matrix.times(made, context.matrix_of(element, style, viewport))
        if element.name == "use":
            target = context.target(element)
            if target is None:
                return []
            if style["clip-path"] is not None or style["mask"] is not None:
                raise Refused("A clip in a clip is not drawn alike everywhere", "Apply it to the shape")
            moved = matrix.times(moved, context.move_of(element, style, viewport))
            element, style = target, context.styles.compute(target, style)
            moved = matrix.times(moved, context.matrix_of(element, style, viewport))
        return self._clip_shape(element, style, viewport, moved)

    def _clip_shape(self, element: Element, style: Style, viewport: Viewport | None, moved: Matrix) -> list[_Part]:
        if element.name not in SHAPES:
            what, fix = reason(element.name)
            if element.name in ("g", "use", "svg", "symbol"):
                what, fix = f"a <{element.name}>, which clips nothing in browsers", "Ungroup it to shapes"
            self._context.note(element.line, f"A <clipPath> holds {what}", fix)
            return []
        found = geometry(element, style, self._context.styles, viewport)
        hidden = style["display"] == "none" or style["visibility"] != "visible"
        if found is None or hidden or matrix.is_flat(moved):
            return []
        attributes = dict(found[1])
        if style["clip-rule"] != self.written["clip-rule"]:
            attributes["clip-rule"] = style["clip-rule"]
        if moved != IDENTITY:
            attributes["transform"] = matrix.written(moved)
        if style["mask"] is not None:
            raise Refused("A mask in a clip is not drawn alike everywhere", "Apply it to the shape")
        if style["clip-path"] is not None:
            raise Refused("A clip in a clip is not drawn alike everywhere", "Apply it to the shape")
        return [(Node(found[0], attributes), matrix.box_of(moved, found[2]))]

    # Masks

    def _make_mask(self, element: Element) -> str | None:
        context = self._context
        style = context.style_of(element)
        units = element.get("maskUnits", "objectBoundingBox")
        content = element.get("maskContentUnits", "userSpaceOnUse")
        if {units, content} - _UNITS:
            raise Refused("maskUnits or maskContentUnits cannot be read", "Write userSpaceOnUse")
        if style["mask"] is not None or style["clip-path"] is not None:
            raise Refused("A mask in a mask is not drawn alike everywhere", "Apply it to the shapes")
        viewport = context.viewport_of(element)
        attributes = {} if units == "objectBoundingBox" else {"maskUnits": units}
        for name, default in _MASK.items():
            along = 1.0 if units == "objectBoundingBox" else side_of(viewport, name)
            value = context.styles.length(length(element.get(name, default)), style, along)
            if name in ("width", "height") and value <= 0:
                return None
            attributes[name] = short(value)
        in_box = content == "objectBoundingBox"
        if in_box:
            attributes["maskContentUnits"] = content
        if style["mask-type"] != "luminance":
            attributes["mask-type"] = style["mask-type"]
        place = Place(None if in_box else viewport, self.written)
        nodes = [node for child in element.parts() for node in self._render(child, style, place)]
        return self._registry.add(Node("mask", attributes, nodes)) if nodes else None


def _overlap(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
