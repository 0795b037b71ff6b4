"""Read a sent form, and show its mistakes: beside the field, and in a summary that leads there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from flask import request
from markupsafe import Markup

from ...campaign import typed_text
from ..i18n import translate, translate_error


@dataclass(frozen=True)
class FormMistake:
    """One mistake: the id of the input that it belongs to (empty for none), and what to do, in words."""

    target: str
    message: Markup
    label: Markup | None = None


@dataclass
class FormMistakes:
    """The mistakes of a form by the field's name, in the order in which they were found."""

    found: dict[str, FormMistake] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.found)

    def add(self, name: str, message: Markup) -> None:
        """Note a mistake; the first one of a field counts."""
        self.found.setdefault(name, FormMistake(input_id(name) if name else "", message))

    def of(self, name: str) -> Markup | None:
        """Return what is wrong with a field, or None."""
        mistake = self.found.get(name)
        return mistake.message if mistake else None

    def ordered(self, names: Iterable[str], labels: Mapping[str, Markup] | None = None) -> list[FormMistake]:
        """Return all mistakes in the order of the form's fields; those of no field come first.

        ``labels`` names the fields whose mistake does not say by itself which one it is about.
        """
        order = {name: index for index, name in enumerate(names)}
        return [
            replace(self.found[name], label=(labels or {}).get(name))
            for name in sorted(self.found, key=lambda name: order.get(name, -1))
        ]


def input_id(name: str) -> str:
    """Return the id of the input with this name; radio buttons and checkboxes have it on the first of them."""
    return "f-" + name.replace(".", "-")


def sent(name: str, longest: int = 10_000) -> str:
    """Return a field's text without spaces around it; cut where a program sent more than any form of ours takes."""
    return request.form.get(name, "")[:longest].strip()


def kept() -> bool:
    """Tell whether the form was sent to see it in another language: it is shown again with what was typed so far."""
    return sent("keep") == "yes"


def required(
    mistakes: FormMistakes, name: str, message: str, longest: int = typed_text.LONGEST_LINE, *, lines: bool = False
) -> str:
    """Return a field's text, cleaned; notes a mistake where it is empty (``message``) or not what can be stored."""
    value = typed_text.clean(sent(name))
    if not value:
        mistakes.add(name, translate(message))
    elif len(value) > longest:
        mistakes.add(name, translate("Shorten this to at most %(max)s characters.", max=longest))
    elif wrong := typed_text.flaw(value, longest=longest, lines=lines):
        mistakes.add(name, translate_error(typed_text.field_error("", wrong)))
    return value
