"""Read the fields of a log's line: the logo asked for, the site, the hour."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from urllib.parse import unquote, urlsplit

from ..clients import NAMELESS, origin_of
from ..logos.formats import AUTO, TABLE

_LOGO = re.compile(
    r"/logos/([A-Za-z0-9_-]{1,40})/([a-z0-9-]{1,60})/"
    rf"([a-z0-9-]{{1,40}}/[1-9][0-9]{{0,3}}\.(?:{'|'.join((*(row.name for row in TABLE), AUTO))}))"
)
_MONTHS = {
    name: number
    for number, name in enumerate(
        ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"), start=1
    )
}
_CLF = re.compile(r"([0-9]{2})/([A-Z][a-z]{2})/([0-9]{4}):([0-9]{2}):([0-9]{2}):[0-9]{2} ([+-])([0-9]{2})([0-9]{2})")
_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)


def target(path: bytes) -> tuple[str, str, str] | None:
    """Return embed, logo and variant of a path or URL; None where it is no logo's."""
    text = path.decode("utf-8", "replace")
    if text.startswith(("http://", "https://")):
        text = urlsplit(text).path
    text = text.partition("?")[0]
    match = _LOGO.fullmatch(unquote(text) if "%" in text else text)
    return (match[1], match[2], match[3]) if match else None


def site(origin: bytes, referer: bytes) -> str:
    """Return the site as of a live request with these headers; empty where none is named. Logs write ``-`` for none."""
    found = origin_of(*(_header(field) for field in (origin, referer)))
    return "" if found is None or found == NAMELESS else found


def hour(when: bytes) -> datetime:
    """Return the hour of an instant as logs write it: ISO 8601, CLF, or seconds since 1970; else raise ValueError."""
    text = when.decode("ascii", "replace")
    clf = _CLF.fullmatch(text)
    if clf:
        day, month, year, hours, minutes, sign, zone_hours, zone_minutes = clf.groups()
        if month not in _MONTHS:
            raise ValueError("the time is not one")
        iso = f"{year}-{_MONTHS[month]:02d}-{day}T{hours}:{minutes}:00{sign}{zone_hours}:{zone_minutes}"
        at = datetime.fromisoformat(iso)
    elif re.fullmatch(r"[0-9]{9,13}(\.[0-9]+)?", text):
        seconds = float(text)
        at = datetime.fromtimestamp(seconds / 1000 if seconds >= 1e11 else seconds, UTC)  # some write milliseconds
    else:
        at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError("the time has no zone")
    at = at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    if at < _EARLIEST:
        raise ValueError("the time is before the year 2000")
    return at


def _header(field: bytes) -> str | None:
    text = field.decode("utf-8", "replace")
    return None if text in ("", "-") else text
