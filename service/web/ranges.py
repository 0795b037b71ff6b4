"""Conditional and range requests of RFC 9110 for one file that never changes."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from werkzeug.http import parse_etags, parse_range_header

MOST_PARTS = 8  # a request for more gets the whole file


@dataclass(frozen=True)
class RangeAnswer:
    """Plan of an answer: the status, the byte spans ``(start, stop)`` of the body, and fields about them."""

    status: int
    spans: tuple[tuple[int, int], ...] = ()
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def sends(self) -> bool:
        """Tell whether a GET sends bytes of the file."""
        return self.status in (200, 206)

    @property
    def length(self) -> int:
        """Bytes of the file in the body."""
        return sum(stop - start for start, stop in self.spans)


def evaluate(
    size: int,
    etag: str,
    *,
    method: str = "GET",
    range_header: str | None = None,
    if_range: str | None = None,
    if_none_match: str | None = None,
    if_match: str | None = None,
) -> RangeAnswer:
    """The answer for a file of ``size`` bytes with the strong ``etag`` (without quotes).

    In the order of RFC 9110, section 13.2.2. A range that cannot be understood, has more than eight parts
    or is not of bytes is ignored; ``Range`` has a meaning for GET alone. ``If-Range`` has to be the strong
    tag itself; a date never is, since the file has no date of its own.
    """
    whole = RangeAnswer(200, ((0, size),) if size else ())
    if if_match is not None and not (if_match.strip() == "*" or parse_etags(if_match).is_strong(etag)):
        return RangeAnswer(412)
    if if_none_match is not None and (if_none_match.strip() == "*" or parse_etags(if_none_match).contains_weak(etag)):
        return RangeAnswer(304)
    if range_header is None or method != "GET" or (if_range is not None and if_range.strip() != f'"{etag}"'):
        return whole
    return _range(size, range_header) or whole


def _range(size: int, header: str) -> RangeAnswer | None:
    """The answer to a ``Range``; None where the whole file is to be sent."""
    if re.fullmatch(r"(?i)bytes=\s*-0+\s*", header):
        return _unsatisfiable(size)  # valid, and of no byte: the parser takes it for a mistake
    try:
        parsed = parse_range_header(header)
    except ValueError:
        return None
    if parsed is None or parsed.units.lower() != "bytes" or len(parsed.ranges) > MOST_PARTS:
        return None
    spans = []
    for start, stop in parsed.ranges:
        first = max(0, size + start) if start < 0 else start
        last = size if stop is None else min(stop, size)
        if first < last:
            spans.append((first, last))
    if not spans:
        return _unsatisfiable(size)
    if sum(last - first for first, last in spans) > size:
        return None  # overlapping parts would send more than the file
    if len(spans) == 1:
        first, last = spans[0]
        return RangeAnswer(206, tuple(spans), {"Content-Range": f"bytes {first}-{last - 1}/{size}"})
    return RangeAnswer(206, tuple(spans))


def _unsatisfiable(size: int) -> RangeAnswer:
    return RangeAnswer(416, (), {"Content-Range": f"bytes */{size}"})
