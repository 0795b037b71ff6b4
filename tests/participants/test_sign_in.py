"""Signing in by mail."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import func, select

from service.campaign import Campaign
from service.mail import Mailer
from service.participants import Participants
from service.problems import InvalidRequest, InvalidSignIn
from service.store import Database, tables

from ..conftest import FrozenClock
from .conftest import BASE, Make, Outbox
from .facts import everything


def test_looking_at_the_link_signs_nobody_in_and_uses_nothing_up(
    people: Participants, outbox: Outbox, database: Database
) -> None:
    people.sign_in.request_link("Staff@Example.org", "fr")
    secret = outbox.secret("staff@example.org", "sign-in")
    for _ in range(5):
        found = people.sign_in.peek(secret)
    assert (found.purpose, found.email, found.language) == ("sign-in", "staff@example.org", "fr")
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(tables.SignInSession)) == 0
    assert people.sign_in.confirm(secret).role == "staff"


def test_the_button_works_once(people: Participants, outbox: Outbox, database: Database) -> None:
    people.sign_in.request_link("staff@example.org")
    secret = outbox.secret("staff@example.org", "sign-in")
    confirmed = people.sign_in.confirm(secret)
    assert confirmed.session is not None
    assert (confirmed.role, confirmed.seconds) == ("staff", 12 * 3600)
    signed_in = people.sign_in.session(confirmed.session)
    assert signed_in is not None
    assert (signed_in.email, signed_in.role, signed_in.participant) == ("staff@example.org", "staff", None)
    for use in (people.sign_in.peek, people.sign_in.confirm):
        with pytest.raises(InvalidSignIn):
            use(secret)
    stored = everything(database)
    assert secret not in stored
    assert confirmed.session not in stored


def test_of_two_buttons_at_once_one_works(people: Participants, outbox: Outbox) -> None:
    people.sign_in.request_link("staff@example.org")
    secret = outbox.secret("staff@example.org", "sign-in")
    barrier = threading.Barrier(5)
    outcomes: list[bool] = []

    def press() -> None:
        barrier.wait()
        try:
            people.sign_in.confirm(secret)
            outcomes.append(True)
        except InvalidSignIn:
            outcomes.append(False)

    threads = [threading.Thread(target=press) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == [False] * 4 + [True]


def test_the_link_lives_ten_minutes(people: Participants, outbox: Outbox, clock: FrozenClock) -> None:
    people.sign_in.request_link("staff@example.org")
    secret = outbox.secret("staff@example.org", "sign-in")
    clock.advance(10 * 60 - 1)
    people.sign_in.peek(secret)
    clock.advance(1)
    for use in (people.sign_in.peek, people.sign_in.confirm):
        with pytest.raises(InvalidSignIn):
            use(secret)


@pytest.mark.parametrize("secret", ["", "x", "x" * 10_000, "\ud800"])
def test_other_secrets_sign_nobody_in(people: Participants, secret: str) -> None:
    for use in (people.sign_in.peek, people.sign_in.confirm):
        with pytest.raises(InvalidSignIn):
            use(secret)
    assert people.sign_in.session(secret) is None


def test_an_unknown_address_gets_the_same_answer_and_no_mail(
    people: Participants, outbox: Outbox, database: Database
) -> None:
    people.sign_in.request_link("stranger@example.org")
    assert outbox.all() == []
    assert "stranger" not in everything(database)


@pytest.mark.parametrize("address", ["staff@example.org", "stranger@example.org"])
def test_what_is_found_does_not_show_in_the_time(
    people: Participants, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    waited: list[float] = []
    monkeypatch.setattr("service.even_time.time.sleep", waited.append)
    people.sign_in.request_link(address)
    assert len(waited) == 1


@pytest.mark.parametrize("email", ["", "nobody", "a@b@c", "a b@example.org", "a@example.org\nBcc: b@example.org"])
def test_what_is_no_address(people: Participants, email: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        people.sign_in.request_link(email)
    assert [error.pointer for error in caught.value.errors] == ["/email"]


def test_roles(people: Participants, application: Make, portal: str, outbox: Outbox) -> None:
    """Staff, auditors and participants each sign in as what they are; staff who joined are staff."""
    joined = people.joining.join(application(), via=portal)
    both = people.joining.join(application(email="both@example.org"), via=portal)
    expected = {
        str(joined.email): ("participant", joined.id, 30 * 86400),
        "both@example.org": ("staff", both.id, 12 * 3600),
        "auditor@localhost": ("auditor", None, 12 * 3600),
    }
    for address, found in expected.items():
        people.sign_in.request_link(address)
        confirmed = people.sign_in.confirm(outbox.secret(address, "sign-in"))
        assert (confirmed.role, confirmed.participant, confirmed.seconds) == found


def test_a_participant_signed_in_acts_for_itself_alone(
    people: Participants, application: Make, portal: str, outbox: Outbox
) -> None:
    joined, other = (people.joining.join(application(), via=portal) for _ in range(2))
    people.sign_in.request_link(str(joined.email))
    session = people.sign_in.session(str(people.sign_in.confirm(outbox.secret(str(joined.email), "sign-in")).session))
    assert session is not None
    assert people.access.may_act(session, joined.id)
    assert not people.access.may_see(session, other.id)


def test_a_session_ends_by_time_and_by_signing_out(people: Participants, clock: FrozenClock) -> None:
    first, second = (
        str(people.sign_in.confirm(people.sign_in.issue_url("staff@example.org").rpartition("/")[2]).session)
        for _ in range(2)
    )
    people.sign_in.sign_out(first)
    people.sign_in.sign_out("no session")
    assert people.sign_in.session(first) is None
    assert people.sign_in.session(second) is not None
    clock.advance(12 * 3600)
    assert people.sign_in.session(second) is None
    assert people.sign_in.purge() >= 1


def test_who_is_staff_no_longer_is_signed_out(
    people: Participants, database: Database, campaign: Campaign, clock: FrozenClock, outbox: Outbox
) -> None:
    secret = str(people.sign_in.confirm(people.sign_in.issue_url("staff@example.org").rpartition("/")[2]).session)
    assert people.sign_in.session(secret)
    mailer = Mailer(database, outbox.folder.as_uri(), sender="c@example.org")
    restarted = Participants(database, campaign, clock, mailer, BASE, staff=("new@example.org",))
    assert restarted.sign_in.session(secret) is None


def test_an_operators_link_works_once_within_a_day(people: Participants, clock: FrozenClock) -> None:
    url = people.sign_in.issue_url("auditor@localhost")
    assert url.startswith(f"{BASE}/en/sign-in/")
    clock.advance(24 * 3600 - 1)
    assert people.sign_in.confirm(url.rpartition("/")[2]).role == "auditor"
    with pytest.raises(InvalidSignIn):
        people.sign_in.confirm(url.rpartition("/")[2])
    with pytest.raises(InvalidRequest):
        people.sign_in.issue_url("stranger@example.org")
