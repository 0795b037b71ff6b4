"""Find the declaration that wins for each property of each element: attributes, style sheets and ``style``, as in CSS.

The order is that of css-cascade-4: presentation attributes come before every rule of a sheet, rules by
specificity and place, then ``style``; what is ``!important`` comes after all that is not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import cssselect2
import tinycss2

from .document import SVG, Document, Element
from .faults import Refused
from .properties import GEOMETRY, NEUTRAL, NO_ATTRIBUTES, PARSERS, Tokens, WideGamut, judge

Note = Callable[[int, str, str], None]
_WRITE = "Write fill and stroke as attributes of the shapes"
_MOST_RULES = 5_000
_MOST_TRIALS = 2_000_000  # rules times elements: what reading may cost in time
_STATIC_MEDIA = ("", "all", "screen")


@dataclass(frozen=True)
class Declaration:
    """One value for a property; ``attribute`` holds the text of one that is written as an attribute."""

    name: str
    tokens: Tokens
    line: int
    attribute: str | None = None
    presentation: bool = False  # written as an attribute, and read as CSS


@dataclass
class Rules:
    """Declarations of style sheets, and the names of the classes that they speak of."""

    matcher: cssselect2.Matcher = field(default_factory=cssselect2.Matcher)
    count: int = 0


def solid(tokens: Any) -> list[Any]:
    """Component values without blanks and comments."""
    return [token for token in tokens if token.type not in ("whitespace", "comment")]


class Cascade:
    """The declarations of a document, sorted for each of its elements."""

    def __init__(self, document: Document, note: Note) -> None:
        assert document.root is not None
        self._note = note
        self._rules = Rules()
        for element in document.root.iter(f"{{{SVG}}}style"):
            assert isinstance(element, Element)
            self._read_sheet(element)
        self._wrappers: dict[Element, cssselect2.ElementWrapper] = {}
        elements = sum(1 for _ in document.root.iter())
        if self._rules.count > _MOST_RULES or self._rules.count * elements > _MOST_TRIALS:
            note(document.root.line, "The style sheets have too many rules for so many elements", _WRITE)
        elif self._rules.count:
            wrapped = cssselect2.ElementWrapper.from_xml_root(document.root)
            self._wrappers = {wrapper.etree_element: wrapper for wrapper in wrapped.iter_subtree()}

    def of(self, element: Element) -> dict[str, list[Declaration]]:
        """The declarations for each property of an element, the one that wins last. Faults are noted."""
        found: dict[str, list[tuple[tuple[Any, ...], Declaration]]] = {}

        def add(priority: tuple[Any, ...], declaration: Declaration) -> None:
            found.setdefault(declaration.name, []).append((priority, declaration))

        for declaration in self._attributes(element):
            add((0,), declaration)
        if (wrapper := self._wrappers.get(element)) is not None:
            for specificity, order, _, (declarations, important) in self._rules.matcher.match(wrapper):
                for position, declaration in enumerate(declarations):
                    add((3 if important[position] else 1, specificity, order, position), declaration)
        style = element.get("style")
        if style:
            declarations, important = self._block(tinycss2.parse_blocks_contents(style, True, True), element.line, 0)
            for position, declaration in enumerate(declarations):
                add((4 if important[position] else 2, position), declaration)
        return {
            name: [declaration for _, declaration in sorted(declarations, key=lambda pair: pair[0])]
            for name, declarations in found.items()
        }

    def has_rule(self, element: Element) -> bool:
        """Tell whether a rule of a style sheet speaks of the element."""
        wrapper = self._wrappers.get(element)
        return wrapper is not None and bool(self._rules.matcher.match(wrapper))

    def _attributes(self, element: Element) -> Iterator[Declaration]:
        for name, text in element.attrib.items():
            if name in GEOMETRY:
                if element.name in GEOMETRY[name]:
                    yield Declaration(name, (), element.line, text)
            elif name == "transform":
                yield Declaration(name, (), element.line, text)
            elif (name in PARSERS or name in NEUTRAL) and name not in NO_ATTRIBUTES and text.strip():
                yield Declaration(name, solid(tinycss2.parse_component_value_list(text)), element.line, None, True)

    def _read_sheet(self, element: Element) -> None:
        if element.get("type", "").strip().lower() not in ("", "text/css"):
            self._note(element.line, f"A style sheet is of the type {element.get('type', '')[:40]!r}", _WRITE)
            return
        media = element.get("media", "").strip().lower()
        if media not in _STATIC_MEDIA:
            self._note(element.line, f"A style sheet holds for {media[:60]!r} only", "Write what holds always")
        offset = (element.text_line or element.line) - 1
        self._read_rules(tinycss2.parse_stylesheet(element.text or "", True, True), offset)

    def _read_rules(self, rules: Any, offset: int) -> None:
        for rule in rules:
            line = rule.source_line + offset
            if rule.type == "at-rule":
                if rule.lower_at_keyword not in ("charset", "font-face", "keyframes", "-webkit-keyframes"):
                    name = rule.lower_at_keyword[:40]
                    self._note(line, f"The style sheet has an @{name}", _WRITE)
            elif rule.type == "qualified-rule":
                self._read_rule(rule, line, offset)
            else:
                self._note(line, "The style sheet cannot be read", _WRITE)

    def _read_rule(self, rule: Any, line: int, offset: int) -> None:
        declarations, important = self._block(tinycss2.parse_blocks_contents(rule.content, True, True), None, offset)
        prelude = tinycss2.serialize(rule.prelude).strip()
        complex_ = any(token.type == "literal" and token.value in ":+~|" for token in rule.prelude)
        self._rules.count += 1 + sum(token.type == "literal" and token.value == "," for token in rule.prelude)
        if self._rules.count > _MOST_RULES:
            return
        try:
            if complex_ and prelude != ":root":
                raise cssselect2.SelectorError
            selectors = cssselect2.compile_selector_list(rule.prelude)
        except cssselect2.SelectorError:
            self._note(line, f"The selector {prelude[:60]!r} cannot be resolved", _WRITE)
            return
        for selector in selectors:
            self._rules.matcher.add_selector(selector, (declarations, important))

    def _block(self, parts: Any, line: int | None, offset: int) -> tuple[list[Declaration], list[bool]]:
        """The declarations of a block and which are important; ``line`` is that of a ``style`` attribute."""
        declarations, important = [], []
        for part in parts:
            at = line if line is not None else part.source_line + offset
            if part.type == "declaration":
                tokens = solid(part.value)
                if tokens:
                    declarations.append(Declaration(part.lower_name, tokens, at))
                    important.append(part.important)
            elif part.type == "error":
                self._note(at, "A declaration of CSS cannot be read", "Write it as name: value")
            else:
                self._note(at, "A rule of CSS stands in a rule", _WRITE)
        return declarations, important


def value_of(declarations: list[Declaration], note: Note) -> Any:
    """The value of the declaration that wins, parsed; the initial value with the fault noted. The list is not empty.

    Where a colour that only some renderers know wins, the nearest before it that all know is taken.
    """
    try:
        return _parsed(declarations[-1])
    except WideGamut as refused:
        for declaration in reversed(declarations[:-1]):
            try:
                return _parsed(declaration)
            except WideGamut:
                continue
            except Refused:
                break
        note(declarations[-1].line, refused.message, refused.fix)
    except Refused as refused:
        note(declarations[-1].line, f"{declarations[-1].name}: {refused.message}", refused.fix)
    return PARSERS[declarations[-1].name].initial


def _parsed(declaration: Declaration) -> Any:
    prop = PARSERS[declaration.name]
    return (prop.attribute if declaration.presentation and prop.attribute else prop.read)(declaration.tokens)


def check_dropped(declarations: dict[str, list[Declaration]], note: Note) -> None:
    """Notes every property that is not drawn and may not be dropped."""
    for name, given in declarations.items():
        if name in PARSERS:
            continue
        try:
            judge(name, given[-1].tokens)
        except Refused as refused:
            note(given[-1].line, refused.message, refused.fix)
