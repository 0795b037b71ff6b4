"""The socket of a connection: what is written arrives whole and in order, and its timeouts hold."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from service.cli.connection_socket import ConnectionSocket

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n"
Pair = tuple[ConnectionSocket, socket.socket]


@pytest.fixture
def pair() -> Iterator[Pair]:
    ours, theirs = socket.socketpair()
    theirs.settimeout(5)
    with ours, theirs:
        yield ConnectionSocket(ours), theirs


def nothing_came(connection: socket.socket) -> bool:
    connection.setblocking(False)
    try:
        return not connection.recv(1)
    except BlockingIOError:
        return True
    finally:
        connection.settimeout(5)


def test_a_head_leaves_with_its_body(pair: Pair) -> None:
    ours, theirs = pair
    ours.sendall(HEAD)
    assert nothing_came(theirs)
    ours.sendall(b"body")
    assert theirs.recv(1000) == HEAD + b"body"


@pytest.mark.parametrize("size", [65_536, 65_537, 200_000])
def test_a_large_body_arrives_whole_behind_its_head(pair: Pair, size: int) -> None:
    ours, theirs = pair
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1_000_000)
    ours.sendall(HEAD)
    ours.sendall(bytes(size))
    got = b""
    while len(got) < len(HEAD) + size:
        got += theirs.recv(1_000_000)
    assert got == HEAD + bytes(size)


def test_a_head_without_a_body_leaves_when_the_answer_is_over(pair: Pair) -> None:
    ours, theirs = pair
    ours.sendall(HEAD)
    ours.flush()
    assert theirs.recv(1000) == HEAD
    ours.flush()
    assert nothing_came(theirs)


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n",
        b"HTTP/1.1 304 Not Modified\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    ],
)
def test_a_head_whose_body_may_be_long_in_coming_leaves_at_once(pair: Pair, head: bytes) -> None:
    ours, theirs = pair
    ours.sendall(head)
    assert theirs.recv(1000) == head


def test_whatever_else_is_asked_of_the_socket_comes_after_the_head(pair: Pair) -> None:
    ours, theirs = pair
    ours.sendall(HEAD)
    ours.send(b"body")
    ours.shutdown(socket.SHUT_WR)
    got = b""
    while more := theirs.recv(1000):
        got += more
    assert got == HEAD + b"body"


def test_what_comes_soon_is_read_and_what_does_not_is_not_waited_for(pair: Pair) -> None:
    ours, theirs = pair
    assert ours.recv_soon() == b""
    theirs.sendall(b"GET")
    assert ours.recv_soon() == b"GET"
    theirs.close()
    assert ours.recv_soon() == b""


def test_the_timeout_set_last_is_the_one_that_holds(pair: Pair) -> None:
    ours, theirs = pair
    ours.settimeout(0.01)
    assert ours.gettimeout() == 0.01
    with pytest.raises(TimeoutError):
        ours.recv(1)
    ours.setblocking(False)
    with pytest.raises(BlockingIOError):
        ours.recv(1)
    ours.setblocking(True)
    theirs.sendall(b"x")
    assert ours.gettimeout() is None
    assert ours.recv(1) == b"x"
