"""Lines of server logs, in five formats: which of them tell of a logo's view that the service did not see.

A format is a function from a line to ``Seen``, or to None for a line that is right and is no such view. It
raises ValueError for a line that is not in the format.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

from ..logos.formats import AUTO, TABLE


class Seen(NamedTuple):
    """A view: when (as the log writes it), the path asked for, and the fields that tell the site."""

    when: bytes
    path: bytes
    referer: bytes
    origin: bytes


Parse = Callable[[bytes], Seen | None]

# time "request" status bytes "referer" "origin" "cache status": see docs/audit-import.md
_NGINX = re.compile(rb'(\S{19,32}) "([^"]*)" (\d{3}) (?:\d+|-) "([^"]*)" "([^"]*)" "?([A-Z_]+|-)"?\s*', re.DOTALL)
_COMBINED = re.compile(
    rb'\S+ \S+ .*?\[([^\]]{20,40})\] "((?:[^"\\]|\\.)*)" (\d{3}) (?:\d+|-)'
    rb'(?: "((?:[^"\\]|\\.)*)" "(?:[^"\\]|\\.)*")?.*',
    re.DOTALL,
)
_S3 = re.compile(
    rb'\S+ \S+ \[([^\]]{20,40})\] \S+ \S+ \S+ (\S+) (\S+) (?:"((?:[^"\\]|\\.)*)"|-) (\d{3}|-) \S+ \S+ \S+ \S+ \S+ '
    rb'(?:"((?:[^"\\]|\\.)*)"|-).*',
    re.DOTALL,
)
_FROM_CACHE = {b"HIT", b"STALE", b"UPDATING", b"REVALIDATED"}
_FROM_EDGE = {b"Hit", b"RefreshHit", b"OriginShieldHit"}


def nginx(line: bytes) -> Seen | None:
    """The documented ``log_format``; only what the cache answered by itself."""
    match = _NGINX.fullmatch(line)
    if match is None:
        raise ValueError("the line is not in the documented log_format")
    when, request, status, referer, origin, cache = match.groups()
    if status != b"200" or cache not in _FROM_CACHE:
        return None
    return _of_request(when, request, referer, origin)


def combined(line: bytes) -> Seen | None:
    """Apache's and nginx's combined format (and common, which tells no site)."""
    match = _COMBINED.fullmatch(line)
    if match is None:
        raise ValueError("the line is not in the combined format")
    when, request, status, referer = match.groups()
    return _of_request(when, request, referer or b"", b"") if status == b"200" else None


def s3(line: bytes) -> Seen | None:
    """Amazon S3 server access logs."""
    match = _S3.fullmatch(line)
    if match is None:
        raise ValueError("the line is not an S3 server access log's")
    when, operation, key, _, status, referer = match.groups()
    if status != b"200" or operation not in (b"REST.GET.OBJECT", b"WEBSITE.GET.OBJECT"):
        return None
    path = key[key.find(b"logos/") :] if b"logos/" in key else key
    return Seen(when, b"/" + path.lstrip(b"/"), referer or b"", b"")


def json_lines(line: bytes) -> Seen | None:
    """One JSON object a line, with the names that common servers use (nginx, Apache, Caddy, Traefik)."""
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        raise ValueError("the line is not JSON") from None
    if not isinstance(value, dict):
        raise ValueError("the line is not a JSON object")
    request = value.get("request")
    inner = request if isinstance(request, dict) else {}
    headers = inner.get("headers")
    headers = {name.lower(): item for name, item in headers.items()} if isinstance(headers, dict) else {}
    status = _first(value, "status", "status_code", "DownstreamStatus", "sc-status")
    when = _first(value, "time", "timestamp", "@timestamp", "time_iso8601", "time_local", "ts", "msec", "StartUTC")
    method = _first({**value, **inner}, "method", "request_method", "RequestMethod", "verb")
    path = _first({**value, **inner}, "path", "uri", "request_uri", "url", "RequestPath")
    if isinstance(request, str):
        method, path = [*request.split(" "), "", ""][:2]
    if status is None or when is None or method is None or path is None:
        raise ValueError("the object has no time, method, path or status")
    if str(status) != "200" or str(method) != "GET":
        return None
    referer = _first({**value, **headers}, "referer", "referrer", "http_referer", "http_referrer") or ""
    origin = _first({**value, **headers}, "origin", "http_origin") or ""
    return Seen(_text(when), _text(path), _text(referer), _text(origin))


class CloudFront:
    """CloudFront standard logs: tab-separated, their columns named in a ``#Fields:`` line."""

    def __init__(self) -> None:
        self.columns: dict[bytes, int] = {}

    def __call__(self, line: bytes) -> Seen | None:
        """See ``Parse``; lines that begin with # tell the columns of those after them."""
        if line.startswith(b"#"):
            if line.startswith(b"#Fields:"):
                self.columns = {name: place for place, name in enumerate(line[8:].split())}
            return None
        at = self.columns
        values = line.rstrip(b"\r\n").split(b"\t")
        needed = (b"date", b"time", b"cs-method", b"cs-uri-stem", b"sc-status", b"x-edge-result-type")
        if any(name not in at for name in needed):
            raise ValueError("there is no #Fields line with the columns of a standard log before it")
        if len(values) < len(at):
            raise ValueError("the line has fewer fields than the #Fields line names")
        if values[at[b"sc-status"]] != b"200" or values[at[b"cs-method"]] != b"GET":
            return None
        if values[at[b"x-edge-result-type"]] not in _FROM_EDGE:
            return None
        when = values[at[b"date"]] + b"T" + values[at[b"time"]] + b"Z"
        referer = values[at[b"cs(Referer)"]] if b"cs(Referer)" in at else b""
        if b"%" in referer:
            referer = unquote(referer.decode("utf-8", "replace")).encode("utf-8", "replace")
        return Seen(when, values[at[b"cs-uri-stem"]], referer, b"")


#: format -> what makes a parser of one file
FORMATS: dict[str, Callable[[], Parse]] = {
    "nginx": lambda: nginx,
    "combined": lambda: combined,
    "json": lambda: json_lines,
    "cloudfront": CloudFront,
    "s3": lambda: s3,
}


def _of_request(when: bytes, request: bytes, referer: bytes, origin: bytes) -> Seen | None:
    if not request.startswith(b"GET "):
        return None
    return Seen(when, request[4:].partition(b" ")[0], referer, origin)


def _first(value: dict[str, Any], *names: str) -> Any:
    for name in names:
        if name in value:
            item = value[name]
            return item[0] if isinstance(item, list) and item else item
    return None


def _text(value: object) -> bytes:
    return str(value).encode("utf-8", "replace")


# --- what the fields say

_EXTENSIONS = "|".join([*(row.name for row in TABLE), AUTO])
_LOGO = re.compile(
    rf"/logos/([A-Za-z0-9_-]{{1,40}})/([a-z0-9-]{{1,60}})/([a-z0-9-]{{1,40}}/[1-9][0-9]{{0,3}}\.(?:{_EXTENSIONS}))"
)
_SITE = re.compile(r"(https?)://(?:[^/?#@]*@)?([^/?#@\s]{1,255})(?:[/?#].*)?", re.IGNORECASE | re.DOTALL)
_MONTHS = {
    name: number
    for number, name in enumerate(
        ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"), start=1
    )
}
_CLF = re.compile(r"([0-9]{2})/([A-Z][a-z]{2})/([0-9]{4}):([0-9]{2}):([0-9]{2}):[0-9]{2} ([+-])([0-9]{2})([0-9]{2})")
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)


def target(path: bytes) -> tuple[str, str, str] | None:
    """Embed, logo and variant of a path or URL, None where it is no logo's."""
    text = path.decode("utf-8", "replace")
    if text.startswith(("http://", "https://")):
        text = urlsplit(text).path
    match = _LOGO.fullmatch(text.partition("?")[0])
    return (match[1], match[2], match[3]) if match else None


def site(origin: bytes, referer: bytes) -> str:
    """``scheme://host[:port]`` by Origin, else by Referer; empty where neither tells one."""
    for field in (origin, referer):
        text = field.decode("utf-8", "replace").strip()
        if text in ("", "-", "null"):
            continue
        match = _SITE.fullmatch(text)
        if match is None:
            continue
        scheme, host = match[1].lower(), match[2].lower()
        default = ":443" if scheme == "https" else ":80"
        found = f"{scheme}://{host.removesuffix(default)}"
        return found if len(found) <= 300 and found.isprintable() else "other"
    return ""


def hour(when: bytes) -> datetime:
    """The hour of an instant as logs write it: ISO 8601, CLF, or seconds since 1970; ValueError otherwise."""
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
    if at < EARLIEST:
        raise ValueError("the time is before the year 2000")
    return at
