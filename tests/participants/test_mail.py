"""Outgoing mail: a folder of messages, and a real SMTP server."""

from __future__ import annotations

import os
import smtplib
import socket
import ssl
import stat
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import pytest
import structlog
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from service.mail import Mailer, compose
from service.problems import ConfigurationError

TO = "quill@example.org"


def read(path: Path) -> EmailMessage:
    return BytesParser(policy=policy.default).parsebytes(path.read_bytes())


# ---- the folder


def test_a_message_is_one_private_file(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "out box"
    mailer = Mailer(folder.as_uri(), sender="campaign@example.org")
    assert mailer.outbox == folder
    mailer.send(TO, "Bonjour à tous", "Première ligne\nhttps://example.org/fr/\n", language="fr")
    (path,) = folder.iterdir()
    assert path.suffix == ".eml"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    message = read(path)
    assert {name: message[name] for name in ("From", "To", "Subject", "Auto-Submitted", "Content-Language")} == {
        "From": "campaign@example.org",
        "To": TO,
        "Subject": "Bonjour à tous",
        "Auto-Submitted": "auto-generated",
        "Content-Language": "fr",
    }
    assert message["Message-ID"].endswith("@example.org>")
    assert message["Date"].datetime.tzinfo is not None
    assert message.get_content().splitlines() == ["Première ligne", "https://example.org/fr/"]


def test_whoever_reads_the_folder_sees_whole_messages_only(tmp_path: Path) -> None:
    mailer = Mailer(tmp_path.as_uri(), sender="campaign@example.org")
    text = "x" * 70 + "\n"

    def send() -> None:
        for _ in range(20):
            mailer.send(TO, "S", text * 500)

    senders = [threading.Thread(target=send) for _ in range(2)]
    for thread in senders:
        thread.start()
    seen: set[Path] = set()
    while len(seen) < 40:
        for path in tmp_path.glob("*.eml"):
            assert read(path).get_content().count("x") == 35_000
            seen.add(path)
    for thread in senders:
        thread.join()
    assert list(tmp_path.glob(".*")) == []


def test_forgetting_an_address_deletes_its_messages_alone(tmp_path: Path) -> None:
    mailer = Mailer(tmp_path.as_uri(), sender="campaign@example.org")
    assert Mailer((tmp_path / "nothing").as_uri(), sender="c@example.org").forget(TO) == 0
    for to in (TO, "other." + TO, TO, "zoë@bücher.example.org"):
        mailer.send(to, TO, f"To: {TO}")
    (tmp_path / "foreign.eml").write_bytes(b"no headers at all")
    assert mailer.forget(TO) == 2
    assert mailer.forget("zoë@bücher.example.org") == 1
    assert sorted(read(path)["To"] or "" for path in tmp_path.glob("*.eml")) == ["", "other." + TO]


def test_a_folder_that_cannot_be_written_is_logged_without_the_address(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    mailer = Mailer(blocked.as_uri(), sender="campaign@example.org")
    with structlog.testing.capture_logs() as logs:
        mailer.send(TO, "S", "T")
    assert [entry["log_level"] for entry in logs] == ["error"]
    assert TO not in str(logs)
    with pytest.raises(OSError, match="exists"):
        mailer.check()


def test_checking_a_folder_leaves_nothing_in_it(tmp_path: Path) -> None:
    mailer = Mailer((tmp_path / "outbox").as_uri(), sender="campaign@example.org")
    assert "outbox" in mailer.check()
    assert list((tmp_path / "outbox").iterdir()) == []


# ---- messages


@given(st.text(), st.text())
def test_no_text_adds_a_header(subject: str, text: str) -> None:
    """Whatever stands in a subject or a text, the headers are ours and the recipient is one."""
    message = compose("campaign@example.org", TO, f"{subject}\r\nBcc: evil@example.org", text, "en")
    parsed = BytesParser(policy=policy.SMTPUTF8).parsebytes(message.as_bytes())
    assert parsed.keys() == message.keys()
    assert "Bcc" not in parsed
    assert [address.addr_spec for address in parsed["To"].addresses] == [TO]


@pytest.mark.parametrize(
    "to",
    ["a@example.org\nBcc: b@example.org", "a@example.org\r", "a b@example.org", "nobody", "@example.org", "a@", ""],
)
def test_what_is_no_address_cannot_be_written_to(to: str) -> None:
    with pytest.raises(ValueError, match="address"):
        compose("campaign@example.org", to, "S", "T", "en")


def test_one_address_is_one_recipient() -> None:
    with pytest.raises(ValueError, match="address"):
        compose("campaign@example.org", "a@example.org,b@example.org", "S", "T", "en")


def test_a_domain_in_another_script_is_written_in_ascii() -> None:
    assert compose("c@example.org", "zoe@bücher.example.org", "S", "T", "en")["To"] == "zoe@xn--bcher-kva.example.org"


@pytest.mark.parametrize(
    "url", ["smtp://", "smtp://host:port", "file://host/outbox", "file:outbox", "http://example.org", "smtp://h:99999"]
)
def test_a_bad_address_of_the_server_stops_the_start(url: str) -> None:
    with pytest.raises(ConfigurationError, match="EMBLEM_MAIL_URL"):
        Mailer(url, sender="campaign@example.org")


# ---- a real server


class Inbox:
    """Takes messages, after refusing as many as it is told to."""

    def __init__(self, *refusals: str) -> None:
        self.refusals = list(refusals)
        self.attempts = 0
        self.messages: list[Envelope] = []

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Envelope) -> str:  # noqa: N802
        self.attempts += 1
        if self.refusals:
            return self.refusals.pop(0)
        self.messages.append(envelope)
        return "250 OK"

    async def handle_RCPT(  # noqa: N802
        self, _server: Any, _session: Any, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if address.startswith("unknown"):
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"


@contextmanager
def server(inbox: Inbox, **options: Any) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    controller = Controller(inbox, hostname="127.0.0.1", port=port, **options)
    controller.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        controller.stop()


def wait(until: Callable[[], bool], seconds: float = 5) -> None:
    end = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_smtp_delivers_in_the_background() -> None:
    inbox = Inbox()
    with server(inbox) as place:
        mailer = Mailer(f"smtp://{place}", sender="campaign@example.org")
        assert mailer.forget(TO) == 0
        for number in range(3):
            mailer.send(TO, f"Nº {number}", "Text\n")
        mailer.close()
    assert [envelope.rcpt_tos for envelope in inbox.messages] == [[TO]] * 3
    assert inbox.messages[0].mail_from == "campaign@example.org"
    content = inbox.messages[0].content
    assert isinstance(content, bytes)
    message = BytesParser(policy=policy.default).parsebytes(content)
    assert (message["Subject"], message.get_content().strip()) == ("Nº 0", "Text")


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
def test_smtp_signs_in_with_what_the_url_says() -> None:
    seen: list[tuple[bytes, bytes]] = []

    def authenticate(_server: Any, _session: Any, _envelope: Any, _mechanism: str, data: LoginPassword) -> AuthResult:
        seen.append((data.login, data.password))
        return AuthResult(success=data.password == b"p@ss/word", handled=False)

    inbox = Inbox()
    with server(inbox, authenticator=authenticate, auth_required=True, auth_require_tls=False) as place:
        mailer = Mailer(f"smtp://user:p%40ss%2Fword@{place}", sender="campaign@example.org")
        assert place in mailer.check()
        mailer.send(TO, "S", "T")
        mailer.close()
        wrong = Mailer(f"smtp://user:wrong@{place}", sender="campaign@example.org")
        with pytest.raises(smtplib.SMTPAuthenticationError):
            wrong.check()
    assert seen[0] == (b"user", b"p@ss/word")
    assert len(inbox.messages) == 1
    assert "p@ss" not in repr(mailer._server)


def test_a_server_that_is_busy_is_asked_again() -> None:
    inbox = Inbox("451 later", "451 later")
    with server(inbox) as place:
        mailer = Mailer(f"smtp://{place}", sender="campaign@example.org", pauses=(0.01, 0.01))
        mailer.send(TO, "S", "T")
        wait(lambda: bool(inbox.messages))
        mailer.close()
    assert inbox.attempts == 3


@pytest.mark.parametrize(("to", "refusals", "attempts"), [(TO, ["554 no"], 1), ("unknown@example.org", [], 0)])
def test_what_the_server_refuses_for_good_is_logged_without_the_address(
    to: str, refusals: list[str], attempts: int
) -> None:
    inbox = Inbox(*refusals)
    with structlog.testing.capture_logs() as logs, server(inbox) as place:
        mailer = Mailer(f"smtp://{place}", sender="campaign@example.org", pauses=(0.01, 0.01))
        mailer.send(to, "S", "T")
        wait(lambda: bool(logs))
        mailer.close()
    assert (inbox.attempts, inbox.messages) == (attempts, [])
    assert [entry["event"] for entry in logs] == ["a mail could not be sent"]
    assert "@" not in str(logs)


def test_a_server_that_is_away_blocks_nobody() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        mailer = Mailer(
            f"smtp://127.0.0.1:{silent.getsockname()[1]}", sender="campaign@example.org", timeout=0.2, pauses=()
        )
        with structlog.testing.capture_logs() as logs:
            began = time.monotonic()
            mailer.send(TO, "S", "T")
            assert time.monotonic() - began < 0.15
            wait(lambda: bool(logs))
        mailer.close()
    assert [entry["reason"] for entry in logs] == ["SMTPServerDisconnected"]


def test_closing_does_not_wait_for_further_attempts() -> None:
    inbox = Inbox("451 later", "451 later")
    with structlog.testing.capture_logs() as logs, server(inbox) as place:
        mailer = Mailer(f"smtp://{place}", sender="campaign@example.org", pauses=(60.0,))
        mailer.send(TO, "S", "T")
        wait(lambda: inbox.attempts == 1)
        began = time.monotonic()
        mailer.close()
        assert time.monotonic() - began < 2
    assert [entry["event"] for entry in logs] == ["a mail could not be sent"]


def test_a_forked_process_sends_its_own_mail() -> None:
    inbox = Inbox()
    with server(inbox) as place:
        mailer = Mailer(f"smtp://{place}", sender="campaign@example.org")
        mailer.send(TO, "parent", "T")
        wait(lambda: len(inbox.messages) == 1)
        child = os.fork()
        if child == 0:
            mailer.send(TO, "child", "T")
            mailer.close()
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        mailer.close()
    assert len(inbox.messages) == 2


# ---- encryption


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate for 127.0.0.1 with its key, in one file, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail.example.org")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "mail.pem"
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(private + made.public_bytes(Encoding.PEM))
    return path


@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
def test_mail_is_encrypted_where_the_server_can(
    scheme: str, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    inbox = Inbox()
    options = {"tls_context": context, "require_starttls": True} if scheme == "smtp" else {"ssl_context": context}
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with server(inbox, **options) as place:
        mailer = Mailer(f"{scheme}://{place}", sender="campaign@example.org")
        mailer.send(TO, "S", "T")
        mailer.close()
        assert len(inbox.messages) == 1
        monkeypatch.delenv("SSL_CERT_FILE")
        with pytest.raises(ssl.SSLCertVerificationError):
            Mailer(f"{scheme}://{place}", sender="campaign@example.org").check()
