"""Where mail leaves to: a folder of whole files, and a real SMTP server."""

from __future__ import annotations

import smtplib
import socket
import ssl
import stat
import threading
import time
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import AuthResult, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from service.mail.transport import DeliveryError, FolderTransport, open_transport
from service.problems import ConfigurationError

from ..parts.mails import text_of
from .conftest import TO, Inbox, message, read, server

# ---- the folder


def test_a_message_is_one_private_file(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "out box"
    transport = open_transport(folder.as_uri())
    assert isinstance(transport, FolderTransport)
    assert transport.folder == folder
    transport.send(message(subject="Bonjour à tous", text="Première ligne\nhttps://example.org/fr/\n"))
    (path,) = folder.iterdir()
    assert path.suffix == ".eml"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    found = read(path)
    assert (found["To"], found["Subject"], found["Auto-Submitted"]) == (TO, "Bonjour à tous", "auto-generated")
    assert found["Message-ID"].endswith("@example.org>")
    assert found["Date"].datetime.tzinfo is not None
    assert text_of(found).splitlines() == ["Première ligne", "https://example.org/fr/"]


def test_whoever_reads_the_folder_sees_whole_messages_only(tmp_path: Path) -> None:
    text = ("x" * 70 + "\n") * 500

    def send() -> None:
        transport = FolderTransport(tmp_path)
        for _ in range(20):
            transport.send(message(text=text))

    senders = [threading.Thread(target=send) for _ in range(2)]
    for thread in senders:
        thread.start()
    seen: set[Path] = set()
    while len(seen) < 40:
        for path in tmp_path.glob("*.eml"):
            assert text_of(read(path)).count("x") == 35_000
            seen.add(path)
    for thread in senders:
        thread.join()
    assert list(tmp_path.glob(".*")) == []


def test_forgetting_an_address_deletes_its_messages_alone(tmp_path: Path) -> None:
    transport = FolderTransport(tmp_path)
    assert FolderTransport(tmp_path / "nothing").forget(TO) == 0
    for to in (TO, "other." + TO, TO, "zoë@bücher.example.org"):
        transport.send(message(to, TO, f"To: {TO}"))
    (tmp_path / "foreign.eml").write_bytes(b"no headers at all")
    assert transport.forget(TO) == 2
    assert transport.forget("zoë@bücher.example.org") == 1
    assert sorted(read(path)["To"] or "" for path in tmp_path.glob("*.eml")) == ["", "other." + TO]


def test_a_folder_that_cannot_be_written_may_be_tried_again(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(DeliveryError) as caught:
        FolderTransport(blocked).send(message())
    assert not caught.value.final
    assert TO not in str(caught.value)
    with pytest.raises(OSError, match="exists"):
        FolderTransport(blocked).check()


def test_checking_a_folder_leaves_nothing_in_it(tmp_path: Path) -> None:
    assert "outbox" in FolderTransport(tmp_path / "outbox").check()
    assert list((tmp_path / "outbox").iterdir()) == []


# ---- a server


@pytest.mark.parametrize(
    "url", ["smtp://", "smtp://host:port", "file://host/outbox", "file:outbox", "http://example.org", "smtp://h:99999"]
)
def test_a_bad_address_of_the_server_stops_the_start(url: str) -> None:
    with pytest.raises(ConfigurationError, match="EMBLEM_MAIL_URL"):
        open_transport(url)


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
def test_smtp_signs_in_with_what_the_url_says() -> None:
    seen: list[tuple[bytes, bytes]] = []

    def authenticate(_server: Any, _session: Any, _envelope: Any, _mechanism: str, data: LoginPassword) -> AuthResult:
        seen.append((data.login, data.password))
        return AuthResult(success=data.password == b"p@ss/word", handled=False)

    inbox = Inbox()
    with server(inbox, authenticator=authenticate, auth_required=True, auth_require_tls=False) as place:
        transport = open_transport(f"smtp://user:p%40ss%2Fword@{place}")
        assert place in transport.check()
        transport.send(message())
        with pytest.raises(smtplib.SMTPAuthenticationError):
            open_transport(f"smtp://user:wrong@{place}").check()
    assert seen[0] == (b"user", b"p@ss/word")
    assert len(inbox.messages) == 1
    assert "p@ss" not in repr(vars(transport))


@pytest.mark.parametrize(
    ("to", "refusals", "final"),
    [(TO, ["554 no"], True), ("unknown@example.org", [], True), (TO, ["451 later"], False)],
)
def test_what_the_server_refuses_says_whether_to_try_again_and_no_address(
    to: str, refusals: list[str], final: bool
) -> None:
    with server(Inbox(*refusals)) as place, pytest.raises(DeliveryError) as caught:
        open_transport(f"smtp://{place}").send(message(to))
    assert caught.value.final is final
    assert "@" not in str(caught.value)


def test_a_server_that_says_nothing_is_given_up_in_time() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        transport = open_transport(f"smtp://127.0.0.1:{silent.getsockname()[1]}", timeout=0.2)
        began = time.monotonic()
        with pytest.raises(DeliveryError, match="SMTPServerDisconnected"):
            transport.send(message())
        assert time.monotonic() - began < 5


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
        open_transport(f"{scheme}://{place}").send(message())
        assert len(inbox.messages) == 1
        monkeypatch.delenv("SSL_CERT_FILE")
        with pytest.raises(ssl.SSLCertVerificationError):
            open_transport(f"{scheme}://{place}").check()


class _Elsewhere(smtplib.SMTP):
    """A connection whose other end is not on this machine, as far as its address says."""

    class _Socket:
        def __init__(self, real: socket.socket) -> None:
            self._real = real

        def getpeername(self) -> tuple[str, int]:
            return ("192.0.2.25", 25)

        def __getattr__(self, name: str) -> Any:
            return getattr(self._real, name)

    def connect(self, host: str = "localhost", port: int = 0, source_address: Any = None) -> tuple[int, bytes]:
        """Connects, and says it is somewhere else."""
        done = super().connect(host, port, source_address)
        self.sock: Any = self._Socket(self.sock)
        return done


def test_nothing_leaves_unencrypted_for_another_machine_unless_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server there without STARTTLS gets neither the password nor a mail, in which there is a link to sign in."""
    monkeypatch.setattr(smtplib, "SMTP", _Elsewhere)
    inbox = Inbox()
    with server(inbox) as place:
        for url in (f"smtp://user:password@{place}", f"smtp://{place}", f"smtp://{place}?cleartext=no"):
            with pytest.raises(smtplib.SMTPNotSupportedError):
                open_transport(url).check()
            with pytest.raises(DeliveryError):
                open_transport(url).send(message())
        assert not inbox.messages
        open_transport(f"smtp://{place}?cleartext=yes").send(message())
        assert len(inbox.messages) == 1
    for wrong in ("smtp://h?cleartext=perhaps", "smtp://h?cleartxt=yes", "smtp://h?x"):
        with pytest.raises(ConfigurationError):
            open_transport(wrong)
