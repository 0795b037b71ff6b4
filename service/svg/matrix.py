"""Affine transforms: written as SVG attributes or as CSS, read into matrices, and written as short as they are."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from typing import Any

from .faults import Refused
from .numbers import ZERO, Length, finite, length, numbers, short
from .numbers import bounded as finite_value

#: a, b, c, d, e, f of ``x' = a x + c y + e``, ``y' = b x + d y + f``, as SVG's ``matrix()`` has them.
Matrix = tuple[float, float, float, float, float, float]

IDENTITY: Matrix = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)
_FLAT = "Apply the transform to the shapes, or write translate, scale, rotate, skew or matrix"
_FUNCTION = re.compile(r"\s*([A-Za-z]+)\s*\(([^()]*)\)\s*,?")
_ANGLES = {"deg": 1.0, "grad": 0.9, "rad": 180 / math.pi, "turn": 360.0}


def times(first: Matrix, second: Matrix) -> Matrix:
    """The product: what ``second`` and then ``first`` do to a point."""
    a, b, c, d, e, f = first
    g, h, i, j, k, m = second
    return (a * g + c * h, b * g + d * h, a * i + c * j, b * i + d * j, a * k + c * m + e, b * k + d * m + f)


def translation(x: float, y: float) -> Matrix:
    """A move."""
    return (1.0, 0.0, 0.0, 1.0, x, y)


def bounded(matrix: Matrix) -> Matrix:
    """The matrix, or Refused where it throws what it moves out of all sight."""
    for value in matrix:
        finite_value(value)
    return matrix


def box_of(matrix: Matrix, box: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
    """The upright box (left, top, right, bottom) round a box that a matrix moves."""
    a, b, c, d, e, f = matrix
    corners = [(a * x + c * y + e, b * x + d * y + f) for x in (box[0], box[2]) for y in (box[1], box[3])]
    xs, ys = zip(*corners, strict=True)
    return min(xs), min(ys), max(xs), max(ys)


def is_flat(matrix: Matrix) -> bool:
    """Tell whether a matrix lays everything onto a line or a point, so that nothing is to be seen."""
    a, b, c, d, _, _ = matrix
    return abs(a * d - b * c) < 1e-12 * max(1e-12, a * a + b * b + c * c + d * d)


def from_attribute(text: str) -> Matrix:
    """The matrix of a ``transform`` attribute (SVG 1.1, 7.6); Refused where it is none."""
    matrix, position = IDENTITY, 0
    rest = text.rstrip()
    while position < len(rest):
        match = _FUNCTION.match(rest, position)
        if match is None:
            if not rest[position:].strip():
                break
            raise Refused(f"The transform {rest[position:][:60]!r} cannot be read", _FLAT)
        matrix = times(matrix, _svg_function(match[1], numbers(match[2])))
        position = match.end()
    return matrix


def _svg_function(name: str, values: list[float]) -> Matrix:
    count = len(values)
    if name == "matrix" and count == 6:
        return (values[0], values[1], values[2], values[3], values[4], values[5])
    if name == "translate" and count in (1, 2):
        return translation(values[0], values[1] if count == 2 else 0.0)
    if name == "scale" and count in (1, 2):
        return (values[0], 0.0, 0.0, values[-1], 0.0, 0.0)
    if name == "rotate" and count in (1, 3):
        turned = _rotation(values[0])
        if count == 1:
            return turned
        return times(times(translation(values[1], values[2]), turned), translation(-values[1], -values[2]))
    if name in ("skewX", "skewY") and count == 1:
        return _skew(name, values[0])
    raise Refused(f"The transform {name}() of {count} numbers is not drawn alike everywhere", _FLAT)


def _rotation(degrees: float) -> Matrix:
    # Quarters of a turn are exact, as in every renderer.
    quarter = {0.0: (1.0, 0.0), 90.0: (0.0, 1.0), 180.0: (-1.0, 0.0), 270.0: (0.0, -1.0)}.get(degrees % 360)
    cos, sin = quarter or (math.cos(math.radians(degrees)), math.sin(math.radians(degrees)))
    return (cos, sin, -sin, cos, 0.0, 0.0)


def _skew(name: str, degrees: float) -> Matrix:
    slope = math.tan(math.radians(degrees))
    return (1.0, 0.0, slope, 1.0, 0.0, 0.0) if name.lower() == "skewx" else (1.0, slope, 0.0, 1.0, 0.0, 0.0)


class Transform:
    """A ``transform`` property in CSS, whose percentages wait for the box that they are of."""

    def __init__(self, functions: Sequence[tuple[str, tuple[Any, ...]]]) -> None:
        self.functions = functions

    def matrix(self, box: tuple[float, float], em: tuple[float, float]) -> Matrix:
        """The matrix for a reference box of this width and height; ``em`` are the sizes of em and rem."""

        def user(value: Length, size: float) -> float:
            return value.value * {"": 1.0, "%": size / 100, "em": em[0], "rem": em[1]}[value.unit]

        made = IDENTITY
        for name, values in self.functions:
            if name == "translate":
                made = times(made, translation(user(values[0], box[0]), user(values[1], box[1])))
            else:
                made = times(made, values[0])
        return made

    @property
    def needs_box(self) -> bool:
        """Tell whether a percentage is in it."""
        return "%" in self._units

    @property
    def needs_em(self) -> bool:
        """Tell whether a length in em or rem is in it."""
        return bool(self._units & {"em", "rem"})

    @property
    def _units(self) -> set[str]:
        return {value.unit for _, values in self.functions for value in values if isinstance(value, Length)}


def from_css(tokens: Sequence[Any]) -> Transform:
    """A ``transform`` property from its component values (css-transforms-1); Refused for what is not flat."""
    return Transform([_css_function(token) for token in tokens])


def _css_function(token: Any) -> tuple[str, tuple[Any, ...]]:
    if token.type != "function":
        raise Refused(f"The transform {token.serialize()[:60]!r} cannot be read", _FLAT)
    arguments: list[list[Any]] = [[]]
    for part in token.arguments:
        if part.type == "literal" and part.value == ",":
            arguments.append([])
        elif part.type not in ("whitespace", "comment"):
            arguments[-1].append(part)
    counts, read = _CSS.get(token.lower_name, ((), None))
    if read is None or not all(len(argument) == 1 for argument in arguments) or len(arguments) not in counts:
        raise Refused(f"The transform {token.serialize()[:60]!r} is not drawn alike everywhere", _FLAT)
    return read([argument[0] for argument in arguments])


def _css_skew(values: Sequence[Any]) -> tuple[str, tuple[Any, ...]]:
    across, *down = (math.tan(math.radians(_angle(value))) for value in values)
    return "fixed", ((1.0, down[0] if down else 0.0, across, 1.0, 0.0, 0.0),)


#: The functions of css-transforms-1: how many arguments each takes, and how they are read.
_CSS: dict[str, tuple[tuple[int, ...], Callable[[Sequence[Any]], tuple[str, tuple[Any, ...]]]]] = {
    "matrix": ((6,), lambda given: ("fixed", (tuple(_number(value) for value in given),))),
    "translate": ((1, 2), lambda given: ("translate", (_length(given[0]), _length(given[1]) if given[1:] else ZERO))),
    "translatex": ((1,), lambda given: ("translate", (_length(given[0]), ZERO))),
    "translatey": ((1,), lambda given: ("translate", (ZERO, _length(given[0])))),
    "scale": ((1, 2), lambda given: ("fixed", ((_number(given[0]), 0.0, 0.0, _number(given[-1]), 0.0, 0.0),))),
    "scalex": ((1,), lambda given: ("fixed", ((_number(given[0]), 0.0, 0.0, 1.0, 0.0, 0.0),))),
    "scaley": ((1,), lambda given: ("fixed", ((1.0, 0.0, 0.0, _number(given[0]), 0.0, 0.0),))),
    "rotate": ((1,), lambda given: ("fixed", (_rotation(_angle(given[0])),))),
    "skew": ((1, 2), _css_skew),
    "skewx": ((1,), lambda given: ("fixed", (_skew("skewX", _angle(given[0])),))),
    "skewy": ((1,), lambda given: ("fixed", (_skew("skewY", _angle(given[0])),))),
}


def _number(token: Any) -> float:
    if token.type == "percentage":
        return finite(token.representation) / 100
    if token.type != "number":
        raise Refused(f"{token.serialize()[:60]!r} is no number", _FLAT)
    return finite(token.representation)


def _length(token: Any) -> Length:
    return css_length(token, unitless=False)


def css_length(token: Any, *, unitless: bool) -> Length:
    """A length or percentage from a CSS token; zero and, with ``unitless``, every number needs no unit."""
    if token.type == "percentage":
        return Length(finite(token.representation), "%")
    if token.type == "dimension":
        return length(token.representation, unit=token.unit)
    if token.type == "number" and (unitless or token.value == 0):
        return Length(finite(token.representation))
    raise Refused(
        f"{token.serialize()[:60]!r} is no length", "Write it as a plain attribute, in the units of the viewBox"
    )


def _angle(token: Any) -> float:
    if token.type == "dimension" and token.lower_unit in _ANGLES:
        return finite(token.representation) * _ANGLES[token.lower_unit]
    if token.type == "number" and token.value == 0:
        return 0.0
    raise Refused(f"{token.serialize()[:60]!r} is no angle", "Write degrees, such as 45deg")


def written(matrix: Matrix) -> str:
    """A matrix as the shortest ``transform`` attribute for it."""
    a, b, c, d, e, f = matrix
    if b == c == 0:
        if a == d == 1:
            return f"translate({_digits(e)} {_digits(f)})" if f else f"translate({_digits(e)})"
        if e == f == 0:
            return f"scale({_digits(a)})" if a == d else f"scale({_digits(a)} {_digits(d)})"
    return f"matrix({' '.join(map(_digits, matrix))})"


def _digits(number: float) -> str:
    return short(0.0 if abs(number) < 1e-12 else number, 9)
