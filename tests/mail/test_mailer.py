"""The mailer: what was added is sent, over outages and restarts, and by one process alone."""

from __future__ import annotations

import os
import socket
import time
from datetime import timedelta
from pathlib import Path

import pytest
import structlog
from sqlalchemy import select

from service.mail import Mailer
from service.mail.mailer import GIVEN_UP, PAUSES
from service.store import Database
from service.store.tables import OutboxMessage

from ..conftest import FrozenClock
from ..parts.processes import free_port
from .conftest import FROM, TO, Inbox, read, server, wait


def mailer(database: Database, url: str, clock: FrozenClock) -> Mailer:
    return Mailer(database, url, sender=FROM, clock=clock, timeout=2)


def test_a_folder_has_the_mail_when_send_returns(database: Database, clock: FrozenClock, tmp_path: Path) -> None:
    mailer(database, tmp_path.as_uri(), clock).send(TO, "Bonjour", "Texte", language="fr")
    (path,) = tmp_path.glob("*.eml")
    found = read(path)
    assert {name: found[name] for name in ("From", "To", "Subject", "Content-Language")} == {
        "From": FROM, "To": TO, "Subject": "Bonjour", "Content-Language": "fr",
    }  # fmt: skip
    with database.read() as session:
        assert session.scalars(select(OutboxMessage)).all() == []  # no address stays behind


def test_a_server_gets_mail_from_a_thread(database: Database, clock: FrozenClock) -> None:
    inbox = Inbox()
    with server(inbox) as place:
        sender = mailer(database, f"smtp://{place}", clock)
        for number in range(3):
            sender.send(TO, f"Nº {number}", "Text\n")
        wait(lambda: len(inbox.messages) == 3)
        sender.close()
    assert [envelope.rcpt_tos for envelope in inbox.messages] == [[TO]] * 3
    assert sender.waiting().messages == 0


def test_a_server_that_is_away_for_two_days_loses_nothing(database: Database, clock: FrozenClock) -> None:
    port = free_port()
    sender = mailer(database, f"smtp://127.0.0.1:{port}", clock)
    for number in range(3):
        database.write(lambda session, number=number: sender.add(session, TO, f"Nº {number}", "T"))  # type: ignore[misc]
    for _ in range(8):
        sender.deliver()
        clock.advance(6 * 3600)
    assert sender.waiting().messages == 3
    assert sender.waiting().given_up == 0
    sender.close()
    inbox = Inbox()
    with server(inbox, port=port):
        mailer(database, f"smtp://127.0.0.1:{port}", clock).deliver()  # another process, after a restart
    assert len(inbox.messages) == 3


def test_what_no_server_takes_for_three_days_is_given_up_and_counted(database: Database, clock: FrozenClock) -> None:
    inbox = Inbox(*["451 later"] * 200)
    with structlog.testing.capture_logs() as logs, server(inbox) as place:
        sender = mailer(database, f"smtp://{place}", clock)
        database.write(lambda session: sender.add(session, TO, "S", "T"))
        sender.deliver()
        while sender.waiting().messages:
            clock.advance(PAUSES[min(inbox.attempts, len(PAUSES)) - 1].total_seconds())
            sender.deliver()
    assert GIVEN_UP / PAUSES[-1] < inbox.attempts < GIVEN_UP / PAUSES[-1] + len(PAUSES)
    assert sender.waiting().given_up == 1
    assert logs[-1]["event"] == "a mail could not be sent and is given up"
    assert "@" not in str(logs)


def test_what_is_refused_for_good_is_not_tried_again(database: Database, clock: FrozenClock) -> None:
    inbox = Inbox("554 no")
    with server(inbox) as place:
        sender = mailer(database, f"smtp://{place}", clock)
        database.write(lambda session: sender.add(session, TO, "S", "T"))
        sender.deliver()
        clock.advance(86_400)
        sender.deliver()
    assert inbox.attempts == 1
    assert sender.waiting().given_up == 1


def test_two_processes_send_each_mail_once(database: Database, clock: FrozenClock) -> None:
    inbox = Inbox()
    with server(inbox) as place:
        first, second = (mailer(database, f"smtp://{place}", clock) for _ in range(2))
        for number in range(20):
            first.send(TO, f"Nº {number}", "T")
            second.leave()
        wait(lambda: len(inbox.messages) >= 20)
        first.close()
        second.close()
    assert len(inbox.messages) == 20


def test_a_claim_of_a_process_that_died_runs_out(database: Database, clock: FrozenClock) -> None:
    from service.store import outbox

    inbox = Inbox()
    with server(inbox) as place:
        sender = mailer(database, f"smtp://{place}", clock)
        database.write(lambda session: sender.add(session, TO, "S", "T"))
        assert len(outbox.claim(database, "mail", clock())) == 1  # and it dies before it sends
        sender.deliver()
        assert inbox.messages == []
        clock.advance(outbox.CLAIM.total_seconds())
        sender.deliver()
    assert len(inbox.messages) == 1


def test_a_mail_is_added_only_with_what_it_tells_of(database: Database, clock: FrozenClock, tmp_path: Path) -> None:
    sender = mailer(database, tmp_path.as_uri(), clock)

    def work(session: object) -> None:
        sender.add(session, TO, "S", "T")  # type: ignore[arg-type]
        raise ValueError("it did not happen")

    with pytest.raises(ValueError, match="did not happen"):
        database.write(work)
    sender.leave()
    assert list(tmp_path.glob("*.eml")) == []


def test_forgetting_an_address_takes_what_waits_too(database: Database, clock: FrozenClock, tmp_path: Path) -> None:
    sender = mailer(database, tmp_path.as_uri(), clock)
    sender.send(TO, "S", "T")
    for to in (TO, "other@example.org"):
        database.write(lambda session, to=to: sender.add(session, to, "S", "T"))  # type: ignore[misc]
    assert sender.forget(TO.upper()) == 1  # in the folder an address is compared as it was written
    assert sender.forget(TO) == 1
    assert sender.waiting().messages == 1


def test_a_bad_address_is_refused_before_it_waits(database: Database, clock: FrozenClock, tmp_path: Path) -> None:
    sender = mailer(database, tmp_path.as_uri(), clock)
    with pytest.raises(ValueError, match="address"):
        sender.send("two@example.org, three@example.org", "S", "T")
    assert sender.waiting().messages == 0


def test_a_silent_server_blocks_nobody(database: Database, clock: FrozenClock) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        sender = Mailer(database, f"smtp://127.0.0.1:{silent.getsockname()[1]}", sender=FROM, clock=clock, timeout=5)
        began = time.monotonic()
        sender.send(TO, "S", "T")
        assert time.monotonic() - began < 3  # it waits for the database alone
        sender.close(0.1)
    assert sender.waiting().messages == 1


def test_a_forked_process_sends_its_own_mail(database: Database, clock: FrozenClock) -> None:
    inbox = Inbox()
    with server(inbox) as place:
        sender = mailer(database, f"smtp://{place}", clock)
        sender.send(TO, "parent", "T")
        wait(lambda: not sender.waiting().messages)
        child = os.fork()
        if child == 0:
            try:
                sender.send(TO, "child", "T")
                deadline = time.monotonic() + 60
                while sender.waiting().messages and time.monotonic() < deadline:
                    time.sleep(0.02)
            finally:
                os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        sender.close()
    assert len(inbox.messages) == 2


def test_the_oldest_that_waits_is_told(database: Database, clock: FrozenClock) -> None:
    sender = mailer(database, f"smtp://127.0.0.1:{free_port()}", clock)
    began = clock()
    for _ in range(2):
        database.write(lambda session: sender.add(session, TO, "S", "T"))
        clock.advance(timedelta(hours=1).total_seconds())
    assert (sender.waiting().messages, sender.waiting().oldest) == (2, began)
