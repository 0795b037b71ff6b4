"""Reading mails as tests need them."""

from __future__ import annotations

from email.message import EmailMessage


def text_of(mail: EmailMessage) -> str:
    """Return the plain text of a mail."""
    return part_of(mail, "plain")


def html_of(mail: EmailMessage) -> str:
    """Return the HTML of a mail."""
    return part_of(mail, "html")


def part_of(mail: EmailMessage, kind: str) -> str:
    """Return the part of a mail that is ``plain`` or ``html``."""
    part = mail.get_body((kind,))
    assert part is not None, mail.get_content_type()
    return str(part.get_content())
