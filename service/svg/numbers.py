"""Numbers, lengths and angles as SVG and CSS write them, and how we write numbers."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .faults import Refused

NUMBER = r"[+-]?(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?"  # a point without digits behind it ends a number
#: User units in one unit: CSS has 96 pixels to the inch, and a user unit is a pixel (css-values-4, 6.2).
ABSOLUTE = {
    "": 1.0,
    "px": 1.0,
    "in": 96.0,
    "cm": 96 / 2.54,
    "mm": 96 / 25.4,
    "q": 96 / 101.6,
    "pt": 96 / 72,
    "pc": 16.0,
}
RELATIVE = frozenset({"%", "em", "rem"})
_ONE = re.compile(rf"({NUMBER})(\s*,?\s*)", re.ASCII)
_LENGTH = re.compile(rf"({NUMBER})([a-zA-Z]*|%)", re.ASCII)
_WRITE = "Write a number, in the units of the viewBox"
_MOST = 1e9  # beyond it readers that keep coordinates as single floats draw nothing of use


@dataclass(frozen=True)
class Length:
    """A length: ``unit`` is empty for user units, else ``%``, ``em`` or ``rem``."""

    value: float
    unit: str = ""


ZERO = Length(0.0)
WHOLE = Length(100.0, "%")


def length(text: str, *, unit: str | None = None) -> Length:
    """A length from a text such as ``5mm``, or from a number in a given unit; Refused where it is none."""
    if unit is None:
        match = _LENGTH.fullmatch(text.strip())
        if match is None:
            raise Refused(f"{text.strip()[:60]!r} is no length", _WRITE)
        text, unit = match[1], match[2]
    unit = unit.lower()
    value = finite(text)
    if unit in ABSOLUTE:
        return Length(value * ABSOLUTE[unit])
    if unit in RELATIVE:
        return Length(value, unit)
    raise Refused(
        f"The unit of {text}{unit} depends on where it is shown", "Write a number, in the units of the viewBox"
    )


def finite(text: str) -> float:
    """A number; Refused where it is none or too large to draw."""
    if not re.fullmatch(NUMBER, text.strip(), re.ASCII):
        raise Refused(f"{text.strip()[:60]!r} is no number", "Write a number")
    return bounded(float(text))


def bounded(value: float) -> float:
    """The number, or Refused where it is too large to draw, or none at all."""
    if not abs(value) <= _MOST:
        raise Refused(f"{value:g} is too large a number", "Write a number that lies near the viewBox")
    return value


def numbers(text: str) -> list[float]:
    """Numbers divided by blanks and commas; Refused where there is anything else."""
    found = []
    at = len(text) - len(text.lstrip())
    text = text.rstrip()
    while at < len(text):
        match = _ONE.match(text, at)
        if match is None or (match.end() == len(text) and match[2].strip()):
            raise Refused(f"{text[at : at + 40]!r} is no number", "Write numbers, divided by blanks")
        found.append(finite(match[1]))
        at = match.end()
    return found


def short(number: float, digits: int = 7) -> str:
    """A number in the fewest characters that keep so many digits of it: ``.5``, ``-3``, ``1300``, ``1e-7``."""
    text = f"{number:.{digits}g}"
    if "e" in text:
        mantissa, exponent = text.split("e")
        return f"{int(float(text))}" if float(text).is_integer() else f"{mantissa}e{int(exponent)}"
    if text in ("0", "-0"):
        return "0"
    return text.replace("0.", ".", 1) if text.startswith(("0.", "-0.")) else text


def joined(values: list[float]) -> str:
    """Numbers one after the other in the fewest characters: a minus begins a number, and so does a second point."""
    written = ""
    for value in values:
        text = short(value)
        last = written.rpartition(" ")[2].rpartition("-")[2]
        close = not written or text[0] == "-" or (text[0] == "." and "." in last and "e" not in last)
        written += text if close else " " + text
    return written
