"""Text that people type, cleaned and bounded in one place before any backend stores it.

Names, capacities, reasons, addresses of websites and answers all come through here, from the API and from pages
alike. What is cleaned is what nobody meant to type: blanks at the ends, characters that turn the direction of the
text after them, and those that hide in it. What cannot be right is refused in words. Letters that need joiners keep
them.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping

from ..problems import FieldError
from .text import msgid

LONGEST_LINE = 200
LONGEST_TEXT = 4000
LONGEST_URL = 2000

#: What a text never has in it, as JSON Schema writes patterns; the rest is told in words.
PATTERN = r"^[^\x00-\x08\x0E-\x1B\x7F-\x84\x86-\x9F]*$"

Said = tuple[str, Mapping[str, object]]  # a text of the catalogue, and the values for its names

#: Embeddings, overrides and isolates of the Unicode bidirectional algorithm (UAX 9): they turn what stands after them.
_TURNING: dict[int, None] = dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A)])
#: Drawn as nothing and of no use in a name: soft hyphens, spaces without width, marks of annotations.
_HIDDEN: dict[int, None] = dict.fromkeys([0xAD, 0x200B, 0x2060, 0xFEFF, 0xFFF9, 0xFFFA, 0xFFFB])
_LINE_ENDS = "\n\r\v\f\x85\u2028\u2029"
#: Characters that are drawn as nothing although Unicode calls them letters or symbols.
_BLANK = frozenset("\u115f\u1160\u2800\u3164\uffa0\U0001d159")
#: What is taken off the ends: white space, and the spaces and marks that have no width. The marks of a direction stay
#: inside a text, where they set a number or a full stop right; at its beginning they turn the whole of it where it is
#: shown on its own. Joiners stay, for they shape the letter beside them.
_ENDS = "".join(chr(code) for code in range(0x3001) if chr(code).isspace()) + "\u200b\u2060\ufeff\u200e\u200f\u061c"


def clean(value: str) -> str:
    """Return the text without blanks at its ends and what turns it or hides in it; line ends are line feeds."""
    return trim(value.translate(_TURNING | _HIDDEN).replace("\r\n", "\n").replace("\r", "\n"))


def trim(value: str) -> str:
    """Return the text without blanks at its ends, those without width included."""
    return value.strip(_ENDS)


def is_visible(text: str) -> bool:
    """Tell whether a reader sees anything of the text: a letter, number, sign or symbol."""
    return any(unicodedata.category(char)[0] in "LNPS" and char not in _BLANK for char in text)


def flaw(text: str, *, longest: int, least: int = 0, lines: bool = False) -> Said | None:
    """Return what is wrong with a cleaned text, if anything; ``lines`` allows line ends and tabs.

    Lengths are in characters. Control characters and half surrogate pairs are refused, which no database stores alike.
    """
    values = {"length": len(text), "min": least, "max": longest}
    if not text:
        return msgid("This is required: write 1 to %(max)s characters."), values
    if not is_visible(text):
        return msgid("Nothing in this can be seen: write letters, digits or signs."), values
    if len(text) > longest:
        return msgid("This has %(length)s characters; at most %(max)s are allowed."), values
    if len(text) < least:
        return msgid("This has %(length)s characters; at least %(min)s are needed."), values
    if not lines and any(char == "\t" or char in _LINE_ENDS for char in text):
        return msgid("This has a tab or a line end in it: write it in one line, with spaces."), values
    if any(unicodedata.category(char) in ("Cc", "Cs") and char not in "\t\n" for char in text):
        return msgid("This has control characters or broken text in it; remove them."), values
    return None


def read(
    value: object, pointer: str, errors: list[FieldError], *, longest: int = LONGEST_LINE, lines: bool = False
) -> str:
    """Return a required text, cleaned; what is wrong with it is added to ``errors`` for this JSON Pointer."""
    if value is not None and not isinstance(value, str):
        errors.append(FieldError.of(pointer, msgid("Send this as text in quotes.")))
        return ""
    text = clean(value or "")
    if wrong := flaw(text, longest=longest, lines=lines):
        errors.append(field_error(pointer, wrong))
    return text


def field_error(pointer: str, said: Said) -> FieldError:
    """Return the mistake at a pointer, with those of the values that its text names."""
    template, values = said
    return FieldError.of(
        pointer, template, **{name: value for name, value in values.items() if f"%({name})s" in template}
    )
