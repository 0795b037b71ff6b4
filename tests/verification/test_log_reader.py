"""Where the verifier reads from: what each answer of a log's address means, and what a folder may lack."""

from __future__ import annotations

import gzip
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.verification.log_reader import (
    FolderSource,
    NotAllowedError,
    PinnedSource,
    SourceError,
    StorageSource,
    UrlSource,
    WebSource,
)

LARGEST = 256 * 65_537
BOMB = gzip.compress(bytes(LARGEST + 1), 1)
FULL = gzip.compress(bytes(LARGEST), 1)


class Log(http.server.BaseHTTPRequestHandler):
    """Answers by the last part of the path, and keeps what it was asked."""

    protocol_version = "HTTP/1.1"
    asked: list[tuple[str, str | None, str | None, str | None]]

    def do_GET(self) -> None:
        said = self.headers.get
        self.asked.append((self.path, said("Authorization"), said("Accept-Encoding"), said("User-Agent")))
        name = self.path.rpartition("/")[2]
        body = {"packed": gzip.compress(b"leaves"), "damaged": b"\x1f\x8bno", "bomb": BOMB, "full": FULL}.get(name)
        coded = body is not None
        if name == "cut":
            body, coded = gzip.compress(b"leaves")[:-4], True
        self.send_response(200 if name == "000" or not name.isdigit() else int(name))
        if coded:
            self.send_header("Content-Encoding", "gzip")
        body = body or b"plain"
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        if name == "last":
            self.close_connection = True  # without a word to the other side, as a server does that is tired of waiting

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def log() -> Iterator[tuple[str, type[Log]]]:
    """A web server on loopback that answers as ``Log``, by its address."""
    kind = type("Asked", (Log,), {"asked": []})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), kind) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", kind
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("path", "found"),
    [("200", b"plain"), ("packed", b"leaves"), ("full", bytes(LARGEST)), ("404", None), ("410", None)],
)
def test_what_an_address_answers(log: tuple[str, type[Log]], path: str, found: bytes | None) -> None:
    assert WebSource(log[0]).read(path) == found


@pytest.mark.parametrize("path", ["401", "403"])
def test_what_only_auditors_may_read_is_told_apart(log: tuple[str, type[Log]], path: str) -> None:
    with pytest.raises(NotAllowedError, match=path):
        WebSource(log[0]).read(path)


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("500", "/below/500 answered 500; try again later."),
        ("429", "/below/429 answered 429; try again later."),
        ("damaged", "/below/damaged is coded with gzip, and damaged."),
        ("cut", "/below/cut is cut off, or longer than any file of a log."),
        ("bomb", "/below/bomb is cut off, or longer than any file of a log."),
    ],
)
def test_an_answer_that_is_no_file_of_a_log_is_said(log: tuple[str, type[Log]], path: str, why: str) -> None:
    with pytest.raises(SourceError) as said:
        WebSource(f"{log[0]}/below/").read(path)
    assert str(said.value) == log[0] + why


def test_the_token_and_what_is_taken_go_along(log: tuple[str, type[Log]]) -> None:
    WebSource(log[0], "secret").read("tile/0/000")
    WebSource(f"{log[0]}/log").read("checkpoint")
    assert log[1].asked == [
        ("/tile/0/000", "Bearer secret", "gzip", "emblem-verify"),
        ("/log/checkpoint", None, "gzip", "emblem-verify"),
    ]


def test_a_deployments_address_leads_to_its_log(log: tuple[str, type[Log]]) -> None:
    for base in ("", "/", "/log", "/log/", "/campaign"):
        UrlSource(log[0] + base, "secret").read("checkpoint")
    assert [path for path, *_ in log[1].asked] == ["/log/checkpoint"] * 4 + ["/campaign/log/checkpoint"]
    assert {token for _, token, *_ in log[1].asked} == {"Bearer secret"}


def test_a_kept_connection_that_has_ended_is_made_again(log: tuple[str, type[Log]]) -> None:
    source = WebSource(log[0])
    assert [source.read("last") for _ in range(3)] == [b"plain"] * 3
    assert len(log[1].asked) == 3


def test_an_address_where_nothing_answers_is_said() -> None:
    with pytest.raises(SourceError, match=r"^http://127\.0\.0\.1:9/log does not answer: .*refused\.$"):
        UrlSource("http://127.0.0.1:9").read("checkpoint")


@pytest.mark.parametrize("base", ["emblem.example.org", "ftp://emblem.example.org", "http://", "https:///log"])
def test_what_is_no_web_address_is_refused(base: str) -> None:
    with pytest.raises(SourceError) as said:
        WebSource(base)
    assert str(said.value) == f"{base!r} is no web address; write it with http:// or https://."


def test_a_folder_is_read_as_it_lies_but_for_its_texts(tmp_path: Path) -> None:
    (tmp_path / "tile/0").mkdir(parents=True)
    for path in ("checkpoint", "key", "tile/0/000"):
        (tmp_path / path).write_bytes(b"one\r\ntwo")
    source = FolderSource(tmp_path)
    assert [source.read(path) for path in ("checkpoint", "key")] == [b"one\ntwo\n"] * 2
    assert source.read("tile/0/000") == b"one\r\ntwo"
    assert source.read("tile/0/001") is None
    assert source.read("key/000") is None  # below a file
    with pytest.raises(SourceError) as said:
        source.read("tile")
    assert str(said.value) == f"{tmp_path / 'tile'} cannot be read: Is a directory."


def test_a_folder_without_a_checkpoint_is_no_log(tmp_path: Path) -> None:
    with pytest.raises(SourceError) as said:
        FolderSource(tmp_path)
    fix = "has no file named checkpoint; name the folder of `emblem audit export`."
    assert str(said.value) == f"{tmp_path} {fix}"


def test_a_storage_and_a_checkpoint_that_was_read_before() -> None:
    stored = {"log/checkpoint": b"new", "log/tile/0/000": b"leaves"}
    source = StorageSource(stored.get, ["a+1+x", "b+2+y"])
    assert source.read("key") == b"a+1+x\nb+2+y\n"
    assert [source.read(path) for path in ("checkpoint", "tile/0/000", "tile/0/001")] == [b"new", b"leaves", None]
    assert PinnedSource(source, b"kept").read("checkpoint") == b"kept"
    assert PinnedSource(source, None).read("checkpoint") is None
    assert PinnedSource(source, b"kept").read("tile/0/000") == b"leaves"
