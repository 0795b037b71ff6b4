"""Context of a document as a whole: its view box, ids, styles and faults, for everything that resolves it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote

from . import matrix
from .cascade import Cascade
from .document import XLINK, Document, Element
from .drawing import ViewBox
from .faults import Fault, Refused
from .matrix import IDENTITY, Matrix
from .numbers import ZERO, length, numbers
from .properties import Reference, fragment
from .shapes import own_box
from .style import Style, Styles, Viewport, side_of
from .vocabulary import CONDITIONS

_APPLY = "Apply the transform to the shapes"


@dataclass(frozen=True)
class Place:
    """Place of an element: what percentages are of, what is written round it, the ``<use>`` that lead there."""

    viewport: Viewport | None
    written: dict[str, str]
    uses: tuple[Element, ...] = ()
    depth: int = 0


class Context:
    """One document while it is resolved. What is wrong is in ``faults``."""

    def __init__(self, document: Document) -> None:
        assert document.root is not None
        self.root = document.root
        self.whole = document.whole
        self.faults: set[Fault] = set(document.faults)
        self.parents: dict[Element, Element] = {}
        self.by_id: dict[str, Element] = {}
        for element in self.elements():
            self.parents.update(dict.fromkeys(element.parts(), element))
            if (name := element.get("id")) is not None:
                self.by_id.setdefault(name, element)  # as browsers do: the first in the file
        self.styles = Styles(self.root, Cascade(document, self.note), self.note)
        self._own_styles: dict[Element, Style] = {}
        self.view_box = self._view_box()

    def elements(self) -> Iterator[Element]:
        """Every element of the document in its order."""
        for element in self.root.iter():
            assert isinstance(element, Element)
            yield element

    def note(self, line: int, message: str, fix: str) -> None:
        """Note one fault."""
        self.faults.add(Fault(line, message, fix))

    def refuse(self, element: Element, refused: Refused, what: str = "") -> None:
        """Note that a value of an element was refused."""
        self.note(element.line, f"{what}: {refused.message}" if what else refused.message, refused.fix)

    def conditions(self, element: Element) -> None:
        """Note attributes by which it depends on the viewer whether an element is shown."""
        for name in CONDITIONS:
            if name in element.attrib:
                fix = f"Remove {name}, or what it stands on"
                self.note(element.line, f"{name} makes it depend on the viewer whether this is shown", fix)

    def usable(self, element: Element, line: int) -> bool:
        """Tell whether paint, a clip or a mask may be referred to; noted where it may not."""
        self.conditions(element)
        if self.is_hidden(element):
            self.note(line, "This refers into a hidden part (display: none)", "Remove display: none there")
            return False
        return True

    def _view_box(self) -> ViewBox | None:
        given = self.root.get("viewBox")
        try:
            if given is None:
                sides = [length(self.root.get(name, "")) for name in ("width", "height")]
                if any(side.unit for side in sides):
                    raise Refused("", "")
                values = [0.0, 0.0, sides[0].value, sides[1].value]
            else:
                values = numbers(given)
        except Refused:
            values = []
        fix = 'Write it as viewBox="0 0 WIDTH HEIGHT"'
        if len(values) == 4:
            if values[2] <= 0 or values[3] <= 0:
                self.note(
                    self.root.line,
                    f"viewBox={given!r} is no size for a drawing",
                    'Write it as viewBox="0 0 WIDTH HEIGHT"',
                )
                return None
            return (values[0], values[1], values[2], values[3])
        if given is None:
            self.note(self.root.line, "The viewBox is missing", 'Add viewBox="0 0 WIDTH HEIGHT" to <svg>')
        else:
            self.note(self.root.line, f"viewBox={given!r} is not four numbers", fix)
        return None

    def style_of(self, element: Element) -> Style:
        """The style of an element where it stands in the file."""
        found = self._own_styles.get(element)
        if found is None:
            parent = self.parents.get(element)
            inherited = None if parent is None else self.style_of(parent)
            found = self._own_styles[element] = self.styles.compute(element, inherited)
        return found

    def viewport_of(self, element: Element) -> Viewport | None:
        """Return what percentages of an element are of, where it stands; None where that depends on its use."""
        parent = self.parents.get(element)
        if parent is None or parent is self.root:
            return Viewport(*self.view_box) if self.view_box else None
        if parent.name == "svg":  # a <symbol> is none where it stands, only where it is used
            try:
                values = numbers(parent.get("viewBox", ""))
            except Refused:
                values = []
            return Viewport(*values) if len(values) == 4 else None
        return self.viewport_of(parent)

    def is_hidden(self, element: Element) -> bool:
        """Tell whether an element or one round it is not displayed."""
        parent = self.parents.get(element)
        return self.style_of(element)["display"] == "none" or (parent is not None and self.is_hidden(parent))

    def target(self, element: Element) -> Element | None:
        """The element that ``href`` names, before ``xlink:href`` (SVG 2, 16.1); noted where there is none."""
        address = element.get("href", element.get(f"{{{XLINK}}}href"))
        if address is None:
            self.note(element.line, f"<{element.name}> refers to nothing", "Remove it, or add href")
            return None
        try:
            return self.find(fragment(address), element.line, "href")
        except Refused as refused:
            self.refuse(element, refused, "href")
            return None

    def find(self, reference: Reference, line: int, what: str) -> Element | None:
        """The element of an id, which may be written with percent signs; noted where there is none."""
        found = self.by_id.get(unquote(reference.id))
        if found is None and self.whole:
            fix = "Remove the reference, or put back what it refers to"
            self.note(line, f"{what} refers to #{reference.id[:60]}, which is not in the file", fix)
        return found

    def matrix_of(self, element: Element, style: Style, viewport: Viewport | None) -> Matrix:
        """The transform of an element about its origin; Refused where the box that it needs is not known."""
        transform = style["transform"]
        if not transform.functions:
            return IDENTITY
        origin = style["transform-origin"]
        percent = transform.needs_box or any(part.unit == "%" for part in origin)
        left, top, sides = 0.0, 0.0, (0.0, 0.0)
        if style["transform-box"] != "view-box":
            left, top, right, bottom = own_box(element, style, self.styles, viewport)
            sides = (right - left, bottom - top)
        elif percent and (viewport is None or viewport.left or viewport.top):
            raise Refused("The box that the transform is about is not known", _APPLY)
        elif viewport is not None:
            sides = (viewport.width, viewport.height)
        ems = self.styles.ems(style) if transform.needs_em else (0.0, 0.0)
        x, y = (self.styles.length(part, style, side) for part, side in zip(origin, sides, strict=True))
        there, back = matrix.translation(x + left, y + top), matrix.translation(-x - left, -y - top)
        return matrix.bounded(matrix.times(matrix.times(there, transform.matrix(sides, ems)), back))

    def move_of(self, element: Element, style: Style, viewport: Viewport | None) -> Matrix:
        """Return where a ``<use>`` puts what it draws."""
        x, y = (self.styles.length(style[name] or ZERO, style, side_of(viewport, name)) for name in ("x", "y"))
        return matrix.translation(x, y)
