"""Outgoing mail: a folder of ``.eml`` files, or an SMTP server.

Mail is sent after the change that it tells of is durable, and never undoes it: ``Mailer.send`` returns at
once and raises nothing for a server that fails; what could not be sent after some attempts is logged,
without addresses. A folder takes a message in the calling thread; SMTP has one thread a process.
"""

from __future__ import annotations

import os
import queue
import re
import secrets
import smtplib
import ssl
import threading
import unicodedata
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import policy
from email.header import Header
from email.headerregistry import Address, HeaderRegistry, UniqueUnstructuredHeader
from email.message import EmailMessage
from email.parser import BytesHeaderParser
from email.utils import format_datetime, make_msgid
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import idna
import structlog

from .problems import ConfigurationError

if TYPE_CHECKING:
    from email._policybase import Policy

log = structlog.get_logger()
_WAITING = 10_000  # messages in memory; a server that is away for long must not use it all up


class _Subject(UniqueUnstructuredHeader):
    """A subject that is always sent as ASCII (RFC 2047), for servers and readers that know nothing else.

    Python 3.11 sends what SMTPUTF8 allows to servers that did not offer it, and its own encoding of a subject
    in Arabic or Russian can lose a space between two encoded words; ``Header`` does neither.
    """

    def fold(self, *, policy: Policy[Any]) -> str:
        """The header's lines, each with the policy's line end."""
        text = str(self)
        coded = Header(text, "us-ascii" if text.isascii() else "utf-8", header_name="Subject", maxlinelen=76)
        return f"Subject: {coded.encode(linesep=policy.linesep)}{policy.linesep}"


_HEADERS = HeaderRegistry()
_HEADERS.map_to_type("subject", _Subject)  # type: ignore[arg-type]  # it becomes a BaseHeader there
_POLICY = policy.SMTPUTF8.clone(header_factory=_HEADERS)


@dataclass(frozen=True)
class _Server:
    host: str
    port: int
    tls: bool
    user: str
    password: str = field(repr=False)


class Mailer:
    """Sends the mail of one deployment. Safe to share between threads; after a fork it starts afresh."""

    def __init__(
        self, url: str, *, sender: str, timeout: float = 15.0, pauses: tuple[float, ...] = (2.0, 10.0, 60.0)
    ) -> None:
        """``timeout`` and ``pauses`` (between attempts) are in seconds. ConfigurationError for a bad URL."""
        self._sender = sender
        self._timeout = timeout
        self._pauses = pauses
        self.outbox, self._server = _parse(url)
        self._start_afresh()
        os.register_at_fork(after_in_child=self._start_afresh)

    def _start_afresh(self) -> None:
        self._waiting: queue.Queue[EmailMessage | None] = queue.Queue(_WAITING)
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self._closing = threading.Event()

    def send(self, to: str, subject: str, text: str, *, language: str = "en") -> None:
        """Hands one plain-text message over; delivery problems are logged, never raised.

        ``language`` is that of the text. ValueError for an address that cannot stand in a header.
        """
        message = compose(self._sender, to, subject, text, language)
        if self.outbox is not None:
            try:
                self._put(message, self.outbox)
            except OSError as error:
                log.error("a mail could not be written", reason=error.strerror or type(error).__name__)
            return
        try:
            self._waiting.put_nowait(message)
        except queue.Full:
            log.error("a mail was given up: too many are waiting", waiting=_WAITING)
            return
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="emblem-mail", daemon=True)
                self._thread.start()

    def close(self, seconds: float = 10.0) -> None:
        """Sends what waits, for at most so many seconds; no attempt is repeated any more."""
        self._closing.set()
        thread = self._thread
        if thread is not None:
            self._waiting.put(None)
            thread.join(seconds)
            left = self._waiting.qsize()
            if thread.is_alive() or left:
                log.error("the process ends with mail that was not sent", waiting=left)
            self._thread = None

    def check(self) -> str:
        """Where mail goes, after trying it: a writable folder, or a server that takes the sign-in.

        Raises OSError or smtplib.SMTPException where it does not work.
        """
        if self.outbox is not None:
            self.outbox.mkdir(mode=0o700, parents=True, exist_ok=True)
            probe = self.outbox / f".check-{secrets.token_hex(8)}"
            probe.touch(mode=0o600)
            probe.unlink()
            return f"the folder {self.outbox}"
        assert self._server is not None
        self._connect(self._server).quit()
        return f"the server {self._server.host}:{self._server.port}"

    def forget(self, address: str) -> int:
        """Deletes the messages to an address that lie in the folder; returns how many. Nothing with SMTP."""
        if self.outbox is None or not self.outbox.is_dir():
            return 0
        deleted = 0
        for path in self.outbox.glob("*.eml"):
            try:
                with path.open("rb") as file:
                    headers = BytesHeaderParser(policy=policy.SMTPUTF8).parse(file)
                # The parser keeps bytes outside ASCII as half characters.
                named = [found.addr_spec.encode("utf-8", "surrogateescape") for found in headers["To"].addresses]
                if _deliverable(address).encode() in named:
                    path.unlink()
                    deleted += 1
            except (OSError, AttributeError, ValueError):
                continue  # taken away by its reader meanwhile, or not a message of ours
        return deleted

    def _put(self, message: EmailMessage, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        name = f"{datetime.now(UTC):%Y%m%dT%H%M%S%f}-{secrets.token_hex(6)}"
        staged = folder / f".{name}.tmp"
        with os.fdopen(os.open(staged, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(message.as_bytes())
        staged.replace(folder / f"{name}.eml")

    def _run(self) -> None:
        assert self._server is not None
        while (message := self._waiting.get()) is not None:
            self._attempt(message, self._server)

    def _attempt(self, message: EmailMessage, server: _Server) -> None:
        for pause in (*self._pauses, None):
            try:
                connection = self._connect(server)
                try:
                    connection.send_message(message)
                finally:
                    connection.close()
            except (OSError, smtplib.SMTPException, ValueError) as error:
                reason, final = _reason(error)
                if pause is None or final or self._closing.wait(pause):
                    log.error("a mail could not be sent", reason=reason)
                    return
            else:
                return

    def _connect(self, server: _Server) -> smtplib.SMTP:
        context = ssl.create_default_context()
        if server.tls:
            connection: smtplib.SMTP = smtplib.SMTP_SSL(
                server.host, server.port, timeout=self._timeout, context=context
            )
        else:
            connection = smtplib.SMTP(server.host, server.port, timeout=self._timeout)
        try:
            connection.ehlo()
            if not server.tls and connection.has_extn("starttls"):
                connection.starttls(context=context)
                connection.ehlo()
            if server.user:
                connection.login(server.user, server.password)
        except BaseException:
            connection.close()
            raise
        return connection


def compose(sender: str, to: str, subject: str, text: str, language: str) -> EmailMessage:
    """A message from these parts. Line ends in ``subject`` become spaces; ValueError for a bad address."""
    message = EmailMessage(policy=_POLICY)
    message["From"] = _address(sender)
    message["To"] = _address(to)
    message["Subject"] = "".join(" " if unicodedata.category(char)[0] in "CZ" else char for char in subject)
    message["Date"] = format_datetime(datetime.now(UTC))
    message["Message-ID"] = make_msgid(domain=_deliverable(sender).rpartition("@")[2])
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(text, charset="utf-8")
    message["Content-Language"] = language
    return message


def _address(text: str) -> Address:
    if not re.fullmatch(r"[^@\s\x00-\x1f\x7f]+@[^@\s\x00-\x1f\x7f]+", text):
        raise ValueError("this is not one e-mail address")
    local, _, domain = _deliverable(text).partition("@")
    return Address(username=local, domain=domain)


def _deliverable(address: str) -> str:
    """The address with its domain in ASCII, which every server understands."""
    local, _, domain = address.rpartition("@")
    try:
        return f"{local}@{domain if domain.isascii() else idna.encode(domain, uts46=True).decode('ascii')}"
    except idna.IDNAError as error:
        raise ValueError("the domain of an e-mail address cannot be written in ASCII") from error


def _reason(error: Exception) -> tuple[str, bool]:
    """What went wrong, without addresses, and whether trying again is in vain (5xx of the server)."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        codes = sorted({code for code, _ in error.recipients.values()})
        return f"recipient refused: {', '.join(map(str, codes))}", all(code >= 500 for code in codes)
    if isinstance(error, smtplib.SMTPResponseException):
        return f"{type(error).__name__} {error.smtp_code}", error.smtp_code >= 500
    return type(error).__name__, isinstance(error, smtplib.SMTPNotSupportedError | ValueError)


def _parse(url: str) -> tuple[Path | None, _Server | None]:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise ConfigurationError([f"EMBLEM_MAIL_URL: {error}."]) from error
    if parts.scheme == "file":
        if parts.netloc not in ("", "localhost") or not parts.path.startswith("/"):
            raise ConfigurationError(["EMBLEM_MAIL_URL: write the folder as file:///path/to/outbox."])
        return Path(unquote(parts.path)), None
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
        raise ConfigurationError(
            ["EMBLEM_MAIL_URL: write file:///folder, smtp://user:password@host:587 or smtps://user:password@host:465."]
        )
    tls = parts.scheme == "smtps"
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    return None, _Server(parts.hostname, port or (465 if tls else 587), tls, user, password)
