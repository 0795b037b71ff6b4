"""Logs: one JSON object a line (readable text on a terminal), each with the request's id; nothing personal in them.

A request is logged by its route, never by its path or query, which may hold tokens. Everything that is logged, by
us, by a library or by gunicorn, goes through ``redact``. Of a library's line only the fixed text is kept, for what
is put into it may be what somebody sent; of an error its type and where it came from, not its message.
"""

from __future__ import annotations

import errno
import logging
import os
import re
import secrets
import select
import sys
import threading
import time
import traceback
from contextlib import suppress
from typing import Any

import structlog
from flask import Flask, Response, g, request
from gunicorn.glogging import Logger

log = structlog.get_logger()
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})  # others are what somebody sent
_PATIENCE = 0.5  # seconds that a line may take
_FRAMES = 12  # of an error's way, the last ones


def configure() -> None:
    """Sets structlog and the standard library's logging up for this process."""
    terminal = sys.stderr.isatty()
    shared = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _describe_error,
        redact,
    ]
    ending = [structlog.dev.ConsoleRenderer()] if terminal else [structlog.processors.JSONRenderer(ensure_ascii=False)]
    structlog.configure(
        processors=[*shared, *ending],  # type: ignore[list-item]
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(file=_Stderr()),  # type: ignore[arg-type]  # it writes and flushes only
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(level=logging.WARNING, handlers=[_Forward()], force=True)
    for name in _GUNICORN:  # it has given them handlers of their own, which write the request's line and address
        theirs = logging.getLogger(name)
        theirs.handlers.clear()
        theirs.propagate = True
        theirs.setLevel(logging.WARNING)


def install(app: Flask) -> None:
    """Gives each request an id and logs its end."""

    @app.before_request
    def begin() -> None:
        given = request.headers.get("X-Request-Id", "")
        g.request_id = given if _REQUEST_ID.fullmatch(given) else secrets.token_hex(8)
        g.began = time.perf_counter()
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request=g.request_id)

    @app.after_request
    def end(response: Response) -> Response:
        response.headers["X-Request-Id"] = g.get("request_id", "")
        log.info(
            "request",
            method=request.method if request.method in _METHODS else "other",
            route=str(request.url_rule) if request.url_rule else None,
            status=response.status_code,
            **_who_and_what(),
            ms=round((time.perf_counter() - g.get("began", time.perf_counter())) * 1000, 1),
        )
        return response


def _who_and_what() -> dict[str, str]:
    """Return who asked, by an id that is nobody's name, and the kind of problem that it was refused with."""
    caller = g.get("key") or g.get("session")
    told = {"by": str(caller.by) if caller else "", "problem": g.get("problem", "")}
    return {name: value for name, value in told.items() if value}


#: Ids as nginx and load balancers make them: hexadecimal, a UUID's hyphens in it. Nothing of ours is written so.
_REQUEST_ID = re.compile(r"[0-9a-f]{16,32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_SECRET = re.compile(
    r"emb_[\w-]{8,}"  # API keys
    r"|whsec_[\w+/=-]+"
    r"|(?:/|%2F)(?:d|sign-in|join|grant)(?:/|%2F)[^/\s\"'<]+"  # tokens of downloads and of mailed links
    r"|(?<=://)[^\s/@\"'<>]+(?=@)"  # the user and password of an address
    # E-mail addresses; from where a word begins, so that each letter of a long one is looked at once.
    r"|(?<![^\s@\"'<>])[^\s@\"'<>]++@[^\s@\"'<>]+\.[^\s@\"'<>]+"
    r"|(?<![\w.])(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?![\w.])"  # IPv4
    r"|(?<![\w:])(?:[0-9a-f]{0,4}:){3,7}[0-9a-f]{0,4}(?![\w:])",  # IPv6
    re.IGNORECASE,
)
_GUNICORN = ("gunicorn.error", "gunicorn.access")
_AT = "timestamp"  # the one field with colons and digits that is ours


def redact(_logger: object, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Take keys, tokens and addresses out of every text of a line, however deep it lies."""
    return {name: value if name == _AT else _redacted(value) for name, value in event.items()}


def _redacted(value: Any) -> Any:
    match value:
        case str():
            return _SECRET.sub("[redacted]", value)
        case bool() | int() | float() | None:
            return value
        case dict():
            return {_redacted(str(name)): _redacted(inner) for name, inner in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_redacted(inner) for inner in value]
    return _SECRET.sub("[redacted]", str(value))


def _describe_error(_logger: object, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Replace ``exc_info`` by the error's type and where it came from; its message may be what somebody sent."""
    error = event.pop("exc_info", None)
    if error is True or isinstance(error, tuple):
        error = sys.exc_info()[1] if error is True else error[1]
    if isinstance(error, BaseException):
        event["exception"] = _described(error)
    return event


def _described(error: BaseException) -> str:
    stack = traceback.extract_tb(error.__traceback__)[-_FRAMES:]
    frames = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in stack]
    name = f"{type(error).__module__}.{type(error).__qualname__}".removeprefix("builtins.")
    if isinstance(error, OSError) and error.errno is not None:
        name += f" {errno.errorcode.get(error.errno, error.errno)}"  # the number says all, the text names files
    told = " < ".join([name, *reversed(frames)])
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return f"{told} | after {_described(before)}" if before is not None else told


class _Stderr:
    """Standard error, where a line that cannot be written (a full disk, a pipe that nobody reads) is lost.

    A request never waits longer than ``_PATIENCE`` for it, and not at all once a line was lost, until lines can be
    written again; then it is said how many were lost.
    """

    def __init__(self) -> None:
        self._lost = 0
        self._start_afresh()
        os.register_at_fork(after_in_child=self._start_afresh)

    def _start_afresh(self) -> None:
        self._lock = threading.Lock()

    def write(self, text: str) -> None:
        try:
            descriptor = sys.stderr.fileno()
        except (AttributeError, OSError, ValueError):  # something else stands in its place
            with suppress(OSError):
                sys.stderr.write(text)
            return
        if not self._lock.acquire(timeout=0 if self._lost else _PATIENCE):
            self._lost += 1
            return
        try:
            if self._lost and self._put(descriptor, f'{{"event": "log lines were lost", "lines": {self._lost}}}\n'):
                self._lost = 0
            if not self._put(descriptor, text):
                self._lost += 1
        except OSError:
            self._lost += 1
        finally:
            self._lock.release()

    def _put(self, descriptor: int, text: str) -> bool:
        """Write a text piece by piece, each only where it does not block; False where that takes too long."""
        data = text.encode("utf-8", "backslashreplace")
        for start in range(0, len(data), select.PIPE_BUF):
            if not select.select((), (descriptor,), (), 0 if self._lost else _PATIENCE)[1]:
                return False
            os.write(descriptor, data[start : start + select.PIPE_BUF])
        return True

    def flush(self) -> None:
        """Nothing is kept back."""


class _Forward(logging.Handler):
    """Handler that gives what libraries log the same form."""

    def emit(self, record: logging.LogRecord) -> None:
        structlog.get_logger().log(
            record.levelno, _fixed_text(record), logger=record.name, exc_info=record.exc_info or None
        )


def _fixed_text(record: logging.LogRecord) -> str:
    """Return a line without what was put into it, numbers aside; gunicorn puts some in before it logs."""
    if not isinstance(record.msg, str):
        return type(record.msg).__name__
    if record.name in _GUNICORN and not record.args:
        return next((said for start, said in _GUNICORN_SAYS.items() if record.msg.startswith(start)), "gunicorn")
    if isinstance(record.args, tuple):
        with suppress(TypeError, ValueError):
            return record.msg % tuple(value if isinstance(value, int | float) else "…" for value in record.args)
    return record.msg


#: What gunicorn writes whole, request and address included, by its beginning.
_GUNICORN_SAYS = {
    "Invalid request": "a malformed request was refused",
    "Error handling request": "gunicorn met an error",
    "No keepalived connections": "no connection can be kept: more threads or workers are needed",
    "Exception in worker process": "a worker could not start",
    "Unhandled exception in main loop": "the process that watches the workers met an error",
    "reloading the logger configuration": "the logger cannot be configured anew",
}


class GunicornLogger(Logger):
    """gunicorn's logger, whose lines take the way of all others."""

    def setup(self, cfg: Any) -> None:
        """See gunicorn: configures logging for the process that watches the workers too."""
        configure()

    def access(self, resp: Any, req: Any, environ: Any, request_time: Any) -> None:
        """See gunicorn: requests are logged by ``install``, by their route."""

    def reopen_files(self) -> None:
        """See gunicorn: there are none."""

    def close_on_exec(self) -> None:
        """See gunicorn: there are none."""
