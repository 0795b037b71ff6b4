"""Mail messages: headers that no text can add to, addresses in a form that every server takes."""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime
from email import policy
from email.header import Header
from email.headerregistry import Address, HeaderRegistry, UniqueUnstructuredHeader
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from typing import TYPE_CHECKING, Any

import idna

from .html import html_of

if TYPE_CHECKING:
    from email._policybase import Policy


#: Words that each fit into a line, with one space between two: folding changes nothing of such a text.
_FITS = re.compile(r"(?:\S{1,60}(?: (?=\S)|\Z))+")


class _Subject(UniqueUnstructuredHeader):
    """A subject that is always sent as ASCII (RFC 2047), for servers and readers that know nothing else.

    Python 3.11 sends what SMTPUTF8 allows to servers that did not offer it, and its own encoding of a subject
    in Arabic or Russian can lose a space between two encoded words; ``Header`` does neither.
    """

    @classmethod
    def parse(cls, value: str, kwds: dict[str, Any]) -> None:
        """Take the text as it is: what looks encoded in it was written so, and might hold a line's end."""
        super().parse(value, kwds)
        kwds["decoded"] = value

    def fold(self, *, policy: Policy[Any]) -> str:
        """The header's lines, each with the policy's line end."""
        text = str(self)
        plain = text.isascii() and "=?" not in text and _FITS.fullmatch(text)
        coded = Header(text, "us-ascii" if plain else "utf-8", header_name="Subject", maxlinelen=76)
        return f"Subject: {coded.encode(linesep=policy.linesep)}{policy.linesep}"


class _Verbatim(UniqueUnstructuredHeader):
    """A field whose value is ASCII and stays one piece, however long: an address that programs follow (RFC 8058)."""

    def fold(self, *, policy: Policy[Any]) -> str:
        """The header's one line, with the policy's line end."""
        return f"List-Unsubscribe: {self}{policy.linesep}"


_HEADERS = HeaderRegistry()
_HEADERS.map_to_type("list-unsubscribe", _Verbatim)  # type: ignore[arg-type]  # likewise
_HEADERS.map_to_type("subject", _Subject)  # type: ignore[arg-type]  # it becomes a BaseHeader there
_POLICY = policy.SMTPUTF8.clone(header_factory=_HEADERS)


def compose(
    sender: str,
    to: str,
    subject: str,
    text: str,
    language: str,
    *,
    thread: str | None = None,
    unsubscribe: str | None = None,
) -> EmailMessage:
    """Make a message from these parts, as text and as HTML. Line ends in ``subject`` become spaces.

    Mails of one ``thread``, such as a case's id, are shown together (RFC 5322, section 3.6.4). ``unsubscribe`` is the
    URL that ends such mails by one POST (RFC 8058). ValueError for a bad address.
    """
    message = EmailMessage(policy=_POLICY)
    message["From"] = _address(sender)
    message["To"] = _address(to)
    message["Subject"] = "".join(" " if unicodedata.category(char)[0] in "CZ" else char for char in subject)
    message["Date"] = format_datetime(datetime.now(UTC))
    host = deliverable(sender).rpartition("@")[2]
    message["Message-ID"] = make_msgid(domain=host)
    if thread:
        message["In-Reply-To"] = message["References"] = f"<{thread}@{host}>"
    message["Auto-Submitted"] = "auto-generated"
    if unsubscribe:
        message["List-Unsubscribe"] = f"<{unsubscribe}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message.set_content(text, charset="utf-8")
    message.add_alternative(html_of(str(message["Subject"]), text, language), subtype="html", charset="utf-8")
    message["Content-Language"] = language
    return message


def _address(text: str) -> Address:
    if not re.fullmatch(r"[^@\s\x00-\x1f\x7f]+@[^@\s\x00-\x1f\x7f]+", text):
        raise ValueError("this is not one e-mail address")
    local, _, domain = deliverable(text).partition("@")
    return Address(username=local, domain=domain)


def deliverable(address: str) -> str:
    """The address with its domain in ASCII, which every server understands."""
    local, _, domain = address.rpartition("@")
    try:
        return f"{local}@{domain if domain.isascii() else idna.encode(domain, uts46=True).decode('ascii')}"
    except idna.IDNAError as error:
        raise ValueError("the domain of an e-mail address cannot be written in ASCII") from error
