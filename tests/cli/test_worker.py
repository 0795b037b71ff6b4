"""The server's worker: kept connections are answered in order, however many there are and however they send."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from gunicorn.config import Config

from service.cli.worker import Worker

if TYPE_CHECKING:
    from tests.parts.demo import Demo

ASK = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
THREADS = 16  # of one worker of the demo


@contextmanager
def connected(demo: Demo) -> Iterator[socket.socket]:
    parts = urlsplit(demo.base_url)
    with socket.create_connection((str(parts.hostname), int(parts.port or 0)), timeout=20) as connection:
        yield connection


def answer(connection: socket.socket) -> bytes:
    """Reads one answer, and not a byte of the next."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        got = connection.recv(1)
        assert got, head
        head += got
    (length,) = (int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
    while length:
        length -= len(connection.recv(length))
    return head.split(b"\r\n", 1)[0]


def test_one_connection_carries_many_requests(demo: Demo) -> None:
    with connected(demo) as connection:
        for _ in range(300):
            connection.sendall(ASK)
            assert b" 200 " in answer(connection)


def test_requests_that_are_sent_before_the_answers_are_all_answered(demo: Demo) -> None:
    with connected(demo) as connection:
        connection.sendall(ASK * 5)
        assert all(b" 200 " in answer(connection) for _ in range(5))


def test_a_request_that_comes_in_pieces_is_answered(demo: Demo) -> None:
    pause = threading.Event()
    with connected(demo) as connection:
        for cut in (1, 10, len(ASK) - 1):
            connection.sendall(ASK[:cut])
            pause.wait(0.05)
            connection.sendall(ASK[cut:])
            assert b" 200 " in answer(connection)


def test_who_sends_a_body_that_is_refused_gets_the_answer(demo: Demo) -> None:
    """The whole of it is sent before anything is read, as simple programs do."""
    length = 30_000_000
    head = f"POST /en/check HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\nContent-Type: text/plain\r\n"
    for more in ("", "Connection: close\r\n"):
        with connected(demo) as connection:
            connection.sendall(f"{head}{more}\r\n".encode() + bytes(length))
            assert b" 413 " in answer(connection)


def test_more_kept_connections_than_threads_are_all_answered_in_turn(demo: Demo) -> None:
    with ExitStack() as stack:
        connections = [stack.enter_context(connected(demo)) for _ in range(8 * THREADS)]
        for _ in range(3):
            for connection in connections:
                connection.sendall(ASK)
            assert all(b" 200 " in answer(connection) for connection in connections)


def test_busy_kept_connections_do_not_hold_up_the_end(new_demo: Callable[..., Demo]) -> None:
    """Ends with 0 within 10 s of SIGTERM or SIGINT."""
    demo = new_demo()
    ended = threading.Event()

    def ask() -> None:
        try:
            with connected(demo) as connection:
                while not ended.is_set():
                    connection.sendall(ASK)
                    answer(connection)
        except (OSError, AssertionError):
            return  # the server has closed it

    asking = [threading.Thread(target=ask) for _ in range(4)]
    for thread in asking:
        thread.start()
    threading.Event().wait(0.5)
    assert demo.process.stop() == 0
    ended.set()
    for thread in asking:
        thread.join()


def test_the_process_with_fewer_connections_takes_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two that see it at the same time; else one has all of those that come at once, and the other none."""
    taken: dict[int, list[Any]] = {15: [], 1: []}
    config = Config()
    config.set("workers", 2)
    config.set("threads", THREADS)

    def take(has: int, listener: socket.socket, together: threading.Barrier) -> None:
        worker = Worker.__new__(Worker)
        worker.cfg, worker.nr_conns = config, has
        monkeypatch.setattr(worker, "enqueue_req", taken[has].append)
        together.wait(60)
        worker.accept(listener)

    # Longer moments, so that other work on the machine does not turn the two around.
    monkeypatch.setattr("service.cli.worker.sleep", lambda seconds: time.sleep(20 * seconds))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        for _ in range(20):
            with socket.create_connection(listener.getsockname()):
                together = threading.Barrier(2)
                threads = [threading.Thread(target=take, args=(has, listener, together)) for has in taken]
                for thread in threads:
                    thread.start()
                for thread in threads:
                    thread.join()
    for connection in taken[15] + taken[1]:
        connection.sock.close()
    assert len(taken[15]) + len(taken[1]) == 20
    assert len(taken[1]) >= 15
