"""API keys."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest

from service.answers.participants import KeyAnswer
from service.campaign import Campaign
from service.ids import secret_digest
from service.mail import Mailer
from service.participants import Participants, Scope
from service.participants.api_keys import _KnownKey
from service.problems import Conflict, InvalidRequest, NotFound
from service.store import Database

from ..conftest import FrozenClock
from .conftest import BASE, Make, Outbox
from .facts import entries, everything


def test_a_key_is_known_by_its_secret_of_which_only_the_hash_is_kept(people: Participants, database: Database) -> None:
    key, secret = people.api_keys.create("auditor", name="Court of audit", by="staff")
    assert key.id.startswith("key_")
    assert secret.startswith("emb_")
    assert people.api_keys.authenticate(secret) == key
    assert secret not in everything(database)
    assert KeyAnswer.of(people.api_keys.list()[0]).as_json()["name"] == "Court of audit"
    (entry,) = entries(database, "key.created")
    assert (entry["key"], entry["role"], entry["participant"]) == (key.id, "auditor", None)


@pytest.mark.parametrize("secret", ["", "emb_", "emb_no-such-key", "key_x", "emb_" + "x" * 5000, "emb_\ud800"])
def test_other_secrets_are_nobodys(people: Participants, secret: str) -> None:
    people.api_keys.create("staff", by="staff")
    assert people.api_keys.authenticate(secret) is None


def test_revoking_is_in_force_at_once_in_this_process(people: Participants, database: Database) -> None:
    key, secret = people.api_keys.create("portal", by="staff")
    assert people.api_keys.authenticate(secret)
    people.api_keys.revoke(key.id, by="staff")
    assert people.api_keys.authenticate(secret) is None
    people.api_keys.revoke(key.id, by="staff")
    assert [entry["key"] for entry in entries(database, "key.revoked")] == [key.id]
    assert people.api_keys.list()[0].revoked_at is not None
    with pytest.raises(NotFound):
        people.api_keys.revoke("key_nobody", by="staff")


def test_revoking_is_in_force_in_other_processes_within_seconds(
    people: Participants,
    database: Database,
    campaign: Campaign,
    clock: FrozenClock,
    outbox: Outbox,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    mailer = Mailer(database, outbox.folder.as_uri(), sender="c@example.org")
    other = Participants(database, campaign, clock, mailer, BASE)
    key, secret = people.api_keys.create("portal", by="staff")
    assert other.api_keys.authenticate(secret)
    people.api_keys.revoke(key.id, by="staff")
    now[0] += 5
    assert other.api_keys.authenticate(secret) is None


def test_a_reader_slower_than_a_revocation_does_not_bring_the_key_back(people: Participants) -> None:
    key, secret = people.api_keys.create("portal", by="staff")
    remembered = people.api_keys._remembered
    generation = remembered.generation
    people.api_keys.revoke(key.id, by="staff")
    remembered.put(secret_digest(secret), _KnownKey(key, None), generation)
    assert people.api_keys.authenticate(secret) is None


def test_a_partners_key_belongs_to_its_participant(people: Participants, application: Make, portal: str) -> None:
    joined = people.joining.join(application(), via=portal)
    key, secret = people.api_keys.create("partner", participant=joined.id, by="staff")
    found = people.api_keys.authenticate(secret)
    assert found is not None
    assert (found.id, found.role, found.participant) == (key.id, "partner", joined.id)


@pytest.mark.parametrize(
    ("role", "participant", "name", "pointer"),
    [
        ("root", None, "", "/role"),
        ("partner", None, "", "/participant"),
        ("partner", "par_nobody", "", "/participant"),
        ("staff", "par_nobody", "", "/participant"),
        ("staff", None, "a\nb", "/name"),
    ],
)
def test_a_key_that_cannot_be(
    people: Participants, role: str, participant: str | None, name: str, pointer: str
) -> None:
    with pytest.raises(InvalidRequest) as caught:
        people.api_keys.create(role, participant=participant, name=name, by="staff")
    assert [error.pointer for error in caught.value.errors] == [pointer]
    assert people.api_keys.list() == ()


def test_a_key_ends_by_itself_at_its_instant(people: Participants, clock: FrozenClock, database: Database) -> None:
    key, secret = people.api_keys.create("portal", life=timedelta(days=7), by="staff")
    assert key.expires_at == clock() + timedelta(days=7)
    assert people.api_keys.authenticate(secret) == key  # from now on it is remembered
    clock.advance(7 * 86400 - 1)
    assert people.api_keys.authenticate(secret) == key
    clock.advance(1)
    assert people.api_keys.authenticate(secret) is None
    people.api_keys.forget()
    assert people.api_keys.authenticate(secret) is None
    (entry,) = entries(database, "key.created")
    assert entry["expires_at"] == "2026-12-02T12:00:00.000000Z"


@pytest.mark.parametrize("life", [timedelta(0), timedelta(seconds=59), timedelta(days=-1), timedelta(days=3661)])
def test_a_life_that_cannot_be(people: Participants, life: timedelta) -> None:
    key, _ = people.api_keys.create("portal", by="staff")
    with pytest.raises(InvalidRequest) as made:
        people.api_keys.create("portal", life=life, by="staff")
    with pytest.raises(InvalidRequest) as rotated:
        people.api_keys.rotate(key.id, life=life, by="staff")
    assert [error.pointer for caught in (made, rotated) for error in caught.value.errors] == ["/expires_in"] * 2


def test_a_new_secret_and_the_one_of_before_overlap(
    people: Participants, clock: FrozenClock, database: Database
) -> None:
    key, first = people.api_keys.create("portal", name="site", scope=Scope(package="logo"), by="staff")
    assert people.api_keys.authenticate(first)
    rotated, second = people.api_keys.rotate(key.id, overlap=timedelta(hours=2), by="staff:stf_x")
    assert (rotated.id, rotated.scope, rotated.previous_until) == (key.id, key.scope, clock() + timedelta(hours=2))
    assert people.api_keys.authenticate(first) == people.api_keys.authenticate(second) == key
    clock.advance(7200)
    assert people.api_keys.authenticate(first) is None
    assert people.api_keys.authenticate(second) == key
    _, third = people.api_keys.rotate(key.id, overlap=timedelta(0), by="staff:stf_x")
    assert people.api_keys.authenticate(second) is None
    assert people.api_keys.authenticate(third) == key
    assert not any(secret in everything(database) for secret in (first, second, third))
    newest = entries(database, "key.rotated")[-1]
    assert (newest["key"], newest["role"], newest["by"]) == (key.id, "portal", "staff:stf_x")
    people.api_keys.revoke(key.id, by="staff")
    assert people.api_keys.authenticate(third) is None
    with pytest.raises(Conflict):
        people.api_keys.rotate(key.id, by="staff")
    with pytest.raises(NotFound):
        people.api_keys.rotate("key_nobody", by="staff")
    with pytest.raises(InvalidRequest):
        people.api_keys.rotate(key.id, overlap=timedelta(days=31), by="staff")


def test_a_second_rotation_ends_the_first_secret_at_once(people: Participants) -> None:
    key, first = people.api_keys.create("portal", by="staff")
    _, second = people.api_keys.rotate(key.id, by="staff")
    _, third = people.api_keys.rotate(key.id, by="staff")
    known = [people.api_keys.authenticate(secret) is not None for secret in (first, second, third)]
    assert known == [False, True, True]


def test_rotating_begins_the_life_of_a_key_anew_and_not_that_of_its_old_secret(
    people: Participants, clock: FrozenClock
) -> None:
    key, first = people.api_keys.create("portal", life=timedelta(days=10), by="staff")
    ends = clock() + timedelta(days=10)
    clock.advance(10 * 86400 - 60)
    rotated, second = people.api_keys.rotate(key.id, by="staff")
    assert (rotated.previous_until, rotated.expires_at) == (ends, clock() + timedelta(days=10))
    clock.advance(60)
    assert people.api_keys.authenticate(first) is None
    assert people.api_keys.authenticate(second)


def test_the_last_use_is_kept_later_and_to_a_minute(people: Participants, clock: FrozenClock) -> None:
    key, secret = people.api_keys.create("portal", by="staff")
    first = clock()
    people.api_keys.authenticate(secret)
    assert people.api_keys.get(key.id).last_used_at is None  # no request waits for a write
    assert people.api_keys.note_uses() == 1
    assert people.api_keys.get(key.id).last_used_at == first
    assert people.api_keys.note_uses() == 0
    clock.advance(59)
    people.api_keys.authenticate(secret)
    people.api_keys.note_uses()
    assert people.api_keys.get(key.id).last_used_at == first
    clock.advance(1)
    people.api_keys.authenticate(secret)
    people.api_keys.note_uses()
    assert people.api_keys.get(key.id).last_used_at == clock()


def test_what_a_key_is_narrowed_to_is_kept_and_logged_without_its_site(
    people: Participants, database: Database
) -> None:
    scope = Scope(read_only=True, package="logo", origin="https://www.example.org")
    key, secret = people.api_keys.create("portal", scope=scope, by="staff")
    found = people.api_keys.authenticate(secret)
    assert found is not None
    assert found.scope == key.scope == scope
    (entry,) = entries(database, "key.created")
    assert entry["scopes"] == ["read", "package:logo", "origin"]
    assert "example" not in str(entry)
    for narrow, pointer in ((Scope(package="logo"), "/package"), (Scope(origin="https://a.example"), "/origin")):
        with pytest.raises(InvalidRequest) as caught:
            people.api_keys.create("auditor", scope=narrow, by="staff")
        assert [error.pointer for error in caught.value.errors] == [pointer]
