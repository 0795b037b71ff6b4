"""Computed values: what each property of an element is after cascade, inheritance and units."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from . import matrix
from .cascade import Cascade, Declaration, Note, check_dropped, value_of
from .document import Element
from .faults import Refused
from .matrix import Transform
from .numbers import Length, bounded, length
from .properties import BLACK, GEOMETRY, PARSERS, Colour, CurrentColour, Reference

_UNKNOWN_SIZE = "The size of an em is not known here"
_UNITS = "Write a number, in the units of the viewBox"


@dataclass(frozen=True)
class Viewport:
    """Basis of percentages: the nearest view box, in user units."""

    left: float
    top: float
    width: float
    height: float

    @property
    def diagonal(self) -> float:
        """Return what percentages of lengths without a direction are of (SVG 2, 8.9)."""
        return math.hypot(self.width, self.height) / math.sqrt(2)


def side_of(viewport: Viewport | None, name: str) -> float | None:
    """Return what percentages of a coordinate or a side are of: the width for ``x`` and ``width``, else the height."""
    if viewport is None:
        return None
    return viewport.width if name in ("x", "width") else viewport.height


@dataclass(frozen=True)
class Style:
    """The computed values of an element. ``given`` names what it or an element round it sets for itself."""

    values: Mapping[str, Any]
    given: frozenset[str]

    def __getitem__(self, name: str) -> Any:
        return self.values[name]

    def colour(self, name: str) -> Colour:
        """A property that is a colour, with ``currentColor`` as the colour that it stands for."""
        found = self["color"] if isinstance(self[name], CurrentColour) else self[name]
        return found if isinstance(found, Colour) else BLACK

    def em(self, unit: str, root: float | None) -> float:
        """Pixels of one ``em`` or ``rem``; Refused where a keyword gives the size of the font."""
        size = self["font-size"] if unit == "em" else root
        if size is None:
            raise Refused(_UNKNOWN_SIZE, _UNITS)
        assert isinstance(size, float)
        return size


_INITIAL = Style({name: 16.0 if name == "font-size" else prop.initial for name, prop in PARSERS.items()}, frozenset())


class Styles:
    """Compute styles. Every fault in a declaration is noted where it stands."""

    def __init__(self, root: Element, cascade: Cascade, note: Note) -> None:
        self._root = root
        self._cascade = cascade
        self._note = note
        self._declared: dict[Element, dict[str, list[Declaration]]] = {}
        self._root_em: float | None = 16.0

    def declared(self, element: Element) -> dict[str, list[Declaration]]:
        """The declarations of an element by property."""
        found = self._declared.get(element)
        if found is None:
            found = self._cascade.of(element)
            check_dropped(found, self._note)
            for name in GEOMETRY:
                # The size of the root is that of a box in a page; every size is made from the view box.
                if element.name not in GEOMETRY[name] or element is self._root:
                    found.pop(name, None)
            self._declared[element] = found
        return found

    def has_rule(self, element: Element) -> bool:
        """Tell whether a style sheet speaks of the element."""
        return self._cascade.has_rule(element)

    def compute(self, element: Element, parent: Style | None) -> Style:
        """The style of an element within one whose style is given; None is the root."""
        root = parent is None
        parent = parent or _INITIAL
        declared = self.declared(element)
        values: dict[str, Any] = {}
        for name, prop in PARSERS.items():
            if name in declared:
                values[name] = self._value(name, declared[name], parent)
            else:
                values[name] = parent[name] if prop.inherited else prop.initial
        size = None if "font" in declared else values["font-size"]
        values["font-size"] = size
        if isinstance(size, Length):
            scale = {"": 1.0, "%": _of(parent["font-size"], 0.01), "em": parent["font-size"], "rem": self._root_em}
            factor = scale[size.unit]
            values["font-size"] = None if factor is None else size.value * factor
        if root:
            self._root_em = values["font-size"]
        style = Style(values, parent.given | declared.keys())
        for name, value in values.items():
            if isinstance(value, Reference) and name in declared:
                values[name] = replace(value, line=declared[name][-1].line)
            elif name in declared and name != "font-size":
                values[name] = self._absolute(name, value, style, declared[name][-1].line)
        return style

    def _value(self, name: str, declarations: list[Declaration], parent: Style) -> Any:
        last = declarations[-1]
        prop = PARSERS[name]
        if last.attribute is not None:
            try:
                return _own(name, last.attribute)
            except Refused as refused:
                self._note(last.line, f"{name}: {refused.message}", refused.fix)
                return prop.initial
        word = last.tokens[0].lower_value if len(last.tokens) == 1 and last.tokens[0].type == "ident" else ""
        if word == "inherit" or (word == "unset" and prop.inherited):
            return parent[name]
        if word in ("initial", "unset"):
            return 16.0 if name == "font-size" else prop.initial
        return value_of(declarations, self._note)

    def _absolute(self, name: str, value: Any, style: Style, line: int) -> Any:
        """A value with its lengths in em as user units."""
        if isinstance(value, Length) and value.unit in ("em", "rem"):
            try:
                return Length(bounded(value.value * style.em(value.unit, self._root_em)))
            except Refused as refused:
                self._note(line, f"{name}: {refused.message}", refused.fix)
                return Length(0.0)
        if isinstance(value, tuple) and any(isinstance(part, Length) for part in value):
            return tuple(self._absolute(name, part, style, line) for part in value)
        return value

    def ems(self, style: Style) -> tuple[float, float]:
        """Pixels of ``em`` and ``rem`` for an element; Refused where they are not known."""
        return style.em("em", self._root_em), style.em("rem", self._root_em)

    def length(self, value: Length, style: Style, along: float | None) -> float:
        """A length in user units; ``along`` is what percentages are of. Refused where that is not known."""
        if value.unit == "%":
            if along is None:
                raise Refused("A percentage has no meaning here", _UNITS)
            return bounded(value.value * along / 100)
        return bounded(value.value * (style.em(value.unit, self._root_em) if value.unit else 1.0))


def _own(name: str, text: str) -> Any:
    """The value of an attribute that SVG reads by a grammar of its own."""
    if name == "transform":
        made = matrix.from_attribute(text)
        return Transform(() if made == matrix.IDENTITY else (("fixed", (made,)),))
    if name == "d":
        return text
    return length(text) if text.strip() else None


def _of(size: float | None, share: float) -> float | None:
    return None if size is None else size * share
