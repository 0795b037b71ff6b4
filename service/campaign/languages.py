"""The languages of the service: those of the United Nations, in which the campaign writes and pages are served."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

#: Each language's tag, with the name that its own speakers use.
LANGUAGES: Mapping[str, str] = {
    "ar": "العربية",
    "en": "English",
    "es": "Español",
    "fr": "Français",
    "ru": "Русский",
    "zh": "中文",
}
_RIGHT_TO_LEFT = frozenset({"ar"})
#: Those whose signs stand without blanks between words, and break anywhere.
WITHOUT_BLANKS = frozenset({"zh"})


def direction(language: str) -> Literal["ltr", "rtl"]:
    """Return the direction of a language's writing, as HTML's ``dir`` names it."""
    return "rtl" if language in _RIGHT_TO_LEFT else "ltr"


def _known(tag: str) -> str:
    if tag not in LANGUAGES:
        raise PydanticCustomError(
            "language",
            "{language} is no language of the service",
            {"language": repr(tag), "fix": f"Use one of {', '.join(LANGUAGES)}"},
        )
    return tag


#: A language's tag in a campaign's files.
Language = Annotated[str, AfterValidator(_known)]
