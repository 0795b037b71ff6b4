"""Path data: read by SVG's grammar, written in the fewest characters, and the box that it fills."""

from __future__ import annotations

import math
import re

from .faults import Refused
from .numbers import NUMBER, finite, joined

#: A command's letter and its numbers; a command that is repeated without its letter has several times as many.
Segment = tuple[str, list[float]]
Box = tuple[float, float, float, float]  # left, top, right, bottom

_ARGUMENTS = {"m": 2, "l": 2, "h": 1, "v": 1, "c": 6, "s": 4, "q": 4, "t": 2, "a": 7, "z": 0}
_NUMBER = re.compile(NUMBER, re.ASCII)
_SEPARATOR = re.compile(r"[\s]*,?[\s]*", re.ASCII)
_BLANK = re.compile(r"[\s]*", re.ASCII)


def parse(data: str) -> list[Segment]:
    """The segments of path data (SVG 2, 9.3); Refused at what a browser stops drawing at."""
    segments: list[Segment] = []
    position = _BLANK.match(data).end()  # type: ignore[union-attr]
    while position < len(data):
        letter = data[position]
        if letter.lower() not in _ARGUMENTS or (not segments and letter.lower() != "m"):
            raise _broken(data, position)
        start = position
        position = _BLANK.match(data, position + 1).end()  # type: ignore[union-attr]
        values: list[float] = []
        count = _ARGUMENTS[letter.lower()]
        while count:
            flag = letter.lower() == "a" and len(values) % 7 in (3, 4)
            match = re.compile("[01]").match(data, position) if flag else _NUMBER.match(data, position)
            if match is None:
                break
            values.append(finite(match[0]))
            if letter.lower() == "a" and len(values) % 7 in (1, 2):
                values[-1] = abs(values[-1])
            position = _SEPARATOR.match(data, match.end()).end()  # type: ignore[union-attr]
        if count and (not values or len(values) % count):
            raise _broken(data, start)
        position = _BLANK.match(data, position).end()  # type: ignore[union-attr]
        segments.append((letter, values))
    return segments


def _broken(data: str, position: int) -> Refused:
    return Refused(f"The path cannot be read from {data[position : position + 30]!r} on", "Export the path again")


def written(segments: list[Segment]) -> str:
    """Path data in the fewest characters."""
    return "".join(letter + joined(values) for letter, values in segments)


def with_dots(segments: list[Segment], size: float) -> list[Segment]:
    """The segments with every part of no length drawn as one of ``size``, where a cap is to be seen.

    Browsers draw the caps of such a part; a PDF has nothing to draw them on.
    """
    made: list[Segment] = []
    part: list[Segment] = []
    outline = _Outline()

    def finish() -> None:
        flat = outline.xs and min(outline.xs) == max(outline.xs) and min(outline.ys) == max(outline.ys)
        if flat and len(part) > 1:
            made.extend([(part[0][0], part[0][1][:2]), ("h", [size])])
        else:
            made.extend(part)

    for letter, values in segments:
        if letter in "mM":
            finish()
            part.clear()
            outline.xs.clear()
            outline.ys.clear()
            part.append((letter, values[:2]))
            outline.of([part[0]])
            if len(values) > 2:
                part.append(("l" if letter == "m" else "L", values[2:]))
                outline.of([part[1]])
        else:
            part.append((letter, values))
            outline.of([(letter, values)])
    finish()
    return made


def box(segments: list[Segment]) -> Box | None:
    """The box that the path fills, without its stroke; None where it has no point."""
    return _Outline().of(segments)


class _Outline:
    """Follows a path and keeps the extremes."""

    def __init__(self) -> None:
        self.xs: list[float] = []
        self.ys: list[float] = []
        self.at = (0.0, 0.0)
        self.start = (0.0, 0.0)
        self.control: tuple[str, float, float] | None = None

    def of(self, segments: list[Segment]) -> Box | None:
        """Follows the segments from where it is; the box of all that it has seen."""
        for letter, values in segments:
            lower = letter.lower()
            if lower == "z":
                self.at, self.control = self.start, None
                continue
            size = _ARGUMENTS[lower]
            for index in range(0, len(values), size):
                command = "l" if lower == "m" and index else lower
                self._step(command, letter.islower(), values[index : index + size])
        if not self.xs:
            return None
        return min(self.xs), min(self.ys), max(self.xs), max(self.ys)

    def _step(self, command: str, relative: bool, values: list[float]) -> None:
        x0, y0 = self.at
        dx, dy = (x0, y0) if relative else (0.0, 0.0)
        if command == "h":
            end = (values[0] + dx, y0)
        elif command == "v":
            end = (x0, values[0] + dy)
        else:
            end = (values[-2] + dx, values[-1] + dy)
        points = (
            [(values[i] + dx, values[i + 1] + dy) for i in range(0, len(values) - 2, 2)] if command in "csq" else []
        )
        control: tuple[str, float, float] | None = None
        if command == "m":
            self.start = end
        if command in "st":
            family = {"s": "c", "t": "q"}[command]
            mirrored = (x0, y0)
            if self.control is not None and self.control[0] == family:
                mirrored = (2 * x0 - self.control[1], 2 * y0 - self.control[2])
            points = [mirrored, *points]
        if command == "a":
            self._arc(values, end)
        elif points:
            control = ("c" if len(points) == 2 else "q", *points[-1])
            self._curve([self.at, *points, end])
        self.at, self.control = end, control
        self.xs.append(end[0])
        self.ys.append(end[1])

    def _curve(self, points: list[tuple[float, float]]) -> None:
        if len(points) == 3:  # a quadratic curve as a cubic one
            p, q, r = points
            first = (p[0] + 2 / 3 * (q[0] - p[0]), p[1] + 2 / 3 * (q[1] - p[1]))
            second = (r[0] + 2 / 3 * (q[0] - r[0]), r[1] + 2 / 3 * (q[1] - r[1]))
            points = [p, first, second, r]
        for axis, kept in ((0, self.xs), (1, self.ys)):
            a, b, c, d = (point[axis] for point in points)
            for t in _roots(-a + 3 * b - 3 * c + d, 2 * (a - 2 * b + c), b - a):
                if 0 < t < 1:
                    kept.append((1 - t) ** 3 * a + 3 * (1 - t) ** 2 * t * b + 3 * (1 - t) * t**2 * c + t**3 * d)

    def _arc(self, values: list[float], end: tuple[float, float]) -> None:
        """Extremes of an elliptic arc, by its centre (SVG 2, appendix B.2.4)."""
        rx, ry, rotation, large, sweep = values[:5]
        x0, y0 = self.at
        if not rx or not ry or (x0, y0) == end:
            return
        cos, sin = math.cos(math.radians(rotation)), math.sin(math.radians(rotation))
        half_x, half_y = (x0 - end[0]) / 2, (y0 - end[1]) / 2
        px, py = cos * half_x + sin * half_y, -sin * half_x + cos * half_y
        grown = math.sqrt(max(1.0, (px / rx) ** 2 + (py / ry) ** 2))
        rx, ry = rx * grown, ry * grown
        divisor = (rx * py) ** 2 + (ry * px) ** 2
        factor = math.sqrt(max(0.0, ((rx * ry) ** 2 - divisor) / divisor)) * (-1 if large == sweep else 1)
        cx, cy = factor * rx * py / ry, -factor * ry * px / rx
        centre = (cos * cx - sin * cy + (x0 + end[0]) / 2, sin * cx + cos * cy + (y0 + end[1]) / 2)
        begin = math.atan2((py - cy) / ry, (px - cx) / rx)
        turn = math.atan2((-py - cy) / ry, (-px - cx) / rx) - begin
        turn += 2 * math.pi if sweep and turn < 0 else -2 * math.pi if not sweep and turn > 0 else 0.0
        for kept, middle, along, across in (
            (self.xs, centre[0], rx * cos, -ry * sin),
            (self.ys, centre[1], rx * sin, ry * cos),
        ):
            extreme = math.atan2(across, along)
            for angle in (extreme, extreme + math.pi):
                past = (angle - begin) % (2 * math.pi) if turn > 0 else (begin - angle) % (2 * math.pi)
                if past < abs(turn):
                    kept.append(middle + along * math.cos(angle) + across * math.sin(angle))


def _roots(a: float, b: float, c: float) -> list[float]:
    """Real roots of ``a t² + b t + c``."""
    if abs(a) < 1e-12:
        return [-c / b] if abs(b) > 1e-12 else []
    under = b * b - 4 * a * c
    return [] if under < 0 else [(-b + math.sqrt(under)) / (2 * a), (-b - math.sqrt(under)) / (2 * a)]
