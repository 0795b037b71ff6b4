"""gunicorn's worker with threads, with six differences.

A worker takes a new connection the later the more it has. gunicorn's takes whatever it sees first: of 32 connections
that came at once one process of two had all, or 26, and the other's core nothing to do for as long as they were kept.

What is malformed is answered with a problem (RFC 9457) that repeats nothing of it, and logged likewise; gunicorn
answers with a page, and logs a line, that have the request in them.

Who sends or reads nothing for a while loses the connection; gunicorn waits for ever, with a thread for each.

A connection whose next request comes at once keeps its thread.

gunicorn hands a kept connection back to the worker's main thread after each request, which watches it and
hands it to a thread again: two changes of threads a request, which cost more than a warm answer does. A proxy
in front, or a browser that loads a page, sends the next request within a moment. Waiting that moment answers
half as many requests again per process (``python -m tests.benchmarks.variants warm``).

A connection's socket is called twice a request, and eight times without ``connection_socket``.

Who still sends a body that was refused is heard out for a moment, so that the answer arrives: closed with bytes that
nobody read, a connection is reset, and the answer is lost with it (RFC 9112, section 9.6).
"""

from __future__ import annotations

import json
import ssl
from contextlib import suppress
from time import sleep
from typing import TYPE_CHECKING, Any, cast

import structlog
from gunicorn.http.errors import (
    ExpectationFailed,
    LimitRequestHeaders,
    LimitRequestLine,
    ParseException,
    UnsupportedTransferCoding,
)
from gunicorn.workers.gthread import ThreadWorker

from .. import paths
from ..problems import Problem, Unavailable
from .connection_socket import ConnectionSocket

if TYPE_CHECKING:
    import socket

    from gunicorn.http.message import Request
    from gunicorn.http.parser import RequestParser
    from gunicorn.workers.gthread import TConn

_A_MOMENT = 50e-6  # seconds for each connection: all processes are woken for a new one, and the first takes it


class Worker(ThreadWorker):
    """Waits for the next request only while there is a thread for every connection, so nobody waits for it."""

    def accept(self, listener: socket.socket) -> None:
        """See gunicorn: takes a new connection, where no other process with fewer was quicker."""
        if self.cfg.workers > 1:
            sleep(min(self.nr_conns, self.cfg.threads) * _A_MOMENT)
        super().accept(listener)

    def handle(self, conn: TConn) -> bool:
        """See gunicorn: answers a request; True where the connection is to be kept."""
        if not conn.initialized and not isinstance(conn.sock, ConnectionSocket):
            conn.sock = cast("socket.socket", ConnectionSocket(conn.sock))
        keep = self._answer_one(conn)
        while keep is True and self.alive and self.nr_conns <= self.cfg.threads and _has_more(conn):
            keep = self._answer_one(conn)
        return keep

    def _answer_one(self, conn: TConn) -> bool:
        keep = super().handle(conn)
        _socket(conn).flush()
        if keep is False and _is_unread(conn):
            _socket(conn).hear_out()
        return keep

    def handle_error(self, req: Request | None, client: socket.socket, addr: Any, exc: BaseException) -> None:
        """See gunicorn: answers what is no HTTP, and what fails outside the application."""
        status, reason, slug, detail = _answer(exc)
        again = ""
        if isinstance(exc, Unavailable):  # of a body that had not begun
            again = "Retry-After: 5\r\n"
            structlog.get_logger().warning("a body could not be read", reason=exc.private)
        elif status == 500:
            structlog.get_logger().error("a request failed outside the application", exc_info=exc)
        else:
            structlog.get_logger().warning("a malformed request was refused", error=type(exc).__name__)
        document = {"type": paths.problem(slug), "title": reason, "status": status, "detail": detail, "instance": "/"}
        body = json.dumps(document).encode()
        head = (
            f"HTTP/1.1 {status} {reason}\r\nConnection: close\r\nContent-Type: application/problem+json\r\n"
            f"Cache-Control: no-store\r\n{again}Content-Length: {len(body)}\r\n\r\n"
        )
        with suppress(OSError):
            client.sendall(head.encode() + body)


def _answer(error: BaseException) -> tuple[int, str, str, str]:
    """Return status, reason, slug and what to do for an error that gunicorn met before or around the application."""
    if isinstance(error, LimitRequestLine):
        return 414, "URI Too Long", "too-large", "Send an address of at most 8,000 characters."
    if isinstance(error, LimitRequestHeaders):
        return 431, "Request Header Fields Too Large", "too-large", "Send fewer or shorter header fields."
    if isinstance(error, ExpectationFailed):
        return 417, "Expectation Failed", "invalid-request", "Send the request without an Expect field."
    if isinstance(error, UnsupportedTransferCoding):
        return 501, "Not Implemented", "invalid-request", "Send the body whole or chunked, in no other coding."
    if isinstance(error, ParseException | ssl.SSLError):
        return 400, "Bad Request", "invalid-request", "Send a request as HTTP/1.1 has it (RFC 9112)."
    if isinstance(error, Unavailable):
        return 503, "Service Unavailable", Unavailable.slug, Unavailable.help
    return 500, "Internal Server Error", Problem.slug, Problem.help


def _is_unread(conn: TConn) -> bool:
    """Tell whether a part of the last request's body was not read, where its length was told."""
    message = getattr(conn.parser, "mesg", None)
    left: int = getattr(getattr(getattr(message, "body", None), "reader", None), "length", 0)
    return left > 0


def _has_more(conn: TConn) -> bool:
    """Tell whether the next request was sent with the last, or comes within a moment; the parser has it then."""
    reader = cast("RequestParser", conn.parser).unreader
    came: bytes = reader.take_buffered() or _socket(conn).recv_soon()
    if came:
        reader.unread(came)
    return bool(came)


def _socket(conn: TConn) -> ConnectionSocket:
    return cast(ConnectionSocket, conn.sock)
