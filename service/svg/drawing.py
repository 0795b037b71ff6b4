"""A drawing: shapes and paint in the one form that browsers, librsvg and typst draw alike, written at any size."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any
from xml.sax.saxutils import escape

from . import path
from .document import SVG
from .numbers import short
from .shortest import shortest

#: Left, top, width and height in the drawing's own units.
ViewBox = tuple[float, float, float, float]
_DATA = re.compile(r' d="([^"]+)"')


@dataclass
class Node:
    """An element to be written; names and values are plain text."""

    tag: str
    attributes: dict[str, str] = field(default_factory=dict)
    children: list[Node] = field(default_factory=list)

    def walk(self) -> Iterator[Node]:
        """The node and all that is in it."""
        yield self
        for child in self.children:
            yield from child.walk()

    def written(self) -> str:
        """The node as XML."""
        if not self.children:
            return f"<{self.tag}{attributes(self.attributes)}/>"
        inside = "".join(child.written() for child in self.children)
        return f"<{self.tag}{attributes(self.attributes)}>{inside}</{self.tag}>"


def attributes(given: dict[str, str]) -> str:
    """Attributes as they stand in a tag, with a blank before each."""
    return "".join(f' {name}="{escape(value, {chr(34): "&quot;"})}"' for name, value in given.items())


@dataclass(frozen=True)
class Drawing:
    """The shapes of one master. ``root`` holds the attributes that all shapes inherit, ``body`` the shapes as XML.

    ``line`` is where the root element began in the file.
    """

    view_box: ViewBox
    root: str
    body: str
    line: int = field(default=1, compare=False)

    @property
    def aspect_ratio(self) -> float:
        """Width divided by height."""
        return self.view_box[2] / self.view_box[3]

    @property
    def has_gradients(self) -> bool:
        """Tell whether colours run into each other."""
        return "Gradient " in self.body

    @cached_property
    def short_body(self) -> str:
        """The body with its paths in the fewest characters: for browsers, which read all of SVG."""
        return _DATA.sub(lambda match: f' d="{shortest(path.parse(match[1]))}"', self.body)

    def height(self, width: int) -> int:
        """The height in pixels that belongs to a width: by the aspect ratio, rounded to nearest, at least 1."""
        return max(1, int(width / self.aspect_ratio + 0.5))

    def plain(self) -> bytes:
        """The drawing as an SVG document without a size."""
        return f'<svg xmlns="{SVG}" viewBox="{_box(self.view_box)}"{self.root}>{self.body}</svg>\n'.encode()

    def document(self, width: int, height: int, padding: int = 0, *, fill: bool = False, as_is: bool = False) -> bytes:
        """An SVG document of a logo ``width`` by ``height`` pixels with ``padding`` pixels around it.

        With ``fill`` the drawing fills exactly these pixels, as a renderer needs it; without it the drawing
        keeps its shape in whatever box a page gives it, and takes the fewest characters unless ``as_is``.
        """
        left, top, own_width, own_height = self.view_box
        around = padding * own_width / width
        box = (left - around, top - around, own_width + 2 * around, own_height + 2 * around)
        ratio = ' preserveAspectRatio="none"' if fill else ""
        body = self.body if fill or as_is else self.short_body
        return (
            f'<svg xmlns="{SVG}" width="{width + 2 * padding}" height="{height + 2 * padding}"'
            f' viewBox="{_box(box)}"{ratio}{self.root}>{body}</svg>'
        ).encode()

    def as_json(self) -> dict[str, Any]:
        """The fields as JSON can hold them; ``from_json`` reads them back."""
        return asdict(self)

    @classmethod
    def from_json(cls, fields: dict[str, Any]) -> Drawing:
        """The drawing that ``as_json`` wrote."""
        left, top, width, height = fields["view_box"]
        return cls((left, top, width, height), fields["root"], fields["body"])


def _box(box: ViewBox) -> str:
    return " ".join(map(short, box))
