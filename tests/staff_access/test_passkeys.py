"""Passkeys of staff: only the right answer to a fresh challenge counts, and two colleagues give a lost way back."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from service.problems import Conflict, Forbidden, NotFound, PasskeyRefused
from service.staff_access import RelyingParty
from service.store import tables
from tests.mail.conftest import read
from tests.parts.authenticator import PRESENT, Authenticator
from tests.web.visitor import Visitor

if TYPE_CHECKING:
    from flask import Flask

    from service.deployment import Deployment
    from tests.conftest import FrozenClock

ORIGIN = "http://localhost:8000"  # where the tests' deployment at 127.0.0.1 has its passkeys


@pytest.fixture
def emblem(app: Flask) -> Deployment:
    found: Deployment = app.extensions["emblem"]
    for number in range(3):
        found.participants.staff.add(f"colleague{number}@example.org", by="staff:cli")
    return found


@pytest.fixture
def person(emblem: Deployment) -> str:
    return emblem.participants.staff.list()[0].id


@pytest.fixture
def authenticator(emblem: Deployment, person: str) -> Authenticator:
    """One whose passkey the person has added."""
    made = Authenticator(ORIGIN)
    emblem.passkeys.add(person, made.make(emblem.passkeys.offer(person, "Staff")), name="Laptop", keep="")
    return made


def enter(emblem: Deployment, credential: str) -> str:
    done = emblem.passkeys.sign_in(credential, language="en")
    assert done.session is not None
    session = emblem.participants.sign_in.session(done.session)
    assert session is not None
    return str(session.staff)


@pytest.mark.parametrize(
    ("base_url", "party"),
    [
        ("https://logo.example.org", ("logo.example.org", "https://logo.example.org")),
        ("https://logo.example.org:8443", ("logo.example.org", "https://logo.example.org:8443")),
        ("http://127.0.0.1:8000", ("localhost", "http://localhost:8000")),
        ("http://[::1]:8000", ("localhost", "http://localhost:8000")),
        ("http://localhost:8000", ("localhost", "http://localhost:8000")),
        ("http://logo.example.org", None),
        ("https://192.0.2.7", None),
        ("http://192.0.2.7:8000", None),
    ],
)
def test_for_which_host_passkeys_are_made(base_url: str, party: tuple[str, str] | None) -> None:
    found = RelyingParty.of(base_url)
    assert (None if found is None else (found.id, found.origin)) == party


def test_discoverable_credentials_and_verification_are_asked_for(emblem: Deployment, person: str) -> None:
    asked = json.loads(emblem.passkeys.offer(person, "Staff"))
    wanted = {"residentKey": "required", "requireResidentKey": True, "userVerification": "required"}
    assert asked["authenticatorSelection"] == wanted
    assert asked["rp"]["id"] == "localhost"
    used = json.loads(emblem.passkeys.ask())
    assert used["userVerification"] == "required"
    assert not used.get("allowCredentials")


def test_a_passkey_signs_in_whose_it_is(emblem: Deployment, person: str, authenticator: Authenticator) -> None:
    assert enter(emblem, authenticator.use(emblem.passkeys.ask())) == person
    (mine,) = emblem.passkeys.of(person)
    assert (mine.name, mine.last_used_at) == ("Laptop", emblem.clock())
    asked = json.loads(emblem.passkeys.offer(person, "Staff"))
    assert len(asked["excludeCredentials"]) == 1


def _of_another(emblem: Deployment, authenticator: Authenticator) -> str:
    other = Authenticator(ORIGIN, id=authenticator.id, user=authenticator.user)  # its id, and not its key
    return other.use(emblem.passkeys.ask())


def _unverified(emblem: Deployment, authenticator: Authenticator) -> str:
    authenticator.flags = PRESENT
    return authenticator.use(emblem.passkeys.ask())


def _another_handle(emblem: Deployment, authenticator: Authenticator) -> str:
    authenticator.user = emblem.participants.staff.list()[1].id.encode()
    return authenticator.use(emblem.passkeys.ask())


def _of_another_party(emblem: Deployment, authenticator: Authenticator) -> str:
    asked = json.loads(emblem.passkeys.ask()) | {"rpId": "localhost.evil.example"}
    return authenticator.use(json.dumps(asked))


def _removed_meanwhile(emblem: Deployment, authenticator: Authenticator) -> str:
    answer, person = authenticator.use(emblem.passkeys.ask()), emblem.participants.staff.list()[0].id
    emblem.passkeys.remove(person, emblem.passkeys.of(person)[0].id)
    return answer


def _counted_back(emblem: Deployment, authenticator: Authenticator) -> str:
    authenticator.count = 7
    enter(emblem, authenticator.use(emblem.passkeys.ask()))
    authenticator.count = 6  # as a copy of it would
    return authenticator.use(emblem.passkeys.ask())


WRONG: dict[str, Callable[[Deployment, Authenticator], str]] = {
    "another origin": lambda emblem, one: one.use(emblem.passkeys.ask(), origin="http://localhost:8001"),
    "the bare address": lambda emblem, one: one.use(emblem.passkeys.ask(), origin="http://127.0.0.1:8000"),
    "another party": _of_another_party,
    "a frame of another origin": lambda emblem, one: one.use(emblem.passkeys.ask(), crossOrigin=True),
    "removed meanwhile": _removed_meanwhile,
    "a challenge of nobody": lambda emblem, one: one.use(emblem.passkeys.ask(), challenge="A" * 43),
    "another ceremony": lambda emblem, one: one.use(emblem.passkeys.ask(), type="webauthn.create"),
    "a key of another": _of_another,
    "no verification": _unverified,
    "another's handle": _another_handle,
    "a counter that went back": _counted_back,
    "unknown": lambda emblem, _: Authenticator(ORIGIN, user=b"stf_x").use(emblem.passkeys.ask()),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_answer_signs_nobody_in(emblem: Deployment, authenticator: Authenticator, what: str) -> None:
    credential = WRONG[what](emblem, authenticator)
    with pytest.raises(PasskeyRefused):
        emblem.passkeys.sign_in(credential, language="en")


@pytest.mark.parametrize("sent", ["", "[]", "{", '{"response": []}', '{"rawId": "é"}', "x" * 20_001, "[" * 10_000])
def test_what_is_no_answer_is_refused(emblem: Deployment, person: str, sent: str) -> None:
    with pytest.raises(PasskeyRefused):
        emblem.passkeys.sign_in(sent, language="en")
    with pytest.raises(PasskeyRefused):
        emblem.passkeys.add(person, sent, name="", keep="")


def test_a_challenge_is_good_once_for_its_purpose_and_for_minutes(
    emblem: Deployment, person: str, authenticator: Authenticator, clock: FrozenClock
) -> None:
    used = authenticator.use(emblem.passkeys.ask())
    enter(emblem, used)
    late = authenticator.use(emblem.passkeys.ask())
    clock.advance(300)
    others = Authenticator(ORIGIN).make(emblem.passkeys.offer(emblem.participants.staff.list()[1].id, "Another"))
    for refused in (used, late):
        with pytest.raises(PasskeyRefused):
            emblem.passkeys.sign_in(refused, language="en")
    with pytest.raises(PasskeyRefused):
        emblem.passkeys.add(person, others, name="", keep="")
    emblem.passkeys.purge()
    with emblem.database.read() as session:
        waiting = session.query(tables.PasskeyChallenge).count()
    assert waiting == 1


def test_a_new_passkey_needs_verification_and_our_origin(emblem: Deployment, person: str) -> None:
    for wrong in (Authenticator(ORIGIN, flags=PRESENT), Authenticator("https://evil.example")):
        with pytest.raises(PasskeyRefused):
            emblem.passkeys.add(person, wrong.make(emblem.passkeys.offer(person, "Staff")), name="", keep="")
    assert emblem.passkeys.of(person) == ()


def test_a_passkey_of_an_id_that_is_known_is_not_taken_from_anybody(
    emblem: Deployment, person: str, authenticator: Authenticator
) -> None:
    other = emblem.participants.staff.list()[1].id
    thief = Authenticator(ORIGIN, id=authenticator.id)
    for who, one in ((other, thief), (person, thief)):
        with pytest.raises(PasskeyRefused):
            emblem.passkeys.add(who, one.make(emblem.passkeys.offer(who, "Staff")), name="", keep="")
    assert emblem.passkeys.of(other) == ()
    assert enter(emblem, authenticator.use(emblem.passkeys.ask())) == person


def test_a_passkey_is_made_for_the_challenge_that_was_offered(emblem: Deployment, person: str) -> None:
    offered = json.loads(emblem.passkeys.offer(person, "Staff"))
    offered["challenge"] = json.loads(emblem.passkeys.ask())["challenge"]  # one to sign in with
    with pytest.raises(PasskeyRefused):
        emblem.passkeys.add(person, Authenticator(ORIGIN).make(json.dumps(offered)), name="", keep="")


def test_of_one_answer_sent_many_times_at_once_one_signs_in(emblem: Deployment, authenticator: Authenticator) -> None:
    answer = authenticator.use(emblem.passkeys.ask())

    def signs_in(_number: int) -> bool:
        try:
            return bool(emblem.passkeys.sign_in(answer, language="en").session)
        except PasskeyRefused:
            return False

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(signs_in, range(8))) == 1


def test_whoever_has_one_needs_one(app: Flask, emblem: Deployment, person: str) -> None:
    before, elsewhere = Visitor(app), Visitor(app)
    before.sign_in_as_staff()
    elsewhere.sign_in_as_staff()
    before.get("/staff/passkeys")
    made = Authenticator(ORIGIN)
    before.client.post("/staff/passkeys/options")
    options = before.client.post("/staff/passkeys/options").text
    before.post("/staff/passkeys", {"credential": made.make(options), "name": "Key"})
    before.get("/staff")
    elsewhere.get("/staff", status=401)  # what a mailbox had opened has ended
    mailed = Visitor(app)
    path = emblem.participants.sign_in.issue_url("staff@example.org").partition(":8000")[2]
    mailed.get(path)
    assert mailed.post(path, {}).headers["Location"] == "/en/sign-in/passkey"
    mailed.get("/staff", status=401)
    options = mailed.client.post("/en/sign-in/passkey/options").text
    assert mailed.post("/en/sign-in/passkey", {"credential": made.use(options)}).headers["Location"] == "/staff"
    assert "Key" in mailed.get("/staff/passkeys").text
    mailed.post(f"/staff/passkeys/{emblem.passkeys.of(person)[0].id}/removal", {})
    assert emblem.passkeys.of(person) == ()


def test_two_colleagues_give_a_lost_way_back(emblem: Deployment, person: str, authenticator: Authenticator) -> None:
    first, second = (one.id for one in emblem.participants.staff.list()[1:3])
    answer = authenticator.use(emblem.passkeys.ask())
    with pytest.raises(Forbidden):
        emblem.passkeys.agree_to_recovery(person, by=person)
    with pytest.raises(NotFound):
        emblem.passkeys.agree_to_recovery(second, by=first)  # has none
    assert not emblem.passkeys.agree_to_recovery(person, by=first)
    assert not emblem.passkeys.agree_to_recovery(person, by=first)  # the same one again
    assert emblem.passkeys.waiting() == {person: first}
    assert emblem.passkeys.agree_to_recovery(person, by=second)
    assert emblem.passkeys.of(person) == ()
    assert emblem.passkeys.waiting() == {}
    with pytest.raises(PasskeyRefused):
        emblem.passkeys.sign_in(answer, language="en")
    path = emblem.participants.sign_in.issue_url("staff@example.org")
    assert emblem.participants.sign_in.confirm(path.rpartition("/")[2]).session


def test_the_word_of_a_colleague_holds_for_a_day_and_while_they_are_staff(
    emblem: Deployment, person: str, authenticator: Authenticator, clock: FrozenClock
) -> None:
    first, second, third = (one.id for one in emblem.participants.staff.list()[1:4])
    emblem.passkeys.agree_to_recovery(person, by=first)
    clock.advance(24 * 3600)
    assert not emblem.passkeys.agree_to_recovery(person, by=second)
    emblem.participants.staff.remove(second, by="staff:cli")
    assert not emblem.passkeys.agree_to_recovery(person, by=third)
    assert emblem.passkeys.of(person)


def test_whoever_uses_a_passkey_has_not_lost_it_whatever_a_colleague_said(
    emblem: Deployment, person: str, authenticator: Authenticator
) -> None:
    first, second = (one.id for one in emblem.participants.staff.list()[1:3])
    emblem.passkeys.agree_to_recovery(person, by=first)
    enter(emblem, authenticator.use(emblem.passkeys.ask()))
    assert emblem.passkeys.waiting() == {}
    assert not emblem.passkeys.agree_to_recovery(person, by=second)
    assert emblem.passkeys.of(person)


def test_the_operator_gives_a_way_back_and_whoever_leaves_has_none(
    emblem: Deployment, person: str, authenticator: Authenticator
) -> None:
    assert emblem.passkeys.recover(person, by="staff:cli") == 1
    assert emblem.passkeys.recover(person, by="staff:cli") == 0
    with pytest.raises(NotFound):
        emblem.passkeys.recover("stf_nobody", by="staff:cli")
    other = emblem.participants.staff.list()[1].id
    theirs = Authenticator(ORIGIN)
    emblem.passkeys.add(other, theirs.make(emblem.passkeys.offer(other, "Another")), name="", keep="")
    assert enter(emblem, theirs.use(emblem.passkeys.ask())) == other
    emblem.participants.staff.remove(other, by="staff:cli")
    for _ in range(2):
        with pytest.raises(PasskeyRefused):
            emblem.passkeys.sign_in(theirs.use(emblem.passkeys.ask()), language="en")
        emblem.participants.staff.add("colleague0@example.org", by="staff:cli")  # comes back, and it stays gone


def test_there_are_not_too_many(emblem: Deployment, person: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.staff_access.passkeys.MOST", 1)
    for expected in (None, Conflict):
        credential = Authenticator(ORIGIN).make(emblem.passkeys.offer(person, "Staff"))
        if expected is None:
            emblem.passkeys.add(person, credential, name="", keep="")
        else:
            with pytest.raises(expected):
                emblem.passkeys.add(person, credential, name="", keep="")


def mailed(emblem: Deployment, to: str) -> list[str]:
    """The subjects of the mails to a person, without the campaign's name, oldest first."""
    assert emblem.mailer.folder is not None
    found = [read(file) for file in sorted(emblem.mailer.folder.glob("*.eml"))]
    return [str(one["Subject"]).partition(": ")[2] for one in found if one["To"] == to]


def test_a_person_is_mailed_what_becomes_of_their_passkeys(
    emblem: Deployment, person: str, authenticator: Authenticator
) -> None:
    to = emblem.participants.staff.get(person).email
    assert mailed(emblem, to) == ["a passkey was added"]
    emblem.passkeys.remove(person, emblem.passkeys.of(person)[0].id)
    assert mailed(emblem, to)[1:] == ["a passkey was removed"]
    with pytest.raises(PasskeyRefused):  # nothing was added, and nothing is told
        emblem.passkeys.add(person, authenticator.use(emblem.passkeys.ask()), name="", keep="")
    other = Authenticator(ORIGIN)
    emblem.passkeys.add(person, other.make(emblem.passkeys.offer(person, "Staff")), name="", keep="", language="fr")
    assert mailed(emblem, to)[2:] == ["une clé d’accès a été ajoutée"]
    first, second = (one.id for one in emblem.participants.staff.list()[1:3])
    for _ in range(2):  # who says it twice is told of once
        assert not emblem.passkeys.agree_to_recovery(person, by=first)
    assert mailed(emblem, to)[3:] == ["a colleague says that your passkeys are lost"]
    assert emblem.passkeys.agree_to_recovery(person, by=second)
    assert mailed(emblem, to)[4:] == ["your passkeys were removed"]
    assert emblem.passkeys.recover(person, by="staff:cli") == 0
    assert len(mailed(emblem, to)) == 5
    assert mailed(emblem, emblem.participants.staff.get(first).email) == []
