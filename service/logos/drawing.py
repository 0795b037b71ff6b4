"""A master as a drawing: cleaned and minified once, then written at any size.

Masters are checked when the campaign is loaded (shapes and paint only), so nothing has to be made safe
here; what a browser or renderer does not need is left out.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from xml.parsers import expat
from xml.sax.saxutils import quoteattr

_DROPPED = frozenset({"title", "desc", "metadata"})
_SVG = "http://www.w3.org/2000/svg "
_XLINK = "http://www.w3.org/1999/xlink "
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_PATH_TOKEN = re.compile(rf"([A-Za-z])|({_NUMBER.pattern})")
_REFERENCE = re.compile(r"url\(\s*['\"]?#([^)'\"\s]+)|^#(.+)$")
_ROOT_SIZES = frozenset({"width", "height", "viewBox", "preserveAspectRatio", "version", "baseProfile", "id"})


@dataclass(frozen=True)
class Drawing:
    """The shapes of one master; ``view_box`` is left, top, width and height in its own units."""

    view_box: tuple[float, float, float, float]
    root: str  # attributes of the root element that all shapes inherit
    body: str

    @property
    def aspect_ratio(self) -> float:
        """Width divided by height."""
        return self.view_box[2] / self.view_box[3]

    def height(self, width: int) -> int:
        """The height in pixels that belongs to a width: by the aspect ratio, rounded to nearest, at least 1."""
        return max(1, int(width / self.aspect_ratio + 0.5))

    def document(self, width: int, height: int, padding: int = 0, *, fill: bool = False) -> bytes:
        """An SVG document of a logo ``width`` by ``height`` pixels with ``padding`` pixels around it.

        With ``fill`` the drawing fills exactly these pixels, as a renderer needs it; without it the drawing
        keeps its shape in whatever box a page gives it.
        """
        left, top, own_width, own_height = self.view_box
        around = padding * own_width / width
        box = (left - around, top - around, own_width + 2 * around, own_height + 2 * around)
        ratio = ' preserveAspectRatio="none"' if fill else ""
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width + 2 * padding}" height="{height + 2 * padding}"'
            f' viewBox="{" ".join(map(short, box))}"{ratio}{self.root}>{self.body}</svg>'
        ).encode()


def short(number: float) -> str:
    """A number in the fewest characters that keep it to a millionth: ``.5``, ``-3``, ``1300``."""
    text = f"{number:.6f}".rstrip("0").rstrip(".")
    if text in ("-0", ""):
        return "0"
    return text.replace("0.", ".", 1) if text.startswith(("0.", "-0.")) else text


def read(svg: bytes) -> Drawing:
    """The drawing in a checked master: comments, names, blanks and unused ids left out, numbers shortened."""
    used = _references(svg)
    parser = expat.ParserCreate(namespace_separator=" ")
    writer = _Writer(used)
    parser.StartElementHandler = writer.start
    parser.EndElementHandler = writer.end
    parser.Parse(svg, True)
    assert writer.view_box is not None  # masters without a view box do not pass the campaign's check
    return Drawing(writer.view_box, writer.root, "".join(writer.parts))


def _references(svg: bytes) -> set[str]:
    used: set[str] = set()

    def start(_name: str, attributes: dict[str, str]) -> None:
        for value in attributes.values():
            used.update(first or second for first, second in _REFERENCE.findall(value))

    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler = start
    parser.Parse(svg, True)
    return used


class _Writer:
    def __init__(self, used: set[str]) -> None:
        self.used = used
        self.parts: list[str] = []
        self.root = ""
        self.view_box: tuple[float, float, float, float] | None = None
        self._depth = 0
        self._skipping = 0  # depth at which a dropped element began
        self._open = False  # the last start tag has no > yet: it may turn out to be empty

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        local = name.rpartition(" ")[2]
        if self._depth == 1:
            left, top, width, height = (float(part) for part in re.split(r"[\s,]+", attributes["viewBox"].strip()))
            self.view_box = (left, top, width, height)
            self.root = self._attributes(attributes, _ROOT_SIZES)
            return
        if self._skipping or local in _DROPPED:
            self._skipping = self._skipping or self._depth
            return
        self._finish_tag()
        self.parts.append(f"<{local}{self._attributes(attributes, frozenset())}")
        self._open = True

    def end(self, name: str) -> None:
        if self._skipping:
            if self._skipping == self._depth:
                self._skipping = 0
        elif self._depth > 1:
            if self._open:
                self.parts.append("/>")
                self._open = False
            else:
                self.parts.append(f"</{name.rpartition(' ')[2]}>")
        self._depth -= 1

    def _finish_tag(self) -> None:
        if self._open:
            self.parts.append(">")
            self._open = False

    def _attributes(self, attributes: dict[str, str], dropped: frozenset[str]) -> str:
        written = []
        for name, value in attributes.items():
            namespace, _, local = name.rpartition(" ")
            if namespace and f"{namespace} " != _XLINK:
                continue
            if local in dropped or (local == "id" and value not in self.used) or (namespace and local != "href"):
                continue
            written.append(f" {local}={quoteattr(_value(local, value))}")
        return "".join(written)


def _value(name: str, value: str) -> str:
    if name == "d":
        return _path(value)
    if name == "points":
        return _numbers(_NUMBER.findall(value))
    if _NUMBER.fullmatch(value.strip()):
        return short(float(value))
    return " ".join(value.split())


def _path(data: str) -> str:
    """Path data in fewer characters. Flags of arcs may stand together, so paths with arcs keep their separators."""
    if "a" in data.lower():
        return " ".join(data.split())
    written: list[str] = []
    run: list[str] = []
    for letter, number in _PATH_TOKEN.findall(data):
        if letter:
            written.append(_numbers(run) + letter)
            run = []
        else:
            run.append(number)
    return "".join(written) + _numbers(run)


def _numbers(texts: list[str]) -> str:
    written = ""
    for text in texts:
        number = short(float(text))
        # A minus begins a number, and so does a point after a number that has one already.
        last = written.rpartition(" ")[2]
        joined = not written or number[0] == "-" or (number[0] == "." and "." in last.rpartition("-")[2])
        written += number if joined else " " + number
    return written
