"""Localized text: what people read, in the languages that the campaign has written it in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

from pydantic import ConfigDict, RootModel, model_validator
from pydantic_core import PydanticCustomError

from .languages import LANGUAGES


def msgid(text: str) -> str:
    """Marks a text for the interface's catalogue where it stands as data; pages translate it later."""
    return text


class Text(RootModel[dict[str, str]]):
    """One text by language. English always exists and stands in for a language that is missing."""

    model_config = ConfigDict(frozen=True)

    @classmethod
    def of(cls, en: str, **others: str) -> Self:
        """A text from its English and any other languages: ``Text.of("Logo", fr="Logo")``."""
        return cls({"en": en, **others})

    @model_validator(mode="before")
    @classmethod
    def _check(cls, value: Any) -> Any:
        if isinstance(value, str):
            raise PydanticCustomError(
                "text", "This is one text without its language", {"fix": "Write it as en: …, with fr: … beside it"}
            )
        if not isinstance(value, dict):
            raise PydanticCustomError("text", "This is not a text", {"fix": "Write it as en: …, with fr: … beside it"})
        for language, text in value.items():
            if language not in LANGUAGES:
                raise PydanticCustomError(
                    "text",
                    "{language} is no language of the service",
                    {"language": repr(language), "at": language, "fix": f"Use one of {', '.join(LANGUAGES)}"},
                )
            if not isinstance(text, str) or not text.strip():
                raise PydanticCustomError(
                    "text",
                    "The text in {language} is empty or no text",
                    {"language": language, "at": language, "fix": "Write it (in quotes if it looks like a number)"},
                )
        if "en" not in value:
            raise PydanticCustomError(
                "text", "The English text is missing", {"fix": "Add en: …; it stands in for languages not yet written"}
            )
        return {language: text.strip() for language, text in value.items()}

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages in which this text exists, in alphabetical order."""
        return tuple(sorted(self.root))

    def get(self, lang: str) -> str:
        """The text in a language, in English if it is not written yet."""
        return self.root.get(lang) or self.root["en"]

    def language(self, lang: str) -> str:
        """The language that ``get(lang)`` really gives, so that pages can mark English as English."""
        return lang if lang in self.root else "en"

    def paragraphs(self, lang: str) -> tuple[str, ...]:
        """The text in parts, as separated by empty lines."""
        parts = (" ".join(part.split()) for part in self.get(lang).split("\n\n"))
        return tuple(part for part in parts if part)

    def filled(self, **values: Callable[[str], str]) -> Text:
        """The text with ``{name}`` replaced in each language by what ``values[name]`` gives for that language."""
        made = {}
        for language, text in self.root.items():
            made[language] = text
            for name, value in values.items():
                made[language] = made[language].replace("{" + name + "}", value(language))
        return Text(made)

    def as_json(self) -> dict[str, str]:
        """The texts by language; ``Text.model_validate`` reads them back."""
        return dict(self.root)
