"""A participants' office for each test, on each database, with an outbox to look into."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path
from typing import Any

import pytest

from service.campaign import Campaign
from service.mail import Mailer
from service.participants import Participants
from service.privacy import Erasure
from service.store import Database

from ..conftest import FrozenClock
from ..parts import willing
from ..parts.mails import text_of

BASE = "https://emblem.example.org"
_numbers = itertools.count(1)

Make = Callable[..., dict[str, Any]]


class Outbox:
    """The mails that were sent."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def all(self) -> list[EmailMessage]:
        """Every message, oldest first."""
        parser = BytesParser(policy=policy.default)
        found = [parser.parsebytes(path.read_bytes()) for path in sorted(self.folder.glob("*.eml"))]
        assert all(isinstance(message, EmailMessage) for message in found)
        return found

    def to(self, address: str) -> list[EmailMessage]:
        """The messages to an address, oldest first."""
        return [message for message in self.all() if message["To"] == address]

    def secret(self, address: str, page: str) -> str:
        """The secret in the last message to an address, whose link leads to this page."""
        found = re.search(rf"{BASE}/[a-z]{{2}}/{page}/([\w-]+)\s", text_of(self.to(address)[-1]))
        assert found, text_of(self.to(address)[-1])
        return found[1]


@pytest.fixture
def outbox(tmp_path: Path) -> Outbox:
    return Outbox(tmp_path / "outbox")


@pytest.fixture
def mailer(database: Database, clock: FrozenClock, outbox: Outbox) -> Iterator[Mailer]:
    made = Mailer(database, outbox.folder.as_uri(), sender="campaign@example.org", clock=clock)
    yield made
    made.close()


@pytest.fixture
def people(database: Database, campaign: Campaign, clock: FrozenClock, mailer: Mailer) -> Participants:
    return Participants(
        database,
        campaign,
        clock,
        mailer,
        BASE,
        staff=("staff@example.org", "both@example.org"),
        auditors=("auditor@localhost",),
    )


@pytest.fixture
def erasure(
    database: Database, campaign: Campaign, clock: FrozenClock, mailer: Mailer, people: Participants
) -> Erasure:
    return Erasure(database, campaign, clock, mailer, people.api_keys)


@pytest.fixture
def application(campaign: Campaign) -> Make:
    """Makes applications that are right in form; ``answers`` replace single ones."""

    def make(kind: str = "civil_society", answers: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
        number = next(_numbers)
        values: dict[str, Any] = {
            "kind": kind,
            "name": f"Quillmarsh {number}",
            "email": f"quill.{number}@example.org",
            "country": "EU" if kind.startswith("regional") else "AT",
            "purposes": ["information"],
            "website": "https://quillmarsh.example.org/",
            "answers": willing.answers(campaign, kind) | (answers or {}),
        }
        return values | changes

    return make


@pytest.fixture
def portal(people: Participants) -> str:
    """The actor of a portal key."""
    key, _ = people.api_keys.create("portal", name="Download page", by="staff")
    return f"portal:{key.id}"
