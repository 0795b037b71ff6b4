"""Transports of mail: a folder of ``.eml`` files, or an SMTP server."""

from __future__ import annotations

import re
import secrets
import smtplib
import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import policy
from email.message import EmailMessage
from email.parser import BytesHeaderParser, BytesParser
from ipaddress import ip_address
from pathlib import Path
from typing import Protocol
from urllib.parse import parse_qs, unquote, urlsplit

from .. import private_files
from ..problems import ConfigurationError
from ..storage.durable import replace_file
from .message import deliverable

_LOOK = 4.0  # seconds for each step of the dialogue, where somebody waits to hear whether mail leaves
_FILE = re.compile(r"[0-9]{8}T[0-9]{12}-[0-9a-f]{12}\.eml")


class DeliveryError(Exception):
    """A message did not leave. The text says why, without addresses; ``final`` where trying again is in vain."""

    def __init__(self, reason: str, *, final: bool = False) -> None:
        super().__init__(reason)
        self.final = final


class Transport(Protocol):
    """Takes messages; called by one thread at a time."""

    def send(self, message: EmailMessage) -> None:
        """Hand one message over; DeliveryError where it was not taken."""

    def drop(self, message: EmailMessage) -> None:
        """Throw a message away that is for nobody; takes as long as ``send`` where a caller waits for that."""

    def check(self) -> str:
        """Say where mail goes, after trying it. Raises OSError or smtplib.SMTPException where it does not work."""

    def forget(self, address: str) -> int:
        """Delete what lies here and is for an address; returns how many messages."""

    def forget_mentions(self, values: Sequence[str], staff: Sequence[str]) -> int:
        """Delete what lies here, is for ``staff`` and holds one of these values; return how many messages."""


class FolderTransport:
    """Messages as private files of a folder, each written whole."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def send(self, message: EmailMessage) -> None:
        """See ``Transport.send``."""
        name = f"{datetime.now(UTC):%Y%m%dT%H%M%S%f}-{secrets.token_hex(6)}.eml"
        try:
            private_files.make_folder(self.folder)
            replace_file(self.folder / name, message.as_bytes())
        except OSError as error:
            raise DeliveryError(error.strerror or type(error).__name__) from error

    def drop(self, message: EmailMessage) -> None:
        """See ``Transport.drop``: a hidden file that goes at once."""
        dropped = self.folder / f".{secrets.token_hex(6)}.dropped"
        try:
            private_files.make_folder(self.folder)
            replace_file(dropped, message.as_bytes())
            dropped.unlink()
        except OSError as error:
            raise DeliveryError(error.strerror or type(error).__name__) from error

    def check(self) -> str:
        """See ``Transport.check``."""
        private_files.make_folder(self.folder)
        probe = self.folder / f".check-{secrets.token_hex(8)}"
        private_files.make_file(probe)
        probe.unlink()
        return f"the folder {self.folder}"

    def newest(self, limit: int) -> list[tuple[str, EmailMessage]]:
        """Return the newest messages by their files' names."""
        names = sorted((path.name for path in self.folder.glob("*.eml")), reverse=True)[:limit]
        found = [(name, self.read(name)) for name in names]
        return [(name, message) for name, message in found if message is not None]

    def read(self, name: str) -> EmailMessage | None:
        """Return the message of a file; None where there is none of this name."""
        if not _FILE.fullmatch(name):
            return None
        try:
            message = BytesParser(policy=policy.default).parsebytes((self.folder / name).read_bytes())
        except OSError:
            return None
        return message if isinstance(message, EmailMessage) else None

    def forget(self, address: str) -> int:
        """See ``Transport.forget``."""
        if not self.folder.is_dir():
            return 0
        deleted = 0
        for path in self.folder.glob("*.eml"):
            try:
                with path.open("rb") as file:
                    headers = BytesHeaderParser(policy=policy.SMTPUTF8).parse(file)
                # The parser keeps bytes outside ASCII as half characters.
                named = [found.addr_spec.encode("utf-8", "surrogateescape") for found in headers["To"].addresses]
                if deliverable(address).encode() in named:
                    path.unlink()
                    deleted += 1
            except (OSError, AttributeError, ValueError):
                continue  # taken away by its reader meanwhile, or not a message of ours
        return deleted

    def forget_mentions(self, values: Sequence[str], staff: Sequence[str]) -> int:
        """See ``Transport.forget_mentions``."""
        if not self.folder.is_dir() or not values:
            return 0
        deleted, ours = 0, {deliverable(one) for one in staff}
        for path in self.folder.glob("*.eml"):
            try:
                with path.open("rb") as file:
                    message = BytesParser(policy=policy.SMTPUTF8).parse(file)
                texts = [part.get_content() for part in message.walk() if part.get_content_type() == "text/plain"]
                said = "\n".join([str(message["Subject"]), *texts])
                if str(message["To"]) in ours and any(value in said for value in values):
                    path.unlink()
                    deleted += 1
            except (OSError, KeyError, ValueError):
                continue  # taken away by its reader meanwhile, or not a message of ours
        return deleted


@dataclass(frozen=True)
class _Server:
    host: str
    port: int
    tls: bool
    cleartext: bool
    user: str
    password: str = field(repr=False)


class SmtpTransport:
    """An SMTP server, with STARTTLS; a connection a message.

    Links to sign in and the password travel encrypted, or not at all: a server without STARTTLS is taken only on
    this machine, or where the URL says ``?cleartext=yes``.
    """

    def __init__(self, server: _Server, timeout: float = 15.0) -> None:
        """``timeout`` is in seconds, for each step of the dialogue."""
        self._server = server
        self._timeout = timeout

    def send(self, message: EmailMessage) -> None:
        """See ``Transport.send``."""
        try:
            connection = self._connect(self._server, self._timeout)
            try:
                connection.send_message(message)
            finally:
                connection.close()
        except (OSError, smtplib.SMTPException, ValueError) as error:
            reason, final = _reason(error)
            raise DeliveryError(reason, final=final) from error

    def drop(self, message: EmailMessage) -> None:
        """See ``Transport.drop``: nobody waits for what a thread of this process does."""

    def check(self) -> str:
        """See ``Transport.check``: signs in and leaves."""
        self._connect(self._server, min(self._timeout, _LOOK)).quit()
        return f"the server {self._server.host}:{self._server.port}"

    def forget(self, address: str) -> int:
        """See ``Transport.forget``: what has left is in nobody's hands here."""
        return 0

    def forget_mentions(self, values: Sequence[str], staff: Sequence[str]) -> int:
        """See ``Transport.forget_mentions``: nothing lies here."""
        return 0

    def _connect(self, server: _Server, timeout: float) -> smtplib.SMTP:
        context = ssl.create_default_context()
        if server.tls:
            connection: smtplib.SMTP = smtplib.SMTP_SSL(server.host, server.port, timeout=timeout, context=context)
        else:
            connection = smtplib.SMTP(server.host, server.port, timeout=timeout)
        try:
            connection.ehlo()
            if not server.tls and connection.has_extn("starttls"):
                connection.starttls(context=context)
                connection.ehlo()
            elif not (server.tls or server.cleartext or _is_loopback(connection)):
                raise smtplib.SMTPNotSupportedError("the server offers no STARTTLS")
            if server.user:
                connection.login(server.user, server.password)
        except BaseException:
            connection.close()
            raise
        return connection


def _is_loopback(connection: smtplib.SMTP) -> bool:
    assert connection.sock is not None  # it has been connected
    return ip_address(connection.sock.getpeername()[0].partition("%")[0]).is_loopback


def _reason(error: Exception) -> tuple[str, bool]:
    """Return what went wrong, without addresses, and whether trying again is in vain (5xx of the server)."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        codes = sorted({code for code, _ in error.recipients.values()})
        return f"recipient refused: {', '.join(map(str, codes))}", all(code >= 500 for code in codes)
    if isinstance(error, smtplib.SMTPResponseException):
        return f"{type(error).__name__} {error.smtp_code}", error.smtp_code >= 500
    return type(error).__name__, isinstance(error, smtplib.SMTPNotSupportedError | ValueError)


def open_transport(url: str, timeout: float = 15.0) -> Transport:
    """The transport of ``EMBLEM_MAIL_URL``; ConfigurationError for a bad one. ``timeout`` is in seconds."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise ConfigurationError([f"EMBLEM_MAIL_URL: {error}."]) from error
    if parts.scheme == "file":
        if parts.netloc not in ("", "localhost") or not parts.path.startswith("/"):
            raise ConfigurationError(["EMBLEM_MAIL_URL: write the folder as file:///path/to/outbox."])
        return FolderTransport(Path(unquote(parts.path)))
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
        raise ConfigurationError(
            ["EMBLEM_MAIL_URL: write file:///folder, smtp://user:password@host:587 or smtps://user:password@host:465."]
        )
    tls = parts.scheme == "smtps"
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    options = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    cleartext = options.pop("cleartext", "no")
    if options or cleartext not in ("yes", "no") or (parts.query and not parse_qs(parts.query)):
        raise ConfigurationError(["EMBLEM_MAIL_URL: after the host only ?cleartext=yes may stand."])
    server = _Server(parts.hostname, port or (465 if tls else 587), tls, cleartext == "yes", user, password)
    return SmtpTransport(server, timeout)
