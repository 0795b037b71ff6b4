"""Lines of server logs, in five formats: which of them tell of a logo's view that the service did not see."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol
from urllib.parse import unquote_to_bytes


class Seen(NamedTuple):
    """A view: when (as the log writes it), the path asked for, and the header fields that tell the site."""

    when: bytes
    path: bytes
    referer: bytes
    origin: bytes


class LogFormat(Protocol):
    """Reader of one file of a format; a new one is made for each file."""

    header: bytes  # how a line begins that tells how to read those after it; empty for none

    def parse(self, line: bytes) -> Seen | None:
        """Read a line: None where it is right and tells of no view; raise ValueError where it is not in the format."""

    def is_whole(self, line: bytes, *, first: bool) -> bool:
        """Tell whether a line at a file's end is complete though its line end is missing.

        Of the first line of a file ``known_by`` has to be the same whatever follows: the file will be known by it.
        """

    def known_by(self, line: bytes) -> bytes:
        """Return the part of a file's first line that tells the file from others, the same before it is all written."""

    def unescape(self, field: bytes) -> bytes:
        """Return a field of ``Seen`` as the client sent it."""


_QUOTED = rb'"((?:[^"\\]|\\.)*)"'
_ESCAPED = re.compile(rb"\\(x[0-9A-Fa-f]{2}|.)", re.DOTALL)


class _Plain:
    r"""Base of most formats: no header, lines known by all of their text, and bytes escaped as ``\xHH``."""

    header = b""

    def known_by(self, line: bytes) -> bytes:
        """Return the line without its end."""
        return line.rstrip()

    def unescape(self, field: bytes) -> bytes:
        """Undo the escapes of nginx and Apache."""
        if b"\\" not in field:
            return field
        return _ESCAPED.sub(
            lambda match: bytes([int(match[1][1:], 16)]) if match[1][:1] == b"x" and match[1][1:] else match[1], field
        )


class Nginx(_Plain):
    """The ``log_format`` of docs/audit-import.md; only what the cache answered by itself counts.

    Time, request, status, bytes, referer, origin, cache status.
    """

    _LINE = re.compile(
        rb'(\S{19,32}) "([^"]*)" (\d{3}) (?:\d+|-) "([^"]*)" "([^"]*)" (?:"([A-Z_]+|-)"|([A-Z_]+|-))\s*', re.DOTALL
    )
    _FROM_CACHE = frozenset((b"HIT", b"STALE", b"UPDATING", b"REVALIDATED"))
    _OTHERS = frozenset((b"MISS", b"BYPASS", b"EXPIRED", b"-"))

    def parse(self, line: bytes) -> Seen | None:
        """See ``LogFormat``."""
        match = self._LINE.fullmatch(line)
        if match is None:
            raise ValueError("the line is not in the documented log_format")
        when, request, status, referer, origin, quoted, bare = match.groups()
        if status != b"200" or (quoted or bare) not in self._FROM_CACHE:
            return None
        return _of_request(when, request, referer, origin)

    def is_whole(self, line: bytes, *, first: bool) -> bool:
        """Whole with the closing quote of the cache status, or with a status that no other begins with."""
        match = self._LINE.fullmatch(line)
        return match is not None and (match[6] is not None or match[7] in self._FROM_CACHE | self._OTHERS)


class Combined(_Plain):
    """Apache's and nginx's combined format (and common, which tells no site): every successful line counts."""

    _REQUEST = rb"\S+ \S+ .*?\[([^\]]{20,40})\] " + _QUOTED + rb" (\d{3}) (?:\d+|-)"
    _LINE = re.compile(_REQUEST + rb"(?: " + _QUOTED + rb" " + _QUOTED + rb")?.*", re.DOTALL)
    _WHOLE = re.compile(_REQUEST + rb" " + _QUOTED + rb" " + _QUOTED, re.DOTALL)

    def parse(self, line: bytes) -> Seen | None:
        """See ``LogFormat``."""
        match = self._LINE.fullmatch(line)
        if match is None:
            raise ValueError("the line is not in the combined format")
        when, request, status, referer, _ = match.groups()
        return _of_request(when, request, referer or b"", b"") if status == b"200" else None

    def is_whole(self, line: bytes, *, first: bool) -> bool:
        """Whole where it ends with the user agent's closing quote: of other fields it cannot be known."""
        return self._WHOLE.fullmatch(line) is not None

    def known_by(self, line: bytes) -> bytes:
        """Return it up to the user agent's closing quote: a line cut off there is counted, whatever else follows."""
        match = self._WHOLE.match(line)
        return match[0] if match else line.rstrip()


class S3(_Plain):
    """Amazon S3 server access logs: every successful line counts."""

    _LINE = re.compile(
        rb"\S+ \S+ \[([^\]]{20,40})\] \S+ \S+ \S+ (\S+) (\S+) (?:" + _QUOTED + rb"|-) (\d{3}|-) \S+ \S+ \S+ \S+ \S+ "
        rb"(?:" + _QUOTED + rb"|-)(?=\s).*",
        re.DOTALL,
    )

    def parse(self, line: bytes) -> Seen | None:
        """See ``LogFormat``."""
        match = self._LINE.fullmatch(line)
        if match is None:
            raise ValueError("the line is not an S3 server access log's")
        when, operation, key, _, status, referer = match.groups()
        if status != b"200" or operation not in (b"REST.GET.OBJECT", b"WEBSITE.GET.OBJECT"):
            return None
        path = key[key.find(b"logos/") :] if b"logos/" in key else key
        return Seen(when, b"/" + path.lstrip(b"/"), referer or b"", b"")

    def is_whole(self, line: bytes, *, first: bool) -> bool:
        """Whole where all that is read stands there: what Amazon adds at the end grows from year to year."""
        return not first and self._LINE.fullmatch(line) is not None


class JsonLines(_Plain):
    """One JSON object a line, with the names that common servers use (nginx, Apache, Caddy, Traefik)."""

    def parse(self, line: bytes) -> Seen | None:
        """See ``LogFormat``."""
        value = _json_object(line)
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
        if "cs-uri-stem" in value:
            raise ValueError("the object is CloudFront's: import it with --format cloudfront")
        if status is None or when is None or method is None or path is None:
            raise ValueError("the object has no time, method, path or status")
        if str(status) != "200" or str(method) != "GET":
            return None
        said = {**value, **headers}
        referer = _first(said, "referer", "referrer", "http_referer", "http_referrer", "request_Referer")
        origin = _first(said, "origin", "http_origin", "request_Origin")
        return Seen(_text(when), _text(path), _text(referer), _text(origin))

    def is_whole(self, line: bytes, *, first: bool) -> bool:
        """Whole where the object is closed."""
        return _is_json_object(line)

    def unescape(self, field: bytes) -> bytes:
        """Return it as it is: JSON's own escapes are undone by then."""
        return field


class CloudFront:
    """CloudFront's standard logs: tab-separated with a ``#Fields:`` line, or, of the newer ones, JSON.

    Only what was answered at the edge counts. Names are those of Amazon's field list; values are percent-encoded.
    """

    _NEEDED = (b"date", b"time", b"cs-method", b"cs-uri-stem", b"sc-status", b"x-edge-result-type")
    header = b"#Fields:"
    _FROM_EDGE = frozenset((b"Hit", b"RefreshHit", b"OriginShieldHit"))

    def __init__(self) -> None:
        self._columns: dict[bytes, int] = {}

    def parse(self, line: bytes) -> Seen | None:
        """See ``LogFormat``; lines that begin with # tell the columns of those after them."""
        if line.startswith(b"#"):
            if line.startswith(self.header):
                self._columns = {name: place for place, name in enumerate(line[len(self.header) :].split())}
            return None
        if line.startswith(b"{"):
            value = _json_object(line)
            return self._seen({name.encode(): _text(item) for name, item in value.items()})
        if any(name not in self._columns for name in self._NEEDED):
            raise ValueError("there is no #Fields line with the columns of a standard log before it")
        values = line.rstrip(b"\r\n").split(b"\t")
        if len(values) < len(self._columns):
            raise ValueError("the line has fewer fields than the #Fields line names")
        return self._seen({name: values[place] for name, place in self._columns.items()})

    def is_whole(self, line: bytes, *, first: bool) -> bool:
        """Whole where the object is closed, or where all columns stand there and more text would change nothing."""
        if line.startswith(b"{"):
            return _is_json_object(line)
        values = line.split(b"\t")
        if first or line.startswith(b"#") or not self._columns or len(values) != len(self._columns):
            return False
        last = next(name for name, place in self._columns.items() if place == len(values) - 1)
        # A referer's site cannot change any more behind the slash that ends it.
        if last == b"cs(Referer)":
            return values[-1] == b"-" or re.match(rb"https?(?::|%3A)//[^/?#]+[/?#]", values[-1]) is not None
        return last not in self._NEEDED

    def known_by(self, line: bytes) -> bytes:
        """Return the line without its end."""
        return line.rstrip()

    def unescape(self, field: bytes) -> bytes:
        """Undo the percent-encoding."""
        return unquote_to_bytes(field) if b"%" in field else field

    def _seen(self, value: Mapping[bytes, bytes]) -> Seen | None:
        if any(name not in value for name in self._NEEDED):
            raise ValueError(f"a standard log has {', '.join(name.decode() for name in self._NEEDED)}")
        if value[b"sc-status"] != b"200" or value[b"cs-method"] != b"GET":
            return None
        if value[b"x-edge-result-type"] not in self._FROM_EDGE:
            return None
        when = value[b"date"] + b"T" + value[b"time"] + b"Z"
        return Seen(when, value[b"cs-uri-stem"], value.get(b"cs(Referer)", b""), b"")


#: the formats by the name that ``import-log`` knows them by
FORMATS: Mapping[str, Callable[[], LogFormat]] = {
    "nginx": Nginx,
    "combined": Combined,
    "json": JsonLines,
    "cloudfront": CloudFront,
    "s3": S3,
}


def _of_request(when: bytes, request: bytes, referer: bytes, origin: bytes) -> Seen | None:
    if not request.startswith(b"GET "):
        return None
    return Seen(when, request[4:].partition(b" ")[0], referer, origin)


def _json_object(line: bytes) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        raise ValueError("the line is not JSON") from None
    if not isinstance(value, dict):
        raise ValueError("the line is not a JSON object")
    return value


def _is_json_object(line: bytes) -> bool:
    try:
        _json_object(line)
    except ValueError:
        return False
    return True


def _first(value: Mapping[str, Any], *names: str) -> Any:
    for name in names:
        if name in value:
            item = value[name]
            return item[0] if isinstance(item, list) and item else item
    return None


def _text(value: object) -> bytes:
    return b"" if value is None else str(value).encode("utf-8", "replace")
