"""The mailer: mails are rows of the outbox first, and leave from there until they have arrived or are given up."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy.orm import Session

from ..background import Background
from ..clock import Clock, now
from ..store import Database, outbox
from .message import compose
from .transport import DeliveryError, FolderTransport, open_transport

log = structlog.get_logger()

#: How long after a failed attempt the next one comes; the last is repeated until ``GIVEN_UP``.
PAUSES = tuple(timedelta(seconds=seconds) for seconds in (15, 60, 300, 900, 3600))
GIVEN_UP = timedelta(days=3)


class Mailer:
    """Sends the mail of one deployment. Safe to share between threads; after a fork it starts afresh.

    A mail that was added is durable, and one that is waiting when this process ends is sent by another or by
    the next. It may arrive twice where a process dies while it sends, and never not at all: what is given up
    is logged, without its address, and counted by ``waiting``.
    """

    def __init__(self, database: Database, url: str, *, sender: str, clock: Clock = now, timeout: float = 15.0) -> None:
        """``timeout`` of the mail server is in seconds. ConfigurationError for a bad URL."""
        self._database = database
        self.sender = sender
        self._clock = clock
        self._transport = open_transport(url, timeout)
        self._thread = Background("emblem-mail", self.deliver)

    @property
    def folder(self) -> Path | None:
        """The folder that mail is written to; None where it leaves by SMTP."""
        return self._transport.folder if isinstance(self._transport, FolderTransport) else None

    @property
    def mailbox(self) -> FolderTransport | None:
        """The folder's messages; None where mail leaves by SMTP."""
        return self._transport if isinstance(self._transport, FolderTransport) else None

    def send(self, to: str, subject: str, text: str, *, language: str = "en") -> None:
        """Add one mail in a transaction of its own, and let it leave. ``language`` is that of the text.

        ValueError for an address that cannot stand in a header; Unavailable where the database takes nothing.
        """
        self._database.write(lambda session: self.add(session, to, subject, text, language=language))
        self.leave()

    def add(
        self,
        session: Session,
        to: str,
        subject: str,
        text: str,
        *,
        language: str = "en",
        for_nobody: bool = False,
        thread: str | None = None,
        unsubscribe: str | None = None,
    ) -> None:
        """Add one mail in the transaction of what it tells of; ``leave`` after it has been committed.

        Mails of one ``thread`` (an id) are shown together; ``unsubscribe`` is the URL that ends such mails by a POST.

        One ``for_nobody`` is added and dropped when it would leave, so that a request whose answer must not tell
        whether somebody was mailed takes as long either way. ValueError for an address that cannot stand in a header.
        """
        more = {name: value for name, value in (("thread", thread), ("unsubscribe", unsubscribe)) if value}
        compose(self.sender, to, subject, text, language, **more)
        payload: dict[str, Any] = {"subject": subject, "text": text, "language": language, **more}
        payload |= {"nobody": True} if for_nobody else {}
        outbox.add(session, "mail", to, payload, self._clock())

    def leave(self) -> None:
        """Let what was added leave now: into a folder at once, to a server by a thread of this process."""
        if self.folder is not None:
            self.deliver()
            return
        self._thread.start()
        self._thread.wake()

    def deliver(self) -> None:
        """Try every mail that is due. What fails is tried again later; nothing is raised for it."""
        while claimed := outbox.claim(self._database, "mail", self._clock()):
            for mail in claimed:
                if self._thread.ending:
                    return  # the claims run out, and another process goes on
                self._attempt(mail)

    def waiting(self) -> outbox.Waiting:
        """Count the mails that wait, and those that were given up."""
        return outbox.waiting(self._database, "mail")

    def check(self) -> str:
        """Say where mail goes, after trying it. Raises OSError or smtplib.SMTPException where it does not work."""
        return self._transport.check()

    def forget(self, address: str) -> int:
        """Delete the mails to an address that wait or lie in the folder; returns how many."""
        waiting = self._database.write(lambda session: outbox.forget(session, "mail", address))
        return waiting + self._transport.forget(address)

    def forget_mentions(self, values: Sequence[str], staff: Sequence[str]) -> int:
        """Delete the mails to ``staff`` in the folder that hold one of these values; return how many."""
        return self._transport.forget_mentions(values, staff)

    def close(self, seconds: float = 10.0) -> None:
        """End the thread, waiting at most so many seconds for the mail that it is sending."""
        self._thread.stop(seconds)

    def _attempt(self, mail: outbox.Claimed) -> None:
        written: dict[str, Any] = mail.payload
        now = self._clock()
        try:
            parts = written["subject"], written["text"], written["language"]
            thread, unsubscribe = written.get("thread"), written.get("unsubscribe")
            message = compose(self.sender, mail.recipient, *parts, thread=thread, unsubscribe=unsubscribe)
            if written.get("nobody"):
                self._transport.drop(message)
            else:
                self._transport.send(message)
        except DeliveryError as error:
            pause = PAUSES[min(mail.attempts, len(PAUSES)) - 1]
            if error.final or now + pause - mail.created_at > GIVEN_UP:
                log.error("a mail could not be sent and is given up", reason=str(error), attempts=mail.attempts)
                outbox.failed(self._database, mail.id, f"{error}; given up", again=None, now=now)
            else:
                log.warning("a mail could not be sent; it is tried again", reason=str(error), attempts=mail.attempts)
                outbox.failed(self._database, mail.id, str(error), again=now + pause, now=now)
        else:
            outbox.delivered(self._database, mail.id, now, "sent", keep=False)
