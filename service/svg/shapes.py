"""The geometry of the basic shapes: attributes in user units, and the box that a shape fills."""

from __future__ import annotations

from collections.abc import Callable

from . import path
from .document import Element
from .faults import Refused
from .numbers import ZERO, Length, length, numbers, short
from .path import Box
from .style import Style, Styles, Viewport

_DOT = 0.001  # length of what has none, where its caps are to be seen
Geometry = tuple[str, dict[str, str], Box]  # the element's name, its attributes, and the box that it fills


def geometry(element: Element, style: Style, styles: Styles, viewport: Viewport | None) -> Geometry | None:
    """Return what to write for a shape; None where there is nothing to draw. Refused for what cannot be read."""
    along = {
        "x": None if viewport is None else viewport.width,
        "y": None if viewport is None else viewport.height,
        "": None if viewport is None else viewport.diagonal,
    }

    def user(value: Length | None, axis: str) -> float:
        return styles.length(value or ZERO, style, along[axis])

    return _READERS[element.name](element, style, user)


User = Callable[[Length | None, str], float]


def _path(_element: Element, style: Style, _user: User) -> Geometry | None:
    data = style["d"].strip()
    if not data or data == "none":
        return None
    segments = path.parse(data)
    if style["stroke"] is not None and style["stroke-linecap"] != "butt":
        segments = path.with_dots(segments, _DOT)
    box = path.box(segments)
    return None if box is None else ("path", {"d": path.written(segments)}, box)


def _rect(_element: Element, style: Style, user: User) -> Geometry | None:
    x, y = user(style["x"], "x"), user(style["y"], "y")
    width, height = user(style["width"], "x"), user(style["height"], "y")
    if width <= 0 or height <= 0:
        return None
    found = {"x": x, "y": y, "width": width, "height": height}
    rx, ry = _radii(style, user)
    rx, ry = min(rx, width / 2), min(ry, height / 2)
    if rx and ry:
        found |= {"rx": rx} if rx == ry else {"rx": rx, "ry": ry}
    written = {name: short(value) for name, value in found.items() if value or name not in ("x", "y")}
    return "rect", written, (x, y, x + width, y + height)


def _radii(style: Style, user: User) -> tuple[float, float]:
    """Both radii: ``auto`` is as the other (SVG 2, 7.4 and 7.5)."""
    rx = None if style["rx"] is None else user(style["rx"], "x")
    ry = None if style["ry"] is None else user(style["ry"], "y")
    rx = None if rx is not None and rx < 0 else rx
    ry = None if ry is not None and ry < 0 else ry
    return (rx if rx is not None else ry or 0.0), (ry if ry is not None else rx or 0.0)


def _circle(_element: Element, style: Style, user: User) -> Geometry | None:
    cx, cy, r = user(style["cx"], "x"), user(style["cy"], "y"), user(style["r"], "")
    if r <= 0:
        return None
    written = {"cx": short(cx), "cy": short(cy), "r": short(r)}
    return "circle", _without_zero(written, "cx", "cy"), (cx - r, cy - r, cx + r, cy + r)


def _ellipse(_element: Element, style: Style, user: User) -> Geometry | None:
    cx, cy = user(style["cx"], "x"), user(style["cy"], "y")
    rx, ry = _radii(style, user)
    if rx <= 0 or ry <= 0:
        return None
    written = {"cx": short(cx), "cy": short(cy), "rx": short(rx), "ry": short(ry)}
    return "ellipse", _without_zero(written, "cx", "cy"), (cx - rx, cy - ry, cx + rx, cy + ry)


def _line(element: Element, style: Style, user: User) -> Geometry | None:
    at = {
        name: user(length(text) if (text := element.get(name, "").strip()) else None, name[0])
        for name in ("x1", "y1", "x2", "y2")
    }
    written = {name: short(value) for name, value in at.items()}
    box = (min(at["x1"], at["x2"]), min(at["y1"], at["y2"]), max(at["x1"], at["x2"]), max(at["y1"], at["y2"]))
    if box[0] == box[2] and box[1] == box[3]:
        return _dot(box, style)
    return "line", _without_zero(written, *written), box


def _dot(box: Box, style: Style) -> Geometry | None:
    """A line of no length: its caps, or nothing."""
    if style["stroke-linecap"] == "butt":
        return None
    return "path", {"d": path.written([("M", [box[0], box[1]]), ("h", [_DOT])])}, box


def _points(element: Element, style: Style, _user: User) -> Geometry | None:
    values = numbers(element.get("points", ""))
    values = values[: len(values) // 2 * 2]  # browsers leave out a coordinate without its partner
    if not values:
        return None
    xs, ys = values[::2], values[1::2]
    if len(xs) > 1 and min(xs) == max(xs) and min(ys) == max(ys):
        return _dot((xs[0], ys[0], xs[0], ys[0]), style)
    return element.name, {"points": " ".join(map(short, values))}, (min(xs), min(ys), max(xs), max(ys))


def _without_zero(written: dict[str, str], *names: str) -> dict[str, str]:
    return {name: text for name, text in written.items() if text != "0" or name not in names}


_READERS: dict[str, Callable[[Element, Style, User], Geometry | None]] = {
    "path": _path,
    "rect": _rect,
    "circle": _circle,
    "ellipse": _ellipse,
    "line": _line,
    "polyline": _points,
    "polygon": _points,
}


def own_box(element: Element, style: Style, styles: Styles, viewport: Viewport | None) -> Box:
    """The box that a shape fills without its stroke; Refused for anything but a shape."""
    if element.name not in _READERS:
        raise Refused("The box of a group is not known here", "Apply the transform to the shapes")
    found = geometry(element, style, styles, viewport)
    return found[2] if found is not None else (0.0, 0.0, 0.0, 0.0)
