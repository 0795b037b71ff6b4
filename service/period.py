"""The ``from`` and ``to`` of a list or a report: one reading of them, for the API, pages and command line."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from .clock import timestamp
from .problems import FieldError, InvalidRequest

#: What ``from`` and ``to`` may be, as JSON Schema writes patterns; a date that no calendar has is refused all the same.
PATTERN = (
    r"^([0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"([Tt][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,9})?)?([Zz]|[ +-][0-9]{2}:[0-9]{2}))?)?$"
)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
# RFC 3339, and without seconds too, as forms of browsers send it. A plus sign that was not encoded arrives as a space.
_INSTANT = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt]"
    r"([0-9]{2}:[0-9]{2})(:[0-9]{2}(?:\.[0-9]{1,9})?)?"
    r"(?:([Zz])|([ +-])([0-9]{2}:[0-9]{2}))"
)


@dataclass(frozen=True)
class Period:
    """A span of time: ``start`` is included, ``end`` is not; None means without a limit.

    ``from_text`` and ``to_text`` say it as it was asked for: dates as they came, instants in UTC with six
    decimals and ``Z``.
    """

    start: datetime | None = None
    end: datetime | None = None
    from_text: str | None = None
    to_text: str | None = None

    def previous(self) -> Period | None:
        """As long a time before; None where the span is open, or would begin before the year 1."""
        if self.start is None or self.end is None:
            return None
        try:
            start = self.start - (self.end - self.start)
        except OverflowError:
            return None
        if self.from_text is not None and _DATE.fullmatch(self.from_text) and start.time() == time():
            last = self.start - timedelta(days=1)
            return Period(start, self.start, start.date().isoformat(), last.date().isoformat())
        return Period(start, self.start, timestamp(start), timestamp(self.start))


def parse_period(begin: str | None, end: str | None) -> Period:
    """Read ``from`` and ``to``. Raise InvalidRequest that names what is wrong with each."""
    errors: list[FieldError] = []
    period = read_period(begin, end, errors)
    if errors:
        raise InvalidRequest(errors=errors)
    return period


def read_period(begin: str | None, end: str | None, errors: list[FieldError]) -> Period:
    """Read ``from`` and ``to``, and add what is wrong with them to ``errors``.

    Dates are both included, in UTC; of two instants the second is excluded. None and the empty text are no
    limit. An end that does not lie after the beginning is a mistake.
    """
    first = _instant(begin, "?from", errors, days=0)
    last = _instant(end, "?to", errors, days=1)
    if first and last and first[0] >= last[0]:
        errors.append(FieldError("?to", "The span ends before it has begun; give a later end."))
    start, from_text = first or (None, None)
    until, to_text = last or (None, None)
    return Period(start, until, from_text, to_text)


def _instant(text: str | None, pointer: str, errors: list[FieldError], *, days: int) -> tuple[datetime, str] | None:
    """The instant that a text names, and how it is written back; a date is its midnight, ``days`` days later."""
    if not text:
        return None
    try:
        if _DATE.fullmatch(text):
            return datetime.combine(date.fromisoformat(text) + timedelta(days=days), time(tzinfo=UTC)), text
        if match := _INSTANT.fullmatch(text):
            day, minute, second, zulu, sign, offset = match.groups()
            zone = "+00:00" if zulu else f"{sign.replace(' ', '+')}{offset}"
            instant = datetime.fromisoformat(f"{day}T{minute}{second or ':00'}{zone}").astimezone(UTC)
            return instant, timestamp(instant)
    except (ValueError, OverflowError):
        pass
    detail = f"{text[:60]!r} is neither a date such as 2026-11-25 nor an instant such as 2026-11-25T12:00:00Z."
    errors.append(FieldError(pointer, detail))
    return None
