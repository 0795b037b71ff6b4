"""Nothing that somebody sends as a secret is in a log, a mail, an error page or the database afterwards.

Secrets are sent in every position of a request, of every malformed form that comes to mind, to the server as it
runs and through the nginx of docs/deploy.
"""

from __future__ import annotations

import json
import logging
import socket
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import structlog

from tests.parts.demo import Demo
from tests.parts.nginx import DeployedNginx
from tests.parts.processes import wait_until

#: One of each kind: an API key, a mailed link's secret, a person's mailbox, an address.
KEY = "emb_Zq7SECRETq7Zq7Zq7Zq7Zq7Zq7Zq7Zq7Zq7Zq7Zq7Z"
MAILED = "mZq7SECRETlinkq7Zq7Zq7Zq7Zq7Zq7Z"
PERSON = "zq7.secret.person@zq7secret.example"
ADDRESS = "198.51.100.77"
SECRETS = (KEY, MAILED, PERSON, ADDRESS)

_HOST = "Host: logo.example.org\r\nConnection: close\r\n"
#: Whole requests; ``§`` is put in for each secret.
REQUESTS = [
    "GET /d/§/logo.zip HTTP/1.1\r\n{h}\r\n",
    "GET /en/sign-in/§ HTTP/1.1\r\n{h}\r\n",
    "POST /en/sign-in/§ HTTP/1.1\r\n{h}Content-Length: 0\r\n\r\n",
    "GET /en/join/§?again=§ HTTP/1.1\r\n{h}\r\n",
    "GET /§ HTTP/1.1\r\n{h}\r\n",
    "GET /api/v1/me?key=§ HTTP/1.1\r\n{h}\r\n",
    "GET /api/v1/participants/§ HTTP/1.1\r\n{h}\r\n",
    "GET /api/v1/me HTTP/1.1\r\n{h}Authorization: Bearer §\r\nX-Request-Id: §\r\n\r\n",
    "GET /en/account HTTP/1.1\r\n{h}Cookie: emblem_session=§; §=§\r\n\r\n",
    "GET /en/ HTTP/1.1\r\n{h}User-Agent: §\r\nReferer: https://§/§\r\nOrigin: https://§\r\nX-Forwarded-For: §\r\n\r\n",
    "GET /en/ HTTP/1.1\r\nHost: §\r\nConnection: close\r\n\r\n",
    (
        "POST /api/v1/participants HTTP/1.1\r\n{h}Content-Type: application/json\r\nContent-Length: 46\r\n\r\n"
        '{{"name": "§", "email": "§", "§": 1}}          '
    ),
    "POST /en/sign-in HTTP/1.1\r\n{h}Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 9\r\n\r\n§=§",
    # malformed, each in another way
    "GET /d/§\u00ff/x HTTP/1.1\r\n{h}\r\n",
    "GET /d/§/x\r\n{h}\r\n",
    "GET /d/§/x HTTP/9.9\r\n{h}\r\n",
    "GET  /d/§/x  HTTP/1.1\r\n{h}\r\n",
    "G\u00ebT /d/§/x HTTP/1.1\r\n{h}\r\n",
    "§ /d/§/x HTTP/1.1\r\n{h}\r\n",
    "GET /d/§/x HTTP/1.1\r\n{h}§: §\r\nbroken §\r\n\r\n",
    "GET /d/§/x HTTP/1.1\r\n{h}A(§): §\r\n\r\n",
    "GET /d/§/x HTTP/1.1\r\n{h}Authorization: Bearer §\x00\r\n\r\n",
    "GET /d/§/x HTTP/1.1\r\n{h} folded: §\r\n\r\n",
    "POST /d/§/x HTTP/1.1\r\n{h}Content-Length: §\r\n\r\n§",
    "POST /d/§/x HTTP/1.1\r\n{h}Transfer-Encoding: §\r\nContent-Length: 3\r\n\r\n§",
    "POST /en/sign-in/§ HTTP/1.1\r\n{h}Transfer-Encoding: chunked\r\n\r\n§\r\n",
    "POST /d/§/x HTTP/1.1\r\n{h}Expect: §\r\nContent-Length: 1\r\n\r\n§",
    "GET /d/§/" + "x" * 9000 + " HTTP/1.1\r\n{h}\r\n",
    "GET /d/§/x HTTP/1.1\r\n{h}X-Long: " + "§" * 900 + "\r\n\r\n",
    "GET http://§/d/§ HTTP/1.1\r\n{h}\r\n",
    "GET //§/d/§ HTTP/1.1\r\n{h}\r\n",
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n§",
    "\x16\x03\x01§",
]


def send(port: int, text: str) -> bytes:
    """Sends bytes as they are, and reads until the other side hangs up or half a second has passed."""
    with closing(socket.create_connection(("127.0.0.1", port), timeout=0.5)) as connection:
        with suppress(OSError):
            connection.sendall(text.encode("latin-1"))
            connection.shutdown(socket.SHUT_WR)
        got = b""
        with suppress(OSError):
            while piece := connection.recv(65536):
                got += piece
        return got


@pytest.fixture(scope="module")
def told(demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Demo, DeployedNginx]]:
    """A deployment behind nginx, after every request was sent to both."""
    folder = tmp_path_factory.mktemp("secrets")
    nginx = DeployedNginx(folder / "nginx", urlsplit(demo.base_url).netloc, access_log=True)
    for port in (urlsplit(demo.base_url).port, nginx.port):
        for request in REQUESTS:
            send(int(port or 0), request.format(h=_HOST).replace("§", "~".join(SECRETS)))
    yield demo, nginx
    nginx.close()


def test_no_log_has_a_secret(told: tuple[Demo, DeployedNginx]) -> None:
    demo, nginx = told
    wait_until(lambda: '"status": 4' in demo.process.output(), 60, "requests are logged")
    found = {"emblem": demo.process.output(), "nginx": nginx.process.output(), "access": nginx.access()}
    assert "a malformed request was refused" in found["emblem"]
    for name, text in found.items():
        leaked = sorted({line[:200] for line in text.splitlines() for secret in SECRETS if secret in line})
        assert not leaked, (name, leaked)


def test_every_line_of_the_log_is_json(told: tuple[Demo, DeployedNginx]) -> None:
    lines = told[0].process.output().splitlines()
    odd = [line for line in lines if line and not line.startswith((" ", "{"))]
    assert not odd
    assert all(json.loads(line)["timestamp"] for line in lines if line.startswith("{"))


def test_no_mail_and_no_row_has_a_secret(told: tuple[Demo, DeployedNginx]) -> None:
    demo, _ = told
    for mail in demo.outbox.glob("*.eml"):
        assert not [secret for secret in SECRETS if secret.encode() in mail.read_bytes()]
    with closing(sqlite3.connect(demo.folder / "emblem.sqlite3")) as connection:
        dump = "\n".join(connection.iterdump())
    assert "participants" in dump
    assert not [secret for secret in SECRETS if secret in dump]


def test_no_answer_repeats_a_secret_but_the_address_that_was_asked(told: tuple[Demo, DeployedNginx]) -> None:
    """A problem names its ``instance``; nothing else of a request comes back."""
    port = urlsplit(told[0].base_url).port or 0
    for request in REQUESTS:
        answer = send(port, request.format(h=_HOST).replace("§", KEY))
        head, _, body = answer.partition(b"\r\n\r\n")
        with suppress(ValueError):
            document = json.loads(body)
            document.pop("instance", None)
            document["errors"] = [error["detail"] for error in document.get("errors", [])]
            body = json.dumps(document).encode()
        assert KEY.encode() not in body, request
        assert KEY.encode() not in head.replace(b"Location: /", b""), request


# ---- the one place that logs


@pytest.mark.usefixtures("logging_configured")
@pytest.mark.parametrize("secret", [*SECRETS, "whsec_abc+def==", "/en/join/abcdefgh", "2001:db8:1:2::77", "u:p4ss"])
def test_a_secret_is_taken_out_wherever_it_stands_in_a_line(capsys: pytest.CaptureFixture[str], secret: str) -> None:
    sent = f"/en/sign-in/{secret}" if secret == MAILED else f"smtp://{secret}@host" if secret == "u:p4ss" else secret
    written = f"Invalid request from ip={sent}: {sent}"
    structlog.get_logger().warning(f"x {sent}", a=sent, b=[{"c": (f"({sent})", 1)}], d=ValueError(sent))
    logging.getLogger("somebody").warning("said %s", sent)
    try:
        raise ValueError(sent) from KeyError(sent)
    except ValueError:
        structlog.get_logger().error("bad", exc_info=True)
        logging.getLogger("gunicorn.error").exception("Error handling request %s", sent)
    logging.getLogger("gunicorn.error").warning(written)
    text = capsys.readouterr().err
    assert len(text.splitlines()) == 5
    assert secret not in text
    assert "ValueError" in text
    assert "test_secrets_in_logs.py" in text


def test_the_log_says_what_failed_in_the_database_without_a_value(tmp_path: Path) -> None:
    from sqlalchemy import text

    from service.problems import Unavailable
    from service.store import Database

    database = Database(f"sqlite:///{tmp_path / 'x.sqlite3'}")
    with pytest.raises(Unavailable) as told, database.read() as session:
        session.execute(text("select :name from nowhere"), {"name": PERSON})
    assert "no such table" in told.value.private
    assert PERSON not in told.value.private
    database.close()
