"""API keys."""

from __future__ import annotations

import time

import pytest

from service.answers.participants import KeyAnswer
from service.campaign import Campaign
from service.ids import secret_digest
from service.mail import Mailer
from service.participants import Participants
from service.problems import InvalidRequest, NotFound
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
    remembered.put(secret_digest(secret), key, generation)
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
