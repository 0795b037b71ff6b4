"""Text that people type is cleaned and bounded in one place, whatever it is and wherever it comes from."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.campaign import typed_text
from service.problems import FieldError


def read(value: object, *, lines: bool = False, longest: int = 200) -> tuple[str, list[FieldError]]:
    errors: list[FieldError] = []
    return typed_text.read(value, "/name", errors, lines=lines, longest=longest), errors


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("Acme\t", "Acme"),
        ("\r\n  Acme \u00a0\u3000", "Acme"),
        ("\u200bAcme\ufeff\u2060", "Acme"),
        ("\u202eHarbour", "Harbour"),
        ("Har\u2066bour\u2069 \u202aOffice\u202c", "Harbour Office"),
        # Letters that need joiners, and marks that set a direction without turning what stands after them.
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("ه\u200d", "ه\u200d"),
        ("क\u094d\u200dष", "क\u094d\u200dष"),
        ("👩\u200d🚒 Brigade", "👩\u200d🚒 Brigade"),
        ("شركة Acme\u200f (2)", "شركة Acme\u200f (2)"),
        ("\u200fHarbour\u061c \u200e", "Harbour"),  # at its beginning such a mark turns the whole of a name
        ("Zoe\u0308", "Zoe\u0308"),
        ("❤", "❤"),
    ],
)
def test_what_nobody_meant_to_type_is_left_out_and_the_rest_stays(typed: str, kept: str) -> None:
    assert read(typed) == (kept, [])


@pytest.mark.parametrize(
    "typed",
    [
        "",
        " ",
        "\t\n",
        "\u200b\u200b",
        "\u202e",
        "\u200d\u200c",
        "\u3164",
        "\u2800",
        "\u115f\u1160",
        "\u0301",
        "\ue000",
        None,
    ],
)
def test_what_shows_nothing_is_refused(typed: str | None) -> None:
    _, (error,) = read(typed)
    assert error.pointer == "/name"
    assert "^" not in error.detail


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("two\nlines", "in one line"),
        ("two\u2028lines", "in one line"),
        ("a\tb", "in one line"),
        ("nul\0", "control characters"),
        ("bell\x07", "control characters"),
        ("half \ud800", "control characters"),
        ("x" * 201, "201 characters; at most 200"),
        (7, "as text"),
        (["Acme"], "as text"),
    ],
)
def test_what_cannot_be_right_is_refused_in_words(typed: object, said: str) -> None:
    _, (error,) = read(typed)
    assert said in error.detail


def test_long_text_has_lines_and_tabs_and_the_length_counts_line_ends_once() -> None:
    assert read("a\r\nb\tc\rd", lines=True) == ("a\nb\tc\nd", [])
    assert read("\r\n".join(["x"] * 2000), lines=True, longest=4000)[1] == []
    assert read("half \udfff", lines=True)[1]


@given(st.text(st.characters(exclude_categories=[]), max_size=300), st.booleans())
def test_what_is_taken_can_be_stored_shown_and_taken_again(typed: str, lines: bool) -> None:
    text, errors = read(typed, lines=lines)
    if errors:
        return
    assert 1 <= len(text) <= 200
    assert typed_text.is_visible(text)
    assert "\0" not in text.encode().decode()
    assert not set(text) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
    assert lines or len(text.splitlines()) == 1
    assert read(text, lines=lines) == (text, [])
