"""What reaches Emblem through the nginx of docs/deploy: one request is one request, and its path is the same to both.

Nothing of a request that is framed in two ways is answered as if it were another's; nothing odd gets a bare error;
who is slow holds up nobody.
"""

from __future__ import annotations

import json
import re
import socket
import ssl
from collections.abc import Iterator
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.parts.demo import Client, Demo
from tests.parts.nginx import DeployedNginx

HOST = "Host: logo.example.org\r\n"
#: What would be answered with 200 if it were read as a request of its own.
HIDDEN = "GET /healthz HTTP/1.1\r\nHost: hidden\r\n\r\n"


@dataclass
class Front:
    """A demo and the nginx before it."""

    demo: Demo
    nginx: DeployedNginx

    @property
    def ports(self) -> dict[str, int]:
        return {"nginx": self.nginx.port, "emblem": urlsplit(self.demo.base_url).port or 0}


@pytest.fixture(scope="module")
def front(demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    nginx = DeployedNginx(tmp_path_factory.mktemp("front") / "nginx", urlsplit(demo.base_url).netloc)
    yield Front(demo, nginx)
    nginx.close()


@dataclass
class Raw:
    """One answer as it came."""

    status: int
    head: str
    body: bytes

    @property
    def path(self) -> str:
        """The path that a problem names as asked for."""
        with suppress(ValueError):
            return str(json.loads(self.body).get("instance", ""))
        return ""


def exchange(port: int, data: bytes, wait: float = 0.4) -> list[Raw]:
    """Send bytes, and read every answer until the other side hangs up or is silent for ``wait`` seconds."""
    got = b""
    with closing(socket.create_connection(("127.0.0.1", port), timeout=10)) as connection:
        with suppress(OSError):
            connection.sendall(data)
        connection.settimeout(10)
        with suppress(OSError):
            while piece := connection.recv(65536):
                got += piece
                connection.settimeout(wait)
    return answers(got)


def answers(got: bytes) -> list[Raw]:
    found = []
    while got.startswith(b"HTTP/1."):
        head, _, rest = got.partition(b"\r\n\r\n")
        text = head.decode("latin-1")
        length = re.search(r"(?i)^content-length: *(\d+)", text, re.MULTILINE)
        if re.search(r"(?i)^transfer-encoding: *chunked", text, re.MULTILINE):
            body, got = unchunked(rest)
        else:
            size = int(length[1]) if length else 0
            body, got = rest[:size], rest[size:]
        found.append(Raw(int(text[9:12]), text, body))
    return found


def unchunked(rest: bytes) -> tuple[bytes, bytes]:
    body = b""
    while rest:
        size, _, rest = rest.partition(b"\r\n")
        length = int(size, 16)
        body, rest = body + rest[:length], rest[length + 2 :]
        if not length:
            break
    return body, rest


# ---- where a request ends

_POST = "POST /api/v1/misuse-reports HTTP/1.1\r\n" + HOST + "Content-Type: application/json\r\n"
_BODY = f"0\r\n\r\n{HIDDEN}"
#: Requests whose end is told in two ways, or in an odd one; each hides a second request in what may be its body.
TWO_ENDS = {
    "length, then chunked": f"{_POST}Content-Length: {len(_BODY)}\r\nTransfer-Encoding: chunked\r\n\r\n{_BODY}",
    "chunked, then length": f"{_POST}Transfer-Encoding: chunked\r\nContent-Length: {len(_BODY)}\r\n\r\n{_BODY}",
    "short length, chunked": f"{_POST}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n{_BODY}",
    "two lengths": f"{_POST}Content-Length: 0\r\nContent-Length: {len(HIDDEN)}\r\n\r\n{HIDDEN}",
    "two lengths in one": f"{_POST}Content-Length: 0, {len(HIDDEN)}\r\n\r\n{HIDDEN}",
    "signed length": f"{_POST}Content-Length: +0\r\n\r\n{HIDDEN}",
    "hexadecimal length": f"{_POST}Content-Length: 0x0\r\n\r\n{HIDDEN}",
    "underscored length": f"{_POST}Content-Length: 0_0\r\n\r\n{HIDDEN}",
    "negative length": f"{_POST}Content-Length: -1\r\n\r\n{HIDDEN}",
    "huge length": f"{_POST}Content-Length: {'9' * 40}\r\n\r\n{HIDDEN}",
    "odd coding": f"{_POST}Transfer-Encoding: xchunked\r\nContent-Length: {len(_BODY)}\r\n\r\n{_BODY}",
    "two codings": f"{_POST}Transfer-Encoding: chunked, identity\r\nContent-Length: {len(_BODY)}\r\n\r\n{_BODY}",
    "coding with a tab": f"{_POST}Transfer-Encoding:\tchunked\r\nContent-Length: {len(_BODY)}\r\n\r\n{_BODY}",
    "coding after a sign": f"{_POST}Transfer-Encoding: \x0bchunked\r\nContent-Length: {len(_BODY)}\r\n\r\n{_BODY}",
    "space before the colon": f"{_POST}Transfer-Encoding : chunked\r\nContent-Length: {len(_BODY)}\r\n\r\n{_BODY}",
    "underscored coding": f"{_POST}Transfer_Encoding: chunked\r\nContent-Length: {len(_BODY)}\r\n\r\n{_BODY}",
    "folded coding": f"{_POST}X: y\r\n Transfer-Encoding: chunked\r\nContent-Length: {len(_BODY)}\r\n\r\n{_BODY}",
    "coding twice": f"{_POST}Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\nContent-Length: 4\r\n\r\n{_BODY}",
    "signed chunk": f"{_POST}Transfer-Encoding: chunked\r\n\r\n+0\r\n\r\n{HIDDEN}",
    "hexadecimal chunk": f"{_POST}Transfer-Encoding: chunked\r\n\r\n0x0\r\n\r\n{HIDDEN}",
    "chunk without its end": f"{_POST}Transfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n{HIDDEN}",
    "chunk ended by a bare line feed": f"{_POST}Transfer-Encoding: chunked\r\n\r\n0\n\n{HIDDEN}",
    "one field ended by a bare return": f"{_POST}X: y\rTransfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n",
    "old version": f"POST /healthz HTTP/1.0\r\n{HOST}Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n{_BODY}",
    "get with a body": f"GET /api/v1/nothing HTTP/1.1\r\n{HOST}Content-Length: {len(HIDDEN)}\r\n\r\n{HIDDEN}",
}
#: In these the hidden one is plainly a second request, by any reading.
_PLAINLY_TWO = {"length, then chunked", "chunked, then length", "short length, chunked", "coding with a tab"}
#: nginx takes a bare line feed for a line's end, and sends both on as two.
_TWO_TO_NGINX = _PLAINLY_TWO | {"chunk ended by a bare line feed"}


@pytest.mark.parametrize("name", TWO_ENDS)
def test_a_request_whose_end_is_told_in_two_ways_hides_no_other(front: Front, name: str) -> None:
    """nginx and Emblem read the same end, or the request is refused and its connection ends."""
    for server, port in front.ports.items():
        got = exchange(port, TWO_ENDS[name].encode("latin-1"))
        assert got, (server, name)
        hidden = [one for one in got[1:] if one.status == 200]
        assert not hidden or name in (_TWO_TO_NGINX if server == "nginx" else _PLAINLY_TWO), (
            server,
            [one.status for one in got],
        )
        assert got[0].status in (400, 403, 404, 405, 413, 415, 422, 501), (server, got[0].head)


def test_what_follows_on_a_shared_connection_is_answered_as_itself(front: Front) -> None:
    """nginx keeps connections to Emblem for everybody: after each attack the next one there gets the own answer."""
    client = Client(front.nginx.url)
    for text in TWO_ENDS.values():
        exchange(front.nginx.port, text.encode("latin-1"), 0.05)
        told = client.get("/api/v1/participants/par_mine")
        assert (told.status, told.json()["instance"]) == (401, "/api/v1/participants/par_mine")


# ---- which path

ODD_PATHS = [
    "/en/../staff", "/en/..%2fstaff", "/en/%2e%2e/staff", "/en/%2E%2E%2Fstaff", "/en/..;/staff", "/en/.;/staff",
    "//staff", "/staff//", "/./staff", "/staff/.", "/staff/..", "/en\\..\\staff", "/en/%5c..%5cstaff",
    "/staff%00", "/staff%0d%0aX: y", "/staff%2f", "/STAFF", "/staff;a=b", "/staff%3fx", "/staff%23x", "/staff#x",
    "/api/v1/participants/..%2f..%2fme", "/api/v1//me", "/api/v1/me/", "/api/v1/%6de", "/api/v1/m%C3%A9",
    "/api/v1/%ff", "/api/v1/me%20", "/api/v1/me.json", "/%61pi/v1/me", "/d/x/..%2f..%2fstaff", "/d/x/%2e%2e",
    "/static/../staff", "/static/%2e%2e/staff", "/en/%2e%2e/static/emblem.css", "/static/..%2f..%2fwsgi.py",
    "/static/....//....//etc/passwd", "/_emblem/storage/x", "/%5Femblem/storage/x", "/_emblem/../_emblem/storage/x",
    "/log/tile/../../staff", "/logos/../staff", "/.git/config", "/.env", "/wsgi.py", "/en/%u0041", "/en/%", "/en/%zz",
    "http://evil.example/api/v1/me", "http:///api/v1/me", "*", "/api/v1/me?x=/../y", "/?/api/v1/me",
]  # fmt: skip


def same_or_refused(front: Front, target: str) -> None:
    request = f"GET {target} HTTP/1.1\r\n{HOST}Connection: close\r\n\r\n".encode("latin-1")
    (through,), (direct,) = (exchange(port, request)[:1] for port in front.ports.values())
    assert through.status < 500, (target, through.head)
    assert direct.status < 500, (target, direct.head)
    if through.status == 400 or direct.status == 400 or through.status == 414:
        return
    assert through.status == direct.status, (target, through.head, direct.head)
    assert unquote(through.path) == unquote(direct.path), target


@pytest.mark.parametrize("target", ODD_PATHS)
def test_both_see_the_same_path_or_refuse(front: Front, target: str) -> None:
    same_or_refused(front, target)


def test_both_see_the_same_path_or_refuse_whatever_is_written(front: Front) -> None:
    slashes = ["/", "//", "..", ".", "%2e", "%2F", "%5c", "\\", ";"]
    names = ["en", "staff", "api/v1/me", "static", "logos", "d", "log/tile", "_emblem/storage", "x"]
    signs = ["%00", "%", "%25", "%252e", "~", "?", "#", "&", "\xe9", "%E2%80%AE", "+"]
    pieces = st.sampled_from(slashes + names + signs)

    @given(st.lists(pieces, min_size=1, max_size=7))
    @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
    def check(parts: list[str]) -> None:
        same_or_refused(front, "/" + "".join(parts))

    check()


# ---- caches that strangers cannot fill

STRANGE = [
    {"X-Forwarded-Host": "evil.example"},
    {"X-Forwarded-Proto": "http"},
    {"X-Forwarded-Prefix": "/evil"},
    {"X-Forwarded-Port": "1"},
    {"X-Original-URL": "/staff"},
    {"X-Rewrite-URL": "/staff"},
    {"X-HTTP-Method-Override": "DELETE"},
    {"X-Host": "evil.example"},
    {"Forwarded": "host=evil.example;proto=http"},
    {"Origin": "https://evil.example"},
    {"Accept-Language": "ar"},
    {"Cookie": "emblem_session=x; language=ar"},
    {"Range": "bytes=0-3"},
    {"Accept": "text/html"},
    {"Surrogate-Capability": 'x="X-Accel/1.0"'},
    {"Authorization": "Bearer x"},
    {"Host": "evil.example"},
]


@pytest.mark.parametrize("strange", STRANGE, ids=lambda strange: next(iter(strange)))
def test_no_field_of_a_stranger_is_in_what_others_get_from_the_cache(front: Front, strange: dict[str, str]) -> None:
    css = re.search(rb'href="(/static/emblem.css[^"]*)"', Client(front.demo.base_url).get("/en/").body)
    assert css
    path = f"{css[1].decode()}&{next(iter(strange)).lower()}={len(strange)}"  # an object of the test's own
    direct = Client(front.demo.base_url).get(css[1].decode())
    client = Client(front.nginx.url)
    client.request("GET", path, headers=strange)
    client.request("HEAD", path, headers=strange)
    for _ in range(2):
        got = client.get(path)
        assert (got.status, got.body) == (200, direct.body)
        assert "evil" not in str(got.headers)
        assert "location" not in got.headers
    for page in ("/en/", "/healthz", "/robots.txt"):
        client.request("GET", page, headers=strange)
        assert b"evil" not in client.get(page).body


# ---- bounds, and errors of nginx's own


@pytest.mark.parametrize(
    ("head", "status"),
    [
        ("GET /" + "x" * 9000 + " HTTP/1.1\r\n" + HOST, 414),
        ("GET /en/ HTTP/1.1\r\n" + HOST + "X: " + "y" * 9000 + "\r\n", 400),
        ("GET /en/ HTTP/1.1\r\n" + HOST + "".join(f"X{n}: {'y' * 7000}\r\n" for n in range(9)), 400),
        ("GET /en/ HTTP/1.1\r\n", 400),  # no host
        ("GET /en/ HTTP/1.1\r\n" + HOST + HOST, 400),
        ("GET /en/%2e%2e/ HTTP/1.1\r\n" + HOST, 400),
        ("G\x01T /en/ HTTP/1.1\r\n" + HOST, 400),
        ("POST /en/check HTTP/1.1\r\n" + HOST + "Content-Length: 99999999\r\n", 413),
    ],
)
def test_what_nginx_itself_refuses_is_a_problem_too(front: Front, head: str, status: int) -> None:
    (answer,) = exchange(front.nginx.port, f"{head}Connection: close\r\n\r\n".encode("latin-1"))
    assert answer.status == status, answer.head
    assert "application/problem+json" in answer.head, (head[:20], answer.head)
    told = json.loads(answer.body)
    assert told["status"] == status
    assert told["type"].startswith("/problems/")
    assert Client(front.demo.base_url).get(told["type"]).status == 200
    assert "no-store" in answer.head


def test_trace_and_unknown_methods_are_refused(front: Front) -> None:
    for port in front.ports.values():
        for method in ("TRACE", "CONNECT", "DEBUG", "PROPFIND"):
            request = f"{method} /en/ HTTP/1.1\r\n{HOST}Cookie: emblem_session=sEcReT\r\nConnection: close\r\n\r\n"
            (answer,) = exchange(port, request.encode())
            assert answer.status in (400, 405), (port, method, answer.head)
            assert b"sEcReT" not in answer.body


def test_a_key_that_is_sent_unencrypted_is_not_led_on(front: Front) -> None:
    """Pages lead to https; for the API it is an error that a program notices."""
    client = Client(front.nginx.plain_url)
    for path in ("/api/v1/me", "/mcp", "/api"):
        told = client.request("POST", path, {})
        assert (told.status, told.slug) == (403, "forbidden"), path
        assert "location" not in told.headers
    for path in ("/en/", "/apis", "/d/x/y"):
        led = client.request("GET", path, headers={"Host": "evil.example"})
        assert (led.status, led.headers["location"]) == (301, f"https://logo.example.org{path}")


# ---- who is slow


def test_slow_senders_and_readers_hold_up_nobody(front: Front) -> None:
    """More of each than Emblem has threads: half a head, half a body, and a page that nobody reads."""
    with ExitStack() as stack:

        def open_one(data: bytes) -> None:
            one = stack.enter_context(closing(socket.create_connection(("127.0.0.1", front.nginx.port), timeout=10)))
            one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            one.sendall(data)

        for _ in range(40):
            open_one(b"GET /en/ HTTP/1.1\r\nHost: lo")
            open_one(f"POST /en/sign-in HTTP/1.1\r\n{HOST}Content-Length: 1000\r\n\r\nemail=".encode())
            open_one(f"GET /en/ HTTP/1.1\r\n{HOST}\r\n".encode() * 3)
        client = Client(front.nginx.url)
        for _ in range(5):
            assert client.request("GET", "/healthz", timeout=8).status == 200


def test_old_versions_of_tls_are_refused(demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> None:
    nginx = DeployedNginx(tmp_path_factory.mktemp("tls") / "nginx", urlsplit(demo.base_url).netloc, tls=True)
    try:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        for old in (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1):
            weak = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            weak.check_hostname, weak.verify_mode = False, ssl.CERT_NONE
            weak.set_ciphers("ALL:@SECLEVEL=0")  # or the client itself would refuse
            with suppress(ValueError):
                weak.minimum_version = weak.maximum_version = old
            with pytest.raises((ssl.SSLError, OSError)):
                weak.wrap_socket(socket.create_connection(("127.0.0.1", nginx.port), timeout=10)).close()
        context.set_alpn_protocols(["http/1.1"])
        with context.wrap_socket(socket.create_connection(("127.0.0.1", nginx.port), timeout=10)) as connection:
            assert connection.version() == "TLSv1.3"
            connection.sendall(f"GET /healthz HTTP/1.1\r\n{HOST}Connection: close\r\n\r\n".encode())
            assert connection.recv(100).startswith(b"HTTP/1.1 200")
    finally:
        nginx.close()
