"""What a mail tells of and the mail are one transaction: where the outbox takes none, nothing has happened."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import pytest
from sqlalchemy import text

from service.participants import Participants
from service.problems import AlreadyJoined, Unavailable
from service.store import Database

from .conftest import Make, Outbox
from .facts import everything

KIM = {"name": "Kim Example", "email": "kim@example.net"}


@pytest.fixture
def joined(people: Participants, application: Make, portal: str) -> str:
    return people.joining.join(application(email="first@example.org"), via=portal).id


def without_outbox(database: Database, work: Callable[[], object]) -> None:
    """Runs work while the outbox cannot be written, as where the database goes away in between."""
    with database.engine.begin() as connection:
        connection.execute(text("alter table outbox rename to outbox_away"))
    try:
        with pytest.raises(Unavailable):
            work()
    finally:
        with database.engine.begin() as connection:
            connection.execute(text("alter table outbox_away rename to outbox"))


def test_without_its_mail_nothing_is_done(
    people: Participants, application: Make, joined: str, outbox: Outbox, database: Database
) -> None:
    other = "portal:" + people.api_keys.create("portal", name="Another", by="staff:cli")[0].id
    people.joining.apply(application(email="page@example.org"))
    secret = outbox.secret("page@example.org", "join")
    work: dict[str, tuple[str, Callable[[], object]]] = {
        "join": ("new@example.org", lambda: people.joining.join(application(email="new@example.org"), via=other)),
        "ask for a grant": (
            "first@example.org",
            lambda: people.joining.join(application(email="first@example.org"), via=other),
        ),
        "apply": ("later@example.org", lambda: people.joining.apply(application(email="later@example.org"))),
        "confirm": ("page@example.org", lambda: people.sign_in.confirm(secret)),
        "decide": (
            "first@example.org",
            lambda: people.decisions.decide(joined, "suspended", reason="For now.", by="staff:key_x"),
        ),
        "invite": (KIM["email"], lambda: people.members.invite(joined, **KIM, by="participant")),
    }
    for what, (address, do) in work.items():
        before, mails = everything(database), len(outbox.to(address))
        without_outbox(database, do)
        assert everything(database) == before, what
        assert len(outbox.to(address)) == mails, what
        with suppress(AlreadyJoined):  # who asks for a grant hears that, and the owner is mailed
            do()
        assert len(outbox.to(address)) == mails + 1, what
