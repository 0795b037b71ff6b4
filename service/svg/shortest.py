"""Path data in few characters: absolute or relative, whichever is shorter, with the letters that can be left out.

Points are put on a grid so fine that seven digits of the largest coordinate are kept, which is a five-hundredth of a
pixel where the drawing is 4096 pixels wide. Steps are then differences of whole numbers, so that no error adds up
along a path, and what is written is exactly what was on the grid.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .path import Segment, written

_DIGITS = 7
_SIZE = {"m": 2, "l": 2, "h": 1, "v": 1, "c": 6, "s": 4, "q": 4, "t": 2, "a": 7}
_Point = tuple[int, int]


def shortest(segments: list[Segment]) -> str:
    """Path data that draws the same as these segments."""
    plain = written(segments)
    return min(_PathWriter(_grid(segments)).path(segments), plain, key=len)


def _grid(segments: list[Segment]) -> int:
    """Decimals that keep seven digits of the largest number in the path."""
    largest = max((abs(value) for letter, values in segments if letter not in "aA" for value in values), default=0.0)
    return max(0, _DIGITS - len(str(int(largest))))


@dataclass
class _PathWriter:
    """Writes one path; positions are in units of the grid, ``exact`` in those of the drawing."""

    decimals: int
    exact: tuple[float, float] = (0.0, 0.0)
    begun: tuple[float, float] = (0.0, 0.0)
    at: _Point = (0, 0)
    start: _Point = (0, 0)
    control: tuple[str, _Point] | None = None  # of the last curve, for those that mirror it
    text: str = ""
    implied: str = ""  # the command that numbers without a letter continue

    def path(self, segments: list[Segment]) -> str:
        """The path data."""
        for letter, values in segments:
            lower = letter.lower()
            if lower == "z":
                if self.implied != "z":
                    self.text += "z"
                self.implied, self.at, self.exact, self.control = "z", self.start, self.begun, None
                continue
            size = _SIZE[lower]
            for index in range(0, len(values), size):
                command = "l" if lower == "m" and index else lower
                self._step(command, letter.islower(), values[index : index + size])
        return self.text

    def _step(self, command: str, relative: bool, values: list[float]) -> None:
        left, top = self.exact if relative else (0.0, 0.0)
        if command == "a":
            before, values = values[:5], values[5:]
        elif command == "h":
            values = [values[0], self.exact[1] - top]
        elif command == "v":
            values = [self.exact[0] - left, values[0]]
        places = [(values[index] + left, values[index + 1] + top) for index in range(0, len(values), 2)]
        self.exact = places[-1]
        *inner, end = [(self._scaled(x), self._scaled(y)) for x, y in places]
        if command == "a":
            self._arc(before, end)
        elif command == "m":
            self.start, self.begun, self.control = end, self.exact, None
            self._choose("m", [end])
        elif command in "lhv":
            self._line(end)
        else:
            if command in "st":
                inner.insert(0, self._mirrored("c" if command == "s" else "q"))
            self._curve(inner, end)
        self.at = end

    def _line(self, end: _Point) -> None:
        self.control = None
        if end[1] == self.at[1] and end != self.at:
            self._append("h", [end[0] - self.at[0]], [end[0]])
        elif end[0] == self.at[0] and end != self.at:
            self._append("v", [end[1] - self.at[1]], [end[1]])
        else:
            self._choose("l", [end])

    def _curve(self, inner: list[_Point], end: _Point) -> None:
        family = "c" if len(inner) == 2 else "q"
        if inner[0] == self._mirrored(family):
            self._choose("s" if family == "c" else "t", [*inner[1:], end])
        else:
            self._choose(family, [*inner, end])
        self.control = (family, inner[-1])

    def _arc(self, before: list[float], end: _Point) -> None:
        self.control = None
        radii = [self._number(self._scaled(radius)) for radius in before[:2]]
        self._choose("a", [end], [*radii, f"{before[2]:.7g}", *(f"{flag:.0f}" for flag in before[3:])])

    def _mirrored(self, family: str) -> _Point:
        """The first control point of a curve that says none: the last one's, mirrored."""
        if self.control is None or self.control[0] != family:
            return self.at
        return 2 * self.at[0] - self.control[1][0], 2 * self.at[1] - self.control[1][1]

    def _choose(self, command: str, points: list[_Point], before: Sequence[str] = ()) -> None:
        steps = [part - origin for point in points for part, origin in zip(point, self.at, strict=True)]
        self._append(command, steps, [part for point in points for part in point], before)

    def _append(self, command: str, steps: list[int], places: list[int], before: Sequence[str] = ()) -> None:
        """Write a command with relative or absolute numbers, behind numbers that are neither."""
        relative = self._joined(command, [*before, *map(self._number, steps)])
        absolute = self._joined(command.upper(), [*before, *map(self._number, places)])
        letter, more = (command, relative) if len(relative) <= len(absolute) else (command.upper(), absolute)
        self.text += more
        self.implied = {"m": "l", "M": "L"}.get(letter, letter)

    def _joined(self, letter: str, numbers: list[str]) -> str:
        """The numbers of a command behind what is written already, without its letter where that is implied."""
        made = "" if letter == self.implied else letter
        for number in numbers:
            token = _last_number((self.text + made)[-32:])
            glued = not token or number[0] == "-" or (number[0] == "." and "." in token)
            made += number if glued else " " + number
        return made

    def _scaled(self, value: float) -> int:
        return round(value * float(10**self.decimals))

    def _number(self, scaled: int) -> str:
        whole, part = divmod(abs(scaled), 10**self.decimals)
        decimals = f".{part:0{self.decimals}}".rstrip("0").rstrip(".") if self.decimals else ""
        return ("-" if scaled < 0 else "") + (str(whole) if whole or not decimals else "") + decimals


def _last_number(text: str) -> str:
    """The number that the text ends with, empty where it ends with a letter."""
    end = len(text)
    while end and (text[end - 1].isdigit() or text[end - 1] == "."):
        end -= 1
    return text[end:]
