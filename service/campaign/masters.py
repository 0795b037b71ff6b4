"""What a logo's SVG master may hold: shapes and paint, nothing that runs, fetches or needs a font.

Masters are rendered by the service and handed out to be put into other people's pages, so everything
that is not on the lists here is a mistake. They are read with expat and no entity is ever expanded.
"""

from __future__ import annotations

import re
from pathlib import Path
from xml.parsers import expat

from .mistakes import Mistakes

SVG = "http://www.w3.org/2000/svg"
XLINK = "http://www.w3.org/1999/xlink"
MOST_BYTES = 256 * 1024  # a logo is a few kilobytes; whatever is larger was traced or has a picture in it
MOST_RATIO = 20.0

ViewBox = tuple[float, float, float, float]

_SHAPES = frozenset(
    [
        "svg",
        "g",
        "defs",
        "symbol",
        "use",
        "path",
        "rect",
        "circle",
        "ellipse",
        "line",
        "polyline",
        "polygon",
        "linearGradient",
        "radialGradient",
        "stop",
        "clipPath",
        "mask",
        "title",
        "desc",
    ]
)
_REASONS = {
    "script": ("a script", "Remove it; a logo does nothing"),
    "text": ("text that needs a font", "Convert the text to paths (outlines)"),
    "tspan": ("text that needs a font", "Convert the text to paths (outlines)"),
    "textPath": ("text that needs a font", "Convert the text to paths (outlines)"),
    "image": ("a picture", "Draw it as shapes, or leave it out"),
    "foreignObject": ("foreign content", "Remove it; only shapes are shown everywhere"),
    "style": ("a style sheet", "Write fill and stroke as attributes of the shapes"),
    "filter": ("a filter", "Remove the effect; the logo is flat"),
    "a": ("a link", "Remove it and keep what is in it"),
}
_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_URL = re.compile(r"url\(([^)]*)\)?", re.IGNORECASE)
_VIEW_BOX = re.compile(rf"\s*({_NUMBER})[\s,]+({_NUMBER})[\s,]+({_NUMBER})[\s,]+({_NUMBER})\s*")


def check_master(path: Path, mistakes: Mistakes) -> ViewBox | None:
    """The view box of a master; every mistake in the file is noted, and None is given if there is one."""
    try:
        size = path.stat().st_size
        raw = path.read_bytes() if size <= MOST_BYTES else b""
    except OSError as error:
        mistakes.add(path, 0, f"The master cannot be read ({error.strerror})", "Put the SVG file there")
        return None
    if size > MOST_BYTES:
        message = f"The master has {size} bytes, more than {MOST_BYTES}"
        mistakes.add(path, 0, message, "Simplify its paths and take out what the drawing program left")
        return None
    reader = _Reader(path)
    reader.read(raw)
    mistakes.extend(reader.found.all())
    return None if reader.found else reader.view_box


class _Reader:
    """One reading of one file; what is wrong is noted in ``found`` with the line."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.found = Mistakes()
        self.view_box: ViewBox | None = None
        self._depth = 0
        self._parser = expat.ParserCreate(namespace_separator=" ")
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.StartDoctypeDeclHandler = self._doctype
        self._parser.ProcessingInstructionHandler = self._instruction

    def read(self, raw: bytes) -> None:
        """Parses the whole file."""
        try:
            self._parser.Parse(raw, True)
        except _Stop:
            return
        except expat.ExpatError as error:
            reason = expat.ErrorString(error.code)
            self.found.add(self.path, error.lineno, f"This is not XML: {reason}", "Save it again as plain SVG")

    def _note(self, message: str, fix: str) -> None:
        self.found.add(self.path, self._parser.CurrentLineNumber, message, fix)

    def _doctype(self, *_: object) -> None:
        self._note("The master has a DOCTYPE", "Remove it; entities are never read")
        raise _Stop

    def _instruction(self, target: str, _data: str) -> None:
        self._note(f"The master has a processing instruction <?{target}?>", "Remove it")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        namespace, _, local = name.rpartition(" ")
        self._depth += 1
        if self._depth == 1:
            self._root(namespace, local, attributes)
        elif namespace != SVG:
            self._note(f"<{local}> is no element of SVG", "Remove what the drawing program left")
        elif local not in _SHAPES or local == "svg":
            what, fix = _REASONS.get(local, (f"<{local}>", "Remove it; masters hold shapes and paint only"))
            self._note(f"The master holds {what}", fix)
        for attribute, value in attributes.items():
            self._attribute(attribute, value)

    def _end(self, _name: str) -> None:
        self._depth -= 1

    def _root(self, namespace: str, local: str, attributes: dict[str, str]) -> None:
        if (namespace, local) != (SVG, "svg"):
            self._note("The file is no SVG", f'Begin it with <svg xmlns="{SVG}" viewBox="…">')
            raise _Stop
        given = attributes.get("viewBox")
        match = _VIEW_BOX.fullmatch(given or "")
        if given is None:
            self._note("The viewBox is missing", 'Add viewBox="0 0 WIDTH HEIGHT" to <svg>')
        elif match is None:
            self._note(f"viewBox={given!r} is not four numbers", 'Write it as viewBox="0 0 WIDTH HEIGHT"')
        else:
            left, top, width, height = (float(number) for number in match.groups())
            if not (1 <= width <= 1e5 and 1 <= height <= 1e5 and 1 / MOST_RATIO <= width / height <= MOST_RATIO):
                self._note(
                    f"viewBox={given!r} is no size for a logo",
                    f"Give it a width and height from 1 to 100,000, at most {MOST_RATIO:g} times each other",
                )
            self.view_box = (left, top, width, height)
        for name in ("width", "height"):
            if name in attributes:
                self._note(f"<svg> has a {name}", "Remove it; every size is made from the viewBox")

    def _attribute(self, name: str, value: str) -> None:
        namespace, _, local = name.rpartition(" ")
        if local.lower().startswith("on"):
            self._note(f"{local} runs a script", "Remove it; a logo does nothing")
        elif local == "href" and namespace in ("", XLINK) and not value.startswith("#"):
            self._note(
                f"href={value[:60]!r} refers to something outside the file", "Remove it, or refer to an #id in it"
            )
        elif any(
            not part.strip("\"' ").startswith("#") for part in re.findall(r"url\(([^)]*)\)?", value, re.IGNORECASE)
        ):
            self._note(f"{local}={value[:60]!r} refers to something outside the file", "Refer to an #id in the file")
        elif local.startswith("font"):
            self._note(f"{local} names a font", "Convert the text to paths (outlines) and remove it")


class _Stop(Exception):
    """Ends the reading of a file whose rest is of no use."""
