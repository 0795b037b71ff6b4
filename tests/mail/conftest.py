"""A real SMTP server of the tests, and messages to send."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import Envelope

from service.mail import compose

from ..parts.processes import free_port, wait_until

FROM = "campaign@example.org"
TO = "quill@example.org"


def message(to: str = TO, subject: str = "S", text: str = "T") -> EmailMessage:
    """A message from the campaign."""
    return compose(FROM, to, subject, text, "en")


def read(path: Path) -> EmailMessage:
    """A message as it lies in a folder."""
    return BytesParser(policy=policy.default).parsebytes(path.read_bytes())


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
def server(inbox: Inbox, port: int = 0, **options: Any) -> Iterator[str]:
    """An SMTP server for this inbox, on a free port where none is given; yields ``host:port``."""
    port = port or free_port()
    controller = Controller(inbox, hostname="127.0.0.1", port=port, **options)
    controller.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        controller.stop()


def wait(until: Callable[[], bool], seconds: float = 60) -> None:
    """Wait until something is so."""
    wait_until(until, seconds, "it has come true", every=0.01)
