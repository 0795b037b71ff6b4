"""Localized texts."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from service.campaign import LANGUAGES, Text


def test_a_language_that_is_not_written_gives_english_and_says_so() -> None:
    text = Text.of("Heart", fr="Cœur")
    assert text.get("fr") == "Cœur"
    assert text.language("fr") == "fr"
    for lang in sorted({*LANGUAGES, "de", ""} - {"fr"}):
        assert text.get(lang) == "Heart"
        assert text.language(lang) == "en"
    assert text.languages == ("en", "fr")


def test_it_survives_storage_as_json() -> None:
    text = Text.of("Heart", ar="قلب")
    assert Text.model_validate(text.as_json()) == text


def test_filled_gives_each_language_its_own_value() -> None:
    text = Text.of("In {country}.", fr="Pays : {country}.")
    filled = text.filled(country=lambda lang: {"en": "Spain", "fr": "Espagne"}[lang])
    assert filled == Text.of("In Spain.", fr="Pays : Espagne.")


def test_filled_leaves_braces_of_a_value_alone() -> None:
    assert Text.of("{country}").filled(country=lambda lang: "{country}") == Text.of("{country}")


def test_paragraphs_are_separated_by_empty_lines() -> None:
    text = Text.of("One\nline.\n\n\n  Two  words.\n")
    assert text.paragraphs("en") == ("One line.", "Two words.")


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("Heart", "one text without its language"),
        ({"fr": "Cœur"}, "English text is missing"),
        ({"en": "Heart", "de": "Herz"}, "no language of the service"),
        ({"en": " "}, "empty"),
        ({"en": 7}, "no text"),
        (["Heart"], "not a text"),
        (None, "not a text"),
    ],
)
def test_what_is_no_text_is_refused(value: Any, said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Text.model_validate(value)
