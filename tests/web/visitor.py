"""A person at a browser without JavaScript: pages as parsed HTML, forms filled in and sent, mail read."""

from __future__ import annotations

import email
import email.policy
import itertools
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.message import EmailMessage
from html.parser import HTMLParser
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from tests.parts import willing

if TYPE_CHECKING:
    from flask import Flask
    from werkzeug.test import TestResponse

    from service.deployment import Deployment

VOID = frozenset(
    [
        "area",
        "base",
        "br",
        "col",
        "embed",
        "hr",
        "img",
        "input",
        "link",
        "meta",
        "source",
        "track",
        "wbr",
        "image",
        "rect",
        "path",
        "circle",
    ]
)
_numbers = itertools.count(1)


@dataclass
class Element:
    """One element with its attributes and its text."""

    tag: str
    attributes: dict[str, str]
    text: str = ""
    language: str = ""


class Html(HTMLParser):
    """A page: its elements in order, and mistakes in their nesting."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[Element] = []
        self.mistakes: list[str] = []
        self._open: list[Element] = []
        self.feed(text)
        self.close()
        self.mistakes += [f"{element.tag} is not closed" for element in self._open]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Notes an element and the language that it stands in."""
        attributes = {name: value or "" for name, value in attrs}
        language = attributes.get("lang") or (self._open[-1].language if self._open else "")
        element = Element(tag, attributes, language=language)
        self.elements.append(element)
        if tag not in VOID:
            self._open.append(element)

    def handle_endtag(self, tag: str) -> None:
        """Closes an element."""
        if tag in VOID:
            return
        if not self._open or self._open[-1].tag != tag:
            self.mistakes.append(f"</{tag}> closes {self._open[-1].tag if self._open else 'nothing'}")
            return
        self._open.pop()

    def handle_data(self, data: str) -> None:
        """Adds text to every element around it."""
        for element in self._open:
            element.text += data

    def all(self, tag: str, **attributes: str) -> list[Element]:
        """The elements of a tag that have these attributes; ``class_`` is one of the classes."""
        wanted = {name.rstrip("_"): value for name, value in attributes.items()}
        return [
            element
            for element in self.elements
            if element.tag == tag
            and all(
                value in element.attributes.get(name, "").split()
                if name == "class"
                else element.attributes.get(name) == value
                for name, value in wanted.items()
            )
        ]

    def links(self) -> set[str]:
        """Where the links lead."""
        return {element.attributes["href"] for element in self.all("a") if "href" in element.attributes}

    @property
    def hidden(self) -> dict[str, str]:
        """The hidden fields; where several forms have one of a name, the last."""
        return {
            field.attributes["name"]: field.attributes.get("value", "") for field in self.all("input", type="hidden")
        }


@dataclass
class Visitor:
    """Someone who visits the pages."""

    app: Flask
    lang: str = "en"
    address: str = field(default_factory=lambda: f"visitor{next(_numbers)}@example.org")

    def __post_init__(self) -> None:
        """Opens a browser of their own."""
        self.client = self.app.test_client()
        self.html = Html("")

    @property
    def parts(self) -> Deployment:
        """What the application is made of."""
        found: Deployment = self.app.extensions["emblem"]
        return found

    def get(self, path: str, status: int = 200) -> TestResponse:
        """Opens a page; its language is put before a path without a leading slash."""
        return self._seen(self.client.get(self._path(path), headers={"Accept": "text/html"}), status)

    def post(self, path: str, data: Mapping[str, object], status: int = 303) -> TestResponse:
        """Sends a form of the page that is open, with its hidden fields."""
        sent: dict[str, object] = {**self.html.hidden, **data}
        return self._seen(self.client.post(self._path(path), data=sent, headers={"Accept": "text/html"}), status)

    def _path(self, path: str) -> str:
        return path if path.startswith("/") else f"/{self.lang}/{path}"

    def _seen(self, answer: TestResponse, status: int) -> TestResponse:
        assert answer.status_code == status, (answer.request.path, answer.status, answer.text[:2000])
        if answer.mimetype == "text/html":
            self.html = Html(answer.text)
        return answer

    def mailed(self) -> str:
        """The path of the link in the newest mail to this visitor."""
        outbox = self.parts.settings.outbox
        assert outbox is not None
        for file in sorted(outbox.rglob("*.eml"), key=lambda path: path.stat().st_mtime_ns, reverse=True):
            message = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
            if self.address in str(message["To"]):
                body = message.get_body()
                assert body is not None
                found = re.search(r"https?://\S+", body.get_content())
                assert found
                return urlsplit(found[0]).path
        raise AssertionError(f"no mail to {self.address}")

    def mails(self) -> int:
        """How many mails this visitor has."""
        outbox = self.parts.settings.outbox
        assert outbox is not None
        return sum(self.address.encode() in file.read_bytes() for file in outbox.rglob("*.eml"))

    def letters(self) -> list[EmailMessage]:
        """The mails to this visitor, oldest first."""
        outbox = self.parts.settings.outbox
        assert outbox is not None
        files = sorted(outbox.rglob("*.eml"), key=lambda path: path.name)
        found = [email.message_from_bytes(file.read_bytes(), policy=email.policy.default) for file in files]
        return [mail for mail in found if str(mail["To"]) == self.address and isinstance(mail, EmailMessage)]

    def application(self, kind: str = "individual", **changes: object) -> dict[str, object]:
        """The fields of the form of a kind, filled in so that it is approved."""
        filled: dict[str, object] = {"name": "Example Person", "email": self.address, "country": "AT"}
        for name, answer in willing.answers(self.parts.campaign, kind).items():
            filled[f"answers.{name}"] = "yes" if answer is True else answer
        return filled | {"purposes": ["information"]} | changes

    def join(self, kind: str = "individual", **changes: object) -> None:
        """Joins on the page, confirms by the mailed link, and is signed in."""
        self.get(f"join?kind={kind}")
        self.post(f"join?kind={kind}", self.application(kind, **changes))
        self.get(self.mailed())
        self.post(urlsplit(self.mailed()).path, {})

    def accept(self, package: str = "logo") -> None:
        """Accepts the terms on a package's page."""
        self.get(f"tools/{package}")
        self.post("download", {"name": "Example Person", "capacity": "For myself"})

    def sign_in_as_staff(self, address: str = "staff@example.org") -> None:
        """Signs in by a link that an operator made."""
        path = urlsplit(self.parts.participants.sign_in.issue_url(address)).path
        self.get(path)
        self.post(path, {})


def inside(page: str, link: str) -> str:
    """The path with its query that a link of a page leads to; empty where it leads out of the service."""
    split = urlsplit(urljoin(f"http://127.0.0.1:8000{page}", link))
    if split.netloc != "127.0.0.1:8000" or split.scheme != "http":
        return ""
    return split.path + (f"?{split.query}" if split.query else "")
