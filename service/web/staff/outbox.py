"""The outbox of a deployment that writes its mail into a folder, as the demo does: every mail as text and as HTML.

Whoever reads a mail's link to sign in could act as its reader, so the secrets of such links are left out here.
"""

from __future__ import annotations

import base64
import hashlib
import re
from email.message import EmailMessage

from flask import Response, make_response

from ...mail import FolderTransport
from ...mail.html import STYLE
from ...problems import NotFound
from ..context import deployment
from ..pages.render import private
from ..security import require_session
from .blueprint import PAGE, staff

_SECRET = re.compile(r"(/(?:join|sign-in|grant|member|digest)/)[\w.-]{8,}")
_HEADERS = (
    "From",
    "To",
    "Subject",
    "Date",
    "Content-Language",
    "Auto-Submitted",
    "References",
    "List-Unsubscribe-Post",
)
_POLICY = (
    "default-src 'none'; style-src 'sha256-"
    + base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    + "'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'; object-src 'none'; sandbox"
)


@staff.get("/outbox")
def outbox() -> Response:
    """Show the newest mails."""
    return private("staff/outbox.html", mails=_folder().newest(PAGE))


@staff.get("/outbox/<name>")
def outbox_mail(name: str) -> Response:
    """Show one mail: its headers, its text, and its HTML in a frame."""
    mail = _mail(name)
    headers = [(header, mail[header]) for header in _HEADERS if mail[header]]
    return private("staff/outbox_mail.html", name=name, mail=mail, headers=headers, text=_part(mail, "plain"))


@staff.get("/outbox/<name>/html")
def outbox_html(name: str) -> Response:
    """Give the HTML of one mail, which may load nothing and run nothing."""
    response = make_response(_part(_mail(name), "html"))
    response.headers["Content-Type"] = "text/html; charset=utf-8"
    response.headers["Content-Security-Policy"] = _POLICY
    response.headers["Cache-Control"] = "private, no-store"
    return response


def _folder() -> FolderTransport:
    require_session("staff")
    folder = deployment().mailer.mailbox
    if folder is None:
        raise NotFound("Mail leaves by SMTP here, so there is no outbox to look into.")
    return folder


def _mail(name: str) -> EmailMessage:
    found = _folder().read(name)
    if found is None:
        raise NotFound("There is no mail of this name in the outbox.")
    return found


def _part(mail: EmailMessage, kind: str) -> str:
    part = mail.get_body((kind,))
    return "" if part is None else _SECRET.sub("\\1…", str(part.get_content()))
