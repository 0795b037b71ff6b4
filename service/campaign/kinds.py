"""The kinds of participants, and what each is asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal, NoReturn

from pydantic import Field as Setting
from pydantic import model_validator
from pydantic_core import PydanticCustomError

from .source import Strict
from .text import Text
from .typed_text import LONGEST_LINE, LONGEST_TEXT, LONGEST_URL

FieldType = Literal["text", "long_text", "boolean", "choice", "country", "url", "date"]
Name = Annotated[str, Setting(pattern=r"^[a-z][a-z0-9_]*$", max_length=60)]

# The most characters of an answer, by type; the other types are not measured.
LONGEST = {"text": LONGEST_LINE, "long_text": LONGEST_TEXT, "url": LONGEST_URL}


class Option(Strict):
    """One possible answer to a question of type ``choice``."""

    value: Name
    label: Text


@dataclass(frozen=True)
class Field:
    """One question. ``min`` and ``max`` are characters; ``declines`` is the reason when a statement is refused."""

    name: str
    type: FieldType
    required: bool
    label: Text
    help: Text | None = None
    options: tuple[Option, ...] = ()
    min: int | None = None
    max: int | None = None
    declines: Text | None = None
    evidence: bool = False


@dataclass(frozen=True)
class Kind:
    """One kind of participant: what it is asked, and in words how it is decided.

    A ``person`` signs in the own name, and is asked for no capacity.
    """

    id: str
    label: Text
    help: Text
    fields: tuple[Field, ...]
    decided: Text
    country_required: bool
    person: bool = False

    @classmethod
    def gone(cls, kind: str) -> Kind:
        """Return what is left of a kind that the policies name no more."""
        name = Text.of(kind)
        return cls(id=kind, label=name, help=name, fields=(), decided=name, country_required=False)


class FieldEntry(Strict):
    """One question as it stands in the file, under its name."""

    type: FieldType
    label: Text
    help: Text | None = None
    required: bool = False
    declines: Text | None = None
    evidence: bool = False
    options: tuple[Option, ...] = ()
    min: Annotated[int, Setting(ge=1)] | None = None
    max: Annotated[int, Setting(ge=1)] | None = None

    @model_validator(mode="after")
    def _check(self) -> FieldEntry:
        if (self.type == "choice") != bool(self.options):
            _fail(
                "options", "options belong to a choice, and only there", "Give a choice options; remove them elsewhere"
            )
        if len({option.value for option in self.options}) < len(self.options):
            _fail("options", "two options have the same value", "Give each option a value of its own")
        self._check_statement()
        self._check_lengths()
        return self

    def _check_statement(self) -> None:
        if self.type == "boolean" and not (self.required and self.declines):
            _fail(
                "type",
                "a statement must be required and say why its refusal declines",
                "Add required: yes, and declines: with the reason that is shown",
            )
        if self.type != "boolean" and self.declines:
            _fail("declines", "only a statement (boolean) declines", "Remove declines, or make it a boolean")
        if self.evidence and (self.required or self.type not in LONGEST):
            _fail("evidence", "evidence is an optional text or address", "Remove evidence: or required:")

    def _check_lengths(self) -> None:
        limit = LONGEST.get(self.type)
        if limit is None:
            if self.min or self.max:
                _fail("min" if self.min else "max", "only texts and addresses have lengths", "Remove min and max")
        elif self.max and self.max > limit:
            _fail("max", f"{self.type} has at most {limit} characters", f"Write {limit} or less")
        elif self.min and self.min > (self.max or limit):
            _fail("min", "min is larger than max", "Make min the smaller one")

    def field(self, name: str) -> Field:
        """The question under its name, with the limits of its type."""
        longest = LONGEST.get(self.type)
        return Field(
            name=name,
            type=self.type,
            required=self.required,
            label=self.label,
            help=self.help,
            options=self.options,
            # An optional text may be empty, which is to give no answer.
            min=self.min or (1 if longest and self.required else None),
            max=(self.max or longest) if longest else None,
            declines=self.declines,
            evidence=self.evidence,
        )


class KindEntry(Strict):
    """One kind as it stands in the file; ``ask`` names its questions in order."""

    label: Text
    help: Text
    decided: Text
    country: Literal["required", "optional"] = "optional"
    person: bool = False
    ask: Annotated[tuple[Name, ...], Setting(min_length=1)]


def _fail(at: str, message: str, fix: str) -> NoReturn:
    raise PydanticCustomError("field", "{message}", {"message": message, "at": at, "fix": fix})
