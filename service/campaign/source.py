"""Reading a YAML file of the campaign: plain values with the line of each, checked against a model."""

from __future__ import annotations

import difflib
import typing
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from .mistakes import Mistakes

Path_ = tuple[str | int, ...]
Model = TypeVar("Model", bound=BaseModel)

_MOST_VALUES = 100_000  # a few aliases of aliases can grow without end

_WORDS = {
    "string_type": "text is needed here",
    "int_type": "a whole number is needed here",
    "int_parsing": "a whole number is needed here",
    "int_from_float": "a whole number is needed here",
    "float_type": "a number is needed here",
    "float_parsing": "a number is needed here",
    "bool_type": "yes or no is needed here",
    "bool_parsing": "yes or no is needed here",
    "too_short": "at least one item is needed here",
    "tuple_type": "a list is needed here",
    "list_type": "a list is needed here",
    "dict_type": "named values are needed here",
    "model_type": "named values are needed here",
    "model_attributes_type": "named values are needed here",
}
_FIXES = {
    "string_type": "Write text; put quotes round what YAML reads as a number, date or yes/no",
    "bool_type": "Write yes or no, without quotes",
    "bool_parsing": "Write yes or no, without quotes",
    "tuple_type": "Write a list: [a, b], or one item a line after a dash",
    "list_type": "Write a list: [a, b], or one item a line after a dash",
    "too_short": "Add at least one item",
    "string_too_short": "Write the text",
}
_FORMS = {
    r"^[0-9a-f]{6}$": "Write six hexadecimal digits in small letters, such as 0b5cad",
    r"^[a-z][a-z0-9-]*$": "Write small letters, digits and hyphens, beginning with a letter",
    r"^[a-z][a-z0-9_]*$": "Write small letters, digits and underscores, beginning with a letter",
}


class Strict(BaseModel):
    """Base of all that is read from policies: unknown keys are mistakes, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Source:
    """One YAML file as read: ``data``, and where in the file each value stands."""

    def __init__(self, path: Path, data: Any, lines: dict[Path_, int], mistakes: Mistakes) -> None:
        self.path = path
        self.data = data
        self._lines = lines
        self._mistakes = mistakes

    def line(self, where: Sequence[str | int]) -> int:
        """The line of the value at a path of keys and positions, or of the nearest thing round it."""
        place = tuple(where)
        while place and place not in self._lines:
            place = place[:-1]
        return self._lines.get(place, 1)

    def mistake(self, where: Sequence[str | int], message: str, fix: str) -> None:
        """Notes a mistake at a path."""
        self._mistakes.add(self.path, self.line(where), message, fix)

    def read(self, model: type[Model]) -> Model | None:
        """The file as a model; None if it does not fit, with every mistake noted."""
        try:
            return model.model_validate(self.data)
        except ValidationError as error:
            for detail in error.errors(include_url=False):
                self._explain(model, detail)
            return None

    def _place(self, location: Path_) -> Path_:
        """A location of pydantic's as a path in the file: without marks for keys and the tags of unions."""
        place: list[str | int] = []
        value = self.data
        for number, part in enumerate(location):
            absent = isinstance(value, dict) and part not in value
            if part == "[key]" or (absent and number < len(location) - 1):
                continue
            place.append(part)
            try:
                value = value[part]
            except (KeyError, IndexError, TypeError):
                value = None
        return tuple(place)

    def _explain(self, model: type[BaseModel], detail: ErrorDetails) -> None:
        where = self._place(detail["loc"])
        context = detail.get("ctx", {})
        if "at" in context:
            where = (*where, context["at"])
        name = ".".join(str(part) for part in where)
        kind = detail["type"]
        if kind == "missing":
            self.mistake(where, f"{name} is missing", f"Add {where[-1]}: …")
        elif kind == "extra_forbidden":
            self.mistake(where, f"{name} is not known here", _known(model, where))
        else:
            message, fix = _words(detail, context)
            self.mistake(where, f"{name}: {message[:1].lower()}{message[1:]}" if name else message, fix)


def _words(detail: ErrorDetails, context: dict[str, Any]) -> tuple[str, str]:
    """Return what is wrong with a value, and the fix, in the words of a campaign officer."""
    kind = detail["type"]
    if kind == "literal_error":
        return f"{detail['input']!r} is not known here", f"Use one of {context['expected']}"
    if kind == "string_pattern_mismatch":
        fix = _FORMS.get(context["pattern"], f"Write it in the form {context['pattern']}")
        return f"{detail['input']!r} is not of the right form", fix
    fix = context.get("fix") or _FIXES.get(kind) or "Correct the value"
    return _WORDS.get(kind) or detail["msg"].removeprefix("Value error, "), str(fix)


def _known(model: type[BaseModel], where: Path_) -> str:
    names = _names_at(model, where[:-1])
    near = difflib.get_close_matches(str(where[-1]), names, n=1)
    if near:
        return f"Correct the spelling to {near[0]}, or remove it"
    return f"Remove it; what is known here: {', '.join(names)}" if names else "Remove it"


def _names_at(annotation: Any, where: Path_) -> list[str]:
    """The keys that the model at a path knows."""
    for part in where:
        annotation = _inner(annotation, part)
    models = [found for found in _options(annotation) if isinstance(found, type) and issubclass(found, BaseModel)]
    return sorted({field.alias or name for found in models for name, field in found.model_fields.items()})


def _inner(annotation: Any, part: str | int) -> Any:
    for found in _options(annotation):
        if isinstance(found, type) and issubclass(found, BaseModel):
            for name, field in found.model_fields.items():
                if part in (name, field.alias):
                    return field.annotation
        arguments = typing.get_args(found)
        if arguments:
            # The last argument of a mapping is its value; a list has one.
            return arguments[-1] if isinstance(part, str) else arguments[0]
    return None


def _options(annotation: Any) -> list[Any]:
    if annotation is None:
        return []
    origin = typing.get_origin(annotation)
    if origin is typing.Annotated:
        return _options(typing.get_args(annotation)[0])
    if origin in (typing.Union, type(int | str)):
        return [option for argument in typing.get_args(annotation) for option in _options(argument)]
    return [annotation]


def read_text(path: Path, mistakes: Mistakes) -> str | None:
    """A file as UTF-8 text with its line ends as they are; None with the mistake noted if that cannot be."""
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        mistakes.add(path, 0, "The file is missing", "Create it; the shipped policies show its form")
        return None
    except OSError as error:
        mistakes.add(path, 0, f"The file cannot be read ({error.strerror})", "Make it a readable file")
        return None
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        mistakes.add(path, line, "The file is not UTF-8 text", "Save it as UTF-8")
        return None


def read_yaml(path: Path, mistakes: Mistakes) -> Source | None:
    """A YAML file with the line of each value; None if it cannot be read, with every mistake noted."""
    text = read_text(path, mistakes)
    if text is None:
        return None
    found = Mistakes()
    try:
        loader = _Loader(text.removeprefix("\ufeff"))
        node = loader.get_single_node()
        if node is None:
            mistakes.add(path, 1, "The file is empty", "Write its content; the shipped policies show its form")
            return None
        reader = _NodeReader(path, loader, found)
        data = reader.value(node, ())
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        message = f"This is not valid YAML: {error.problem or error.context}"
        line = mark.line if mark else 0
        at = (text.split("\n")[line:] or [""])[0]
        mistakes.add(path, line + 1, message, _yaml_fix(str(error.problem), at))
        return None
    except (yaml.YAMLError, ValueError) as error:
        mistakes.add(path, 1, f"This is not valid YAML: {str(error).splitlines()[0]}", "Correct or remove that text")
        return None
    except RecursionError:
        mistakes.add(
            path, 1, "The values are nested too deeply", "Write it flatter; the shipped policies show its form"
        )
        return None
    if found:
        mistakes.extend(found.all())
        return None
    return Source(path, data, reader.lines, mistakes)


def _yaml_fix(problem: str, line: str) -> str:
    if "\t" in line[: len(line) - len(line.lstrip())]:
        return "Indent with spaces, not with tabs"
    if "mapping values" in problem:
        return "Put quotes round a text that has a colon followed by a space"
    return "Check indentation, quotes and colons just before this line"


if TYPE_CHECKING or not yaml.__with_libyaml__:
    _Loader = yaml.SafeLoader
else:
    from yaml.composer import Composer
    from yaml.constructor import SafeConstructor
    from yaml.cyaml import CParser
    from yaml.resolver import Resolver

    class _Loader(Composer, CParser, SafeConstructor, Resolver):
        """Reads by libyaml, ten times as fast, and composes in Python, where deep nesting ends in RecursionError."""

        def __init__(self, text: str) -> None:
            CParser.__init__(self, text)
            Composer.__init__(self)
            SafeConstructor.__init__(self)
            Resolver.__init__(self)


class _NodeReader:
    """Turns YAML nodes into plain values and remembers the line of each."""

    def __init__(self, path: Path, loader: yaml.SafeLoader, mistakes: Mistakes) -> None:
        self.lines: dict[Path_, int] = {}
        self._path = path
        self._loader = loader
        self._mistakes = mistakes
        self._open: set[int] = set()

    def value(self, node: yaml.Node, place: Path_, key: yaml.Node | None = None) -> Any:
        """The plain value of a node that stands at a place under a key."""
        if len(self.lines) > _MOST_VALUES:
            raise yaml.YAMLError(f"it has more than {_MOST_VALUES} values once its aliases are written out")
        # A value under a key is looked for at its key's line: block texts begin a line later.
        self.lines[place] = (key or node).start_mark.line + 1
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node)
        if id(node) in self._open:
            self._note(node, "The value contains itself", "Write it out instead of using an alias")
            return None
        self._open.add(id(node))
        try:
            if isinstance(node, yaml.SequenceNode):
                return [self.value(item, (*place, index)) for index, item in enumerate(node.value)]
            assert isinstance(node, yaml.MappingNode)
            return self._mapping(node, place)
        finally:
            self._open.discard(id(node))

    def _scalar(self, node: yaml.ScalarNode) -> Any:
        try:
            return self._loader.construct_object(node)
        except (yaml.YAMLError, ValueError):
            self._note(
                node, f"{node.value or node.tag!r} cannot be read", "Correct it, or put quotes round it if it is text"
            )
            return None

    def _mapping(self, node: yaml.MappingNode, place: Path_) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for key, item in node.value:
            name = self._loader.construct_object(key) if isinstance(key, yaml.ScalarNode) else None
            if not isinstance(name, str):
                text = getattr(key, "value", "")
                self._note(key, f"The key {text!r} is not text", "Put quotes round it")
            elif name in made:
                self._note(key, f"The key {name!r} stands here twice", "Keep one of the two")
            else:
                made[name] = self.value(item, (*place, name), key)
        return made

    def _note(self, node: yaml.Node, message: str, fix: str) -> None:
        self._mistakes.add(self._path, node.start_mark.line + 1, message, fix)
