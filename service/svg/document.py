"""Parse a file into a tree of elements with their lines. No entity is ever expanded, nothing is fetched.

Whatever the bytes are, the answer is a tree, a list of faults, or both: where the file breaks off, the tree
holds what stood before, so that every other mistake can be told as well.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.etree import ElementTree
from xml.parsers import expat

from .faults import Fault

SVG = "http://www.w3.org/2000/svg"
XLINK = "http://www.w3.org/1999/xlink"
MOST_DEPTH = 64  # elements in each other; programs write a dozen, and readers give up at different depths

#: Encodings that all XML readers know, by the names that files give them.
_ENCODINGS = {"utf-8": "utf-8", "utf8": "utf-8", "us-ascii": "ascii", "ascii": "ascii", "iso-8859-1": "latin-1"}
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF32_LE, None),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, None),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_DECLARED = re.compile(rb"""\s*<\?xml\b[^>]*?\bencoding\s*=\s*["']([^"']*)["']""")
_SAVE_AS_UTF8 = "Save it as UTF-8"
#: What may hold ``&`` or ``<`` without meaning it, and how it ends.
_OPAQUE = {"<!--": "-->", "<![CDATA[": "]]>", "<?": "?>"}
_ENTITY = re.compile(r"&([^\s&;<#][^\s&;<]{0,200});")
_PREDEFINED = frozenset({"amp", "lt", "gt", "quot", "apos"})
_UNREAD = "urn:x-entity:"  # with the entity's name, where an entity stood: Illustrator names namespaces so


class Element(ElementTree.Element):
    """An element with the ``line`` on which its tag begins; names are ``{namespace}local``, as ElementTree has them."""

    line: int = 0
    text_line: int = 0

    @property
    def namespace(self) -> str:
        """The namespace of the element, empty without one."""
        return self.tag[1:].partition("}")[0] if self.tag.startswith("{") else ""

    @property
    def name(self) -> str:
        """The local name of an SVG element; empty for an element of another namespace."""
        return self.tag.rpartition("}")[2] if self.namespace == SVG else ""

    def parts(self) -> Iterator[Element]:
        """The elements right inside it."""
        for child in self:
            assert isinstance(child, Element)
            yield child


@dataclass
class Document:
    """A parsed file: ``root`` is None where not even that could be read; ``whole`` says that nothing is cut off."""

    root: Element | None
    whole: bool
    faults: list[Fault] = field(default_factory=list)


def parse(raw: bytes) -> Document:
    """The tree of a file and what is wrong with it as XML."""
    document = Document(None, whole=True)
    text = _decoded(raw, document.faults)
    if text is None:
        document.whole = False
        return document
    _Builder(document).read(_without_doctype(text, document.faults))
    return document


def _decoded(raw: bytes, faults: list[Fault]) -> str | None:
    """The text of a file, or None with the fault noted."""
    if raw.startswith(b"\x1f\x8b"):
        faults.append(Fault(1, "The file is compressed (.svgz)", "Save it as plain SVG"))
        return None
    encoding: str | None = ""
    for mark, marked in _BYTE_ORDER_MARKS:
        if raw.startswith(mark):
            raw, encoding = raw[len(mark) :], marked
            break
    if encoding == "":
        declared = _DECLARED.match(raw[:1024])
        name = declared[1].decode("ascii", "replace") if declared else "utf-8"
        encoding = _ENCODINGS.get(name.strip().lower())
        if encoding is None:
            faults.append(Fault(1, f"The file is written in the encoding {name[:40]!r}", _SAVE_AS_UTF8))
            return None
    if encoding is None:
        faults.append(Fault(1, "The file is written in UTF-32", _SAVE_AS_UTF8))
        return None
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError as error:
        before = raw[: error.start].decode(encoding, "replace")
        faults.append(Fault(before.count("\n") + 1, f"The file is not {encoding.upper()}", _SAVE_AS_UTF8))
        return None


def _without_doctype(text: str, faults: list[Fault]) -> str:
    """The text with DOCTYPE and entities taken out at their places, so that every line keeps its number.

    A DOCTYPE that only names the document type says nothing about the drawing and is left out. One that
    declares something is a fault, and so is every use of an entity that XML itself does not define.
    """
    kept: list[str] = []
    at = counted = 0
    line = 1
    while at < len(text):
        following = _next_markup(text, at)
        kept.append(text[at:following])
        opened = next((opening for opening in _OPAQUE if text.startswith(opening, following)), None)
        if following == len(text):
            break
        line, counted = line + text.count("\n", counted, following), following
        if opened is not None:
            end = text.find(_OPAQUE[opened], following + len(opened))
            at = len(text) if end < 0 else end + len(_OPAQUE[opened])
            kept.append(text[following:at])
        elif text.startswith("<!DOCTYPE", following):
            at, declares = _doctype_end(text, following)
            if declares:
                fix = "Remove the DOCTYPE; none is ever read"
                faults.append(Fault(line, "The DOCTYPE declares entities or attributes", fix))
            kept.append(re.sub(r"[^\n]", " ", text[following:at]))
        else:
            entity = _ENTITY.match(text, following)
            at = following + 1 if entity is None else entity.end()
            if entity is None or entity[1] in _PREDEFINED:
                kept.append(text[following:at])
                continue
            fix = "Write what it stands for; entities are never expanded"
            faults.append(Fault(line, f"The file uses the entity &{entity[1][:40]};", fix))
            kept.append(_UNREAD + re.sub(r"\W", "", entity[1][:40]))
    return "".join(kept)


def _next_markup(text: str, at: int) -> int:
    """Return where the next ``&`` stands, or the next ``<`` that opens no plain tag; the end where there is none."""
    match = re.compile(r"&|<[!?]").search(text, at)
    return len(text) if match is None else match.start()


def _doctype_end(text: str, at: int) -> tuple[int, bool]:
    """Return where a DOCTYPE ends, and whether it declares anything; one that is never closed goes on to the end."""
    depth, declares = 0, False
    for match in re.compile(r"""[\[\]>%]|"[^"]*"|'[^']*'|<!(?!DOCTYPE)""").finditer(text, at):
        sign = match[0]
        if sign == "[":
            depth += 1
        elif sign == "]":
            depth -= 1
        elif sign == ">" and depth <= 0:
            return match.end(), declares
        elif sign in ("<!", "%"):
            declares = True
    return len(text), declares


class _Builder:
    """Build the tree from expat's events."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self._open: list[Element] = []
        self._root_namespace = SVG
        # The text was decoded before; what its declaration says of the encoding is no longer true.
        self._parser = expat.ParserCreate(encoding="utf-8", namespace_separator=" ")
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._text
        self._parser.ProcessingInstructionHandler = self._instruction

    def read(self, text: str) -> None:
        """Parse the whole text."""
        try:
            self._parser.Parse(text.encode("utf-8", "surrogatepass"), True)
        except _StopReading:
            self.document.whole = False
        except expat.ExpatError as error:
            self.document.whole = False
            reason = expat.ErrorString(error.code)
            self._fault(f"This is not XML: {reason}", "Save it again as plain SVG", error.lineno)

    def _fault(self, message: str, fix: str, line: int) -> None:
        self.document.faults.append(Fault(line, message, fix))

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        line = self._parser.CurrentLineNumber
        if len(self._open) >= MOST_DEPTH:
            fix = "Ungroup what is grouped for nothing"
            self._fault(f"The elements are nested more than {MOST_DEPTH} deep", fix, line)
            raise _StopReading
        element = Element(self._clark(name), {self._clark(key): value for key, value in attributes.items()})
        element.line = line
        if self._open:
            self._open[-1].append(element)
        else:
            if element.namespace.startswith(_UNREAD):
                self._root_namespace = element.namespace
                element.tag = self._clark(name)
            if element.name != "svg":
                self._fault("The file is no SVG", f'Begin it with <svg xmlns="{SVG}" viewBox="…">', line)
                raise _StopReading
            self.document.root = element
        self._open.append(element)

    def _clark(self, name: str) -> str:
        namespace, _, local = name.rpartition(" ")
        if namespace == self._root_namespace:
            namespace = SVG
        elif local == "href" and namespace.startswith(_UNREAD):
            namespace = XLINK
        return f"{{{namespace}}}{local}" if namespace else local

    def _end(self, _name: str) -> None:
        self._open.pop()

    def _text(self, text: str) -> None:
        element = self._open[-1]
        if not element.text:
            element.text_line = self._parser.CurrentLineNumber
        element.text = (element.text or "") + text

    def _instruction(self, target: str, _data: str) -> None:
        if target == "xml-stylesheet":
            fix = "Remove it; write fill and stroke as attributes of the shapes"
            self._fault(
                "The file has a processing instruction that names a style sheet", fix, self._parser.CurrentLineNumber
            )


class _StopReading(Exception):
    """Ends the reading of a file whose rest is of no use."""
