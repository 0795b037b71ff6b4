"""Resolve a document into a drawing: what browsers would draw of it, in the few words that all renderers share.

Every element that is drawn is walked once. Its style is computed, ``<use>``, ``<symbol>`` and nested ``<svg>``
become groups, lengths become user units, paint becomes ``#rgb`` and an opacity. What is on no list is noted
with its line, and the walk goes on, so that one reading tells everything.
"""

from __future__ import annotations

from dataclasses import replace

from . import matrix
from .clips import Clips
from .context import Context, Place
from .document import Document, Element
from .drawing import Drawing, Node, attributes
from .faults import DrawingError, Refused
from .gradients import Gradients
from .matrix import IDENTITY, Matrix
from .numbers import WHOLE, ZERO, Length, numbers, short
from .paint import DEFAULTS, Paint
from .registry import Registry
from .shapes import geometry
from .style import Style, Viewport
from .vocabulary import MOVING, SHAPES, SILENT, USABLE, is_empty_text, reason

MOST_NODES = 20_000  # elements of a drawing once every <use> is written out
MOST_CHARACTERS = 1_000_000
MOST_DEPTH = 100  # elements in each other once every <use> is written out
_FOREIGN = ("http://www.w3.org/1999/xhtml", "http://www.w3.org/1998/Math/MathML")
_ON_ROOT = ("transform", "clip-path", "mask")


def resolve(document: Document) -> Drawing:
    """The drawing of a document that has a root; DrawingError with every fault where there is one."""
    return _Resolver(document).drawing()


class _Resolver:
    """The walk through one document."""

    def __init__(self, document: Document) -> None:
        self._context = Context(document)
        self._styles = self._context.styles
        self._registry = Registry()
        self._clips = Clips(self._context, self._registry, self._render)
        self._paint = Paint(self._context, Gradients(self._context, self._registry))
        self._nodes = self._characters = 0

    def drawing(self) -> Drawing:
        """The drawing."""
        context, root = self._context, self._context.root
        self._check_everywhere()
        style = context.style_of(root)
        self._check_root(style)
        viewport = Viewport(*(context.view_box or (0.0, 0.0, 1.0, 1.0)))
        inherited = self._paint.inherited(style, viewport)
        self._clips.written = inherited
        body = self._children(root, style, Place(viewport, inherited))
        if style["opacity"] < 1:
            body = [Node("g", {"opacity": short(style["opacity"], 4)}, body)]
        if not body and not context.faults:
            context.note(root.line, "The drawing shows nothing", "Save it again with its shapes")
        if context.faults or context.view_box is None:
            raise DrawingError(context.faults)
        # A colour that the root names is kept even where it is the default: the sources of packages look for it.
        named = "fill" in self._styles.declared(root)
        given = {
            name: inherited[name]
            for name in DEFAULTS
            if inherited[name] != DEFAULTS[name] or (named and name == "fill")
        }
        resources, body = self._registry.named(body, given)
        text = "".join(node.written() for node in [*resources, *body])
        if len(text) > MOST_CHARACTERS:
            context.note(root.line, f"The drawing takes {len(text)} characters once it is resolved", "Simplify it")
            raise DrawingError(context.faults)
        return Drawing(context.view_box, attributes(given), text, root.line)

    # The document as a whole

    def _check_everywhere(self) -> None:
        """Notes what may not stand anywhere in the file, drawn or not."""
        note = self._context.note
        for element in self._context.elements():
            if element.name == "script":
                self._hold(element)
            elif element.name in MOVING:
                note(element.line, f"The master holds <{element.name}>", "Remove it; a logo does not move")
            elif element.namespace in _FOREIGN:
                note(element.line, "The master holds foreign content", "Remove it; only shapes are shown everywhere")
            for name in element.attrib:
                if name.lower().startswith("on"):
                    note(element.line, f"{name} runs a script", "Remove it; a logo does nothing")

    def _check_root(self, style: Style) -> None:
        root = self._context.root
        self._context.conditions(root)
        if style["display"] == "none":
            self._context.note(root.line, "The drawing is hidden (display: none)", "Remove it from <svg>")
        for name in _ON_ROOT:
            if style[name] is not None and (name != "transform" or style[name].functions):
                self._context.note(root.line, f"<svg> has a {name}", "Put it on a <g> round the shapes")

    def _hold(self, element: Element) -> None:
        what, fix = reason(element.name)
        self._context.note(element.line, f"The master holds {what}", fix)

    # Elements

    def _render(self, element: Element, parent: Style, place: Place) -> list[Node]:
        """Write an element and all that is in it, drawn within an element of the style ``parent``."""
        name = element.name
        if not name or name in SILENT or name == "script" or name in MOVING:
            return []
        self._nodes += 1
        if place.depth > MOST_DEPTH or self._nodes > MOST_NODES or self._characters > MOST_CHARACTERS:
            fix = "Simplify the drawing, and take out <use> of what uses others"
            self._context.note(element.line, "The drawing is too large once every <use> is written out", fix)
            return []
        style = self._styles.compute(element, parent)
        if style["display"] == "none":
            return []
        self._context.conditions(element)
        if name in SHAPES:
            return self._shape(element, style, place)
        if name == "g":
            effects = self._effects(element, style, place)
            return [] if effects is None else self._group(effects, element, style, place)
        if name == "use":
            return self._use(element, style, place)
        if name == "svg":
            return self._nested(element, style, place)
        if not is_empty_text(element):  # drawing programs leave such where a click began a text
            self._hold(element)
        return []

    def _children(self, element: Element, style: Style, place: Place) -> list[Node]:
        inner = replace(place, depth=place.depth + 1)
        return [node for child in element.parts() for node in self._render(child, style, inner)]

    def _group(self, effects: dict[str, str], element: Element, style: Style, place: Place) -> list[Node]:
        changed = self._paint.of_group(style, place.viewport, place.written)
        children = self._children(element, style, replace(place, written={**place.written, **changed}))
        given = {**changed, **effects}
        return [Node("g", given, children)] if given and children else children

    def _shape(self, element: Element, style: Style, place: Place) -> list[Node]:
        try:
            found = geometry(element, style, self._styles, place.viewport)
        except Refused as refused:
            self._context.refuse(element, refused)
            return []
        effects = self._effects(element, style, place)
        if found is None or effects is None or style["visibility"] != "visible":
            return []
        self._check_classes(element, style)
        if style["stroke"] is not None and style["stroke-dasharray"] and element.get("pathLength") is not None:
            fix = "Write the dashes in the units of the viewBox and remove pathLength"
            self._context.note(element.line, "pathLength changes the dashes in some renderers only", fix)
        paint = self._paint.of_shape(style, place.viewport, place.written, found)
        if paint is None:
            return []
        tag, written, _ = found
        self._characters += sum(map(len, written.values()))
        shown = {**place.written, **paint}
        if shown["fill"] != "none" and shown["stroke"].startswith("url("):
            # Readers of PDFs draw a stroke in a gradient below the fill, if both are told of one path.
            filled = {**written, **self._only(paint, place.written, "fill")}
            stroked = {**written, **self._only(paint, place.written, "stroke")}
            pair = [Node(tag, filled), Node(tag, stroked)]
            return [Node("g", effects, pair)] if effects else pair
        return [Node(tag, {**written, **paint, **effects})]

    def _only(self, paint: dict[str, str], around: dict[str, str], kept: str) -> dict[str, str]:
        """The paint of a shape with its fill or its stroke alone."""
        other = {"fill": "stroke", "stroke": "fill"}[kept]
        mine = {name: text for name, text in paint.items() if name.startswith(kept)}
        if around[other] != "none":
            mine[other] = "none"
        return {name: mine[name] for name in DEFAULTS if name in mine}

    def _check_classes(self, element: Element, style: Style) -> None:
        """Notes classes whose style sheet is gone, where the shape is black for want of any other paint."""
        if style.given & {"fill", "stroke"}:
            return
        at: Element | None = element
        while at is not None and at is not self._context.root:
            if at.get("class", "").strip() and not self._styles.has_rule(at):
                message = f"No style sheet says what class={at.get('class', '')[:40]!r} looks like, so it is black"
                self._context.note(at.line, message, "Remove the class, or write fill and stroke as attributes")
            at = self._context.parents.get(at)

    def _use(self, element: Element, style: Style, place: Place) -> list[Node]:
        target = self._context.target(element)
        if target is None:
            return []
        if element in place.uses or target in self._ancestors(element):
            self._context.note(element.line, "This <use> draws itself", "Refer to another element")
            return []
        if target.name not in USABLE:
            message = f"<use> refers to a <{target.name}>, which is nothing to draw"
            self._context.note(element.line, message, "Refer to a shape")
            return []
        effects = self._effects(element, style, place)
        if effects is None:
            return []
        changed = self._paint.of_group(style, place.viewport, place.written)
        inner = Place(place.viewport, {**place.written, **changed}, (*place.uses, element), place.depth + 1)
        if target.name in ("symbol", "svg"):
            own = self._styles.compute(target, style)
            self._context.conditions(target)
            size = (style["width"], style["height"])
            children = [] if own["display"] == "none" else self._nested(target, own, inner, size)
        else:
            children = self._render(target, style, inner)
        given = {**changed, **effects}
        return [Node("g", given, children)] if given and children else children

    def _ancestors(self, element: Element) -> list[Element]:
        found = [element]
        while (parent := self._context.parents.get(found[-1])) is not None:
            found.append(parent)
        return found

    def _nested(
        self, element: Element, style: Style, place: Place, size: tuple[Length | None, Length | None] = (None, None)
    ) -> list[Node]:
        """A nested ``<svg>``, or a ``<symbol>`` that is used with a size: a view box in a place of its own."""
        if style["clip-path"] is not None or style["mask"] is not None:
            fix = "Put it on a <g> round the drawing"
            self._context.note(element.line, f"A clip or mask on a <{element.name}> is not drawn alike everywhere", fix)
            return []
        effects = self._effects(element, style, place)
        if effects is None:
            return []
        try:
            box = self._nested_box(element, style, place.viewport, size)
            inner, into = _fitted(element, box)
        except Refused as refused:
            self._context.refuse(element, refused)
            return []
        if min(box[2], box[3], inner.width, inner.height) <= 0:
            return []
        moved = {} if into == IDENTITY else {"transform": matrix.written(into)}
        nodes = self._group(moved, element, style, replace(place, viewport=inner))
        if style["overflow"] not in ("visible", "auto") and nodes:
            nodes = [Node("g", {"clip-path": self._registry.clip_to(box)}, nodes)]
        return [Node("g", effects, nodes)] if effects and nodes else nodes

    def _nested_box(
        self, element: Element, style: Style, viewport: Viewport | None, size: tuple[Length | None, Length | None]
    ) -> tuple[float, float, float, float]:
        """Left, top, width and height of a nested drawing; a ``<symbol>`` has no size of its own in browsers."""
        across, down = (None, None) if viewport is None else (viewport.width, viewport.height)
        if element.name == "symbol":
            if any(name in element.attrib for name in ("x", "y", "width", "height", "refX", "refY")):
                raise Refused("The size of a <symbol> is not drawn alike everywhere", "Write it on the <use>")
            x, y, width, height = ZERO, ZERO, *(given or WHOLE for given in size)
        else:
            x, y = style["x"] or ZERO, style["y"] or ZERO
            width, height = (
                given or style[name] or WHOLE for given, name in zip(size, ("width", "height"), strict=True)
            )
        length = self._styles.length
        return (
            length(x, style, across),
            length(y, style, down),
            length(width, style, across),
            length(height, style, down),
        )

    def _effects(self, element: Element, style: Style, place: Place) -> dict[str, str] | None:
        """Transform, opacity, clip and mask of an element; None where they leave nothing of it."""
        try:
            made = self._context.matrix_of(element, style, place.viewport)
            if element.name == "use":
                made = matrix.times(made, self._context.move_of(element, style, place.viewport))
        except Refused as refused:
            self._context.refuse(element, refused)
            return None
        if matrix.is_flat(made) or style["opacity"] == 0:
            return None
        found: dict[str, str] = {}
        if made != IDENTITY:
            found["transform"] = matrix.written(made)
        if style["opacity"] < 1:
            found["opacity"] = short(style["opacity"], 4)
        for name, of in (("clip-path", self._clips.clip), ("mask", self._clips.mask)):
            if style[name] is not None:
                reference = of(style[name])
                if reference is None:
                    return None
                found[name] = reference
        return found


def _fitted(element: Element, box: tuple[float, float, float, float]) -> tuple[Viewport, Matrix]:
    """The view box of a nested drawing in a box, and how it gets there (SVG 2, 8.6 and 8.7)."""
    x, y, width, height = box
    given = element.get("viewBox")
    if given is None:
        return Viewport(0.0, 0.0, width, height), matrix.translation(x, y)
    values = numbers(given)
    if len(values) != 4:
        raise Refused(f"viewBox={given!r} is not four numbers", 'Write it as viewBox="0 0 WIDTH HEIGHT"')
    inner = Viewport(*values)
    if inner.width <= 0 or inner.height <= 0:
        return inner, IDENTITY
    words = element.get("preserveAspectRatio", "xMidYMid meet").split()
    align, fit = [*words, "meet"][:2] if words else ("xMidYMid", "meet")
    across, down = width / inner.width, height / inner.height
    if align != "none":
        if len(align) != 8 or align[1:4] not in _ALIGN or align[5:] not in _ALIGN or fit not in ("meet", "slice"):
            raise Refused(f"preserveAspectRatio={' '.join(words)[:60]!r} cannot be read", "Remove it")
        across = down = min(across, down) if fit == "meet" else max(across, down)
        x += (width - inner.width * across) * _ALIGN[align[1:4]]
        y += (height - inner.height * down) * _ALIGN[align[5:]]
    return inner, (across, 0.0, 0.0, down, x - inner.left * across, y - inner.top * down)


_ALIGN = {"Min": 0.0, "Mid": 0.5, "Max": 1.0}
