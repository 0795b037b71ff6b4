"""The people of the desk: who they are, who they are no longer, and what the log says of them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import update

from service.campaign import Campaign
from service.mail import Mailer
from service.participants import Participants
from service.problems import InvalidRequest, NotFound
from service.store import Database, tables

from ..conftest import FrozenClock
from .conftest import BASE, Make, Outbox
from .facts import entries, everything

FIRST = "staff@example.org"


def _signed_in(people: Participants, address: str) -> str:
    secret = people.sign_in.issue_url(address).rpartition("/")[2]
    return str(people.sign_in.confirm(secret).session)


def test_whom_the_settings_name_has_one_id_for_all_that_they_do(people: Participants, database: Database) -> None:
    session = people.sign_in.session(_signed_in(people, FIRST))
    assert session is not None
    first, second = people.staff.list()
    assert [first.email, second.email] == [FIRST, "both@example.org"]
    assert session.by == f"staff:{first.id}"
    keys = [people.api_keys.create("staff", name=name, by=session.by) for name in ("one", "two")]
    for key, secret in keys:
        found = people.api_keys.authenticate(secret)
        assert found is not None
        assert (found.id, found.by) == (key.id, session.by), "two keys of a person are one person"
    other, _ = people.api_keys.create("staff", staff=second.id, by=session.by)
    assert other.by == f"staff:{second.id}"
    made = entries(database, "key.created")
    assert [(entry["staff"], entry["by"]) for entry in made[:1]] == [(first.id, session.by)]
    assert [entry["staff"] for entry in entries(database, "staff.added")] == [first.id, second.id]


def test_adding_naming_and_bringing_back(people: Participants, database: Database) -> None:
    added = people.staff.add("Kim@Example.org", name="Kim Example", teams=["logo", "logo", "legal"], by="staff:cli")
    assert (added.email, added.label, added.teams) == ("kim@example.org", "Kim Example", ("logo", "legal"))
    again = people.staff.add("kim@example.org", name="Kim E.", by="staff:cli")
    assert (again.id, again.label, again.teams) == (added.id, "Kim E.", ("logo", "legal"))
    assert people.staff.get(added.id) == again
    people.staff.remove(added.id, by="staff:cli")
    people.staff.remove(added.id, by="staff:cli")
    assert people.staff.names()[added.id] == "Kim E.", "what a person did before keeps the name"
    with pytest.raises(NotFound):
        people.staff.get(added.id)
    assert people.staff.add("kim@example.org", by="staff:cli").id == added.id
    with database.read() as session:
        kinds = [row.kind for row in session.query(tables.LedgerEntry).order_by(tables.LedgerEntry.seq)]
    assert kinds == ["staff.added", "staff.removed", "staff.added"]
    with database.read() as session:
        bodies = " ".join(row.body for row in session.query(tables.LedgerEntry))
    assert "kim" not in bodies.lower()


def test_removing_ends_sessions_and_keys(people: Participants, database: Database, outbox: Outbox) -> None:
    person = people.staff.add("kim@example.org", by="staff:cli")
    session = _signed_in(people, "kim@example.org")
    key, secret = people.api_keys.create("staff", staff=person.id, by="staff:cli")
    assert people.api_keys.authenticate(secret)
    _, ended = people.staff.remove(person.id, by="staff:cli")
    people.api_keys.forget()
    assert ended == 1
    assert people.sign_in.session(session) is None
    assert people.api_keys.authenticate(secret) is None
    (revoked,) = (one.revoked for one in people.api_keys.list() if one.id == key.id)
    assert revoked is not None
    assert revoked.by == "staff:cli"
    people.sign_in.request_link("kim@example.org")
    assert outbox.to("kim@example.org") == []
    assert entries(database, "key.revoked")[0]["staff"] == person.id


def test_a_person_of_the_settings_who_was_removed_is_staff_no_more(people: Participants) -> None:
    first = people.staff.list()[0]
    people.staff.remove(first.id, by="staff:cli")
    assert [one.email for one in people.staff.list()] == ["both@example.org"]
    assert people.staff.addresses() == ("both@example.org",)
    with pytest.raises(InvalidRequest):
        people.sign_in.issue_url(FIRST)


def test_who_leaves_the_settings_acts_no_more_unless_added(
    people: Participants, database: Database, campaign: Campaign, clock: FrozenClock, outbox: Outbox
) -> None:
    both = people.staff.list()[1]
    _, secret = people.api_keys.create("staff", by="staff:cli")
    _, kept = people.api_keys.create("staff", staff=both.id, by="staff:cli")
    people.staff.add("both@example.org", by="staff:cli")
    mailer = Mailer(database, outbox.folder.as_uri(), sender="c@example.org")
    restarted = Participants(database, campaign, clock, mailer, BASE)
    assert restarted.api_keys.authenticate(secret) is None
    assert restarted.api_keys.authenticate(kept) is not None
    assert restarted.staff.addresses() == ("both@example.org",)


def test_a_key_of_before_is_the_first_persons_from_now_on(people: Participants, database: Database) -> None:
    _, secret = people.api_keys.create("staff", by="staff:cli")
    database.write(lambda session: session.execute(update(tables.ApiKey).values(staff=None)))
    found = people.api_keys.authenticate(secret)
    assert found is not None
    assert found.by == f"staff:{people.staff.list()[0].id}"


def test_without_any_staff_there_is_no_key_of_theirs(
    database: Database, campaign: Campaign, clock: FrozenClock, mailer: Mailer
) -> None:
    nobody = Participants(database, campaign, clock, mailer, BASE)
    for staff in (None, "stf_nobody"):
        with pytest.raises(InvalidRequest) as caught:
            nobody.api_keys.create("staff", staff=staff, by="staff:cli")
        assert [error.pointer for error in caught.value.errors] == ["/staff"]
    with pytest.raises(InvalidRequest):
        nobody.api_keys.create("portal", staff="stf_x", by="staff:cli")
    added = nobody.staff.add("kim@localhost", by="staff:cli")
    key, _ = nobody.api_keys.create("staff", by="staff:cli")
    assert key.staff == added.id


@pytest.mark.parametrize(
    ("address", "name", "team", "pointers"),
    [("nobody", "", "logo", ["/email"]), ("a@example.org", "a\nb", "Two words", ["/name", "/team"])],
)
def test_a_person_who_cannot_be(people: Participants, address: str, name: str, team: str, pointers: list[str]) -> None:
    with pytest.raises(InvalidRequest) as caught:
        people.staff.add(address, name=name, teams=[team], by="staff:cli")
    assert [error.pointer for error in caught.value.errors] == pointers


def test_many_at_once_make_one_person(people: Participants, database: Database) -> None:
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda _: people.staff.add("kim@example.org", by="staff:cli").id, range(4)))
    assert len(set(made)) == 1
    assert len(entries(database, "staff.added")) == 1


def test_decisions_and_revocations_say_who_and_why(
    people: Participants, application: Make, portal: str, database: Database
) -> None:
    by = f"staff:{people.staff.list()[0].id}"
    joined = people.joining.join(application(), via=portal)
    assert joined.decided_by == "rule"
    declined = people.decisions.decide(joined.id, "declined", reason="Not ours.", by=by)
    suspended = people.decisions.decide(joined.id, "suspended", reason="Looked into.", by="staff:stf_other")
    assert (declined.decided_by, suspended.decided_by) == (by, by), "a suspension leaves the decision as it is"
    assert [one.by for one in people.decisions.of(joined.id)] == ["staff:stf_other", by, "rule"]
    key, _ = people.api_keys.create("partner", participant=joined.id, by=by)
    people.api_keys.revoke(key.id, by=by, reason=" Lost in a train. ")
    (found,) = people.api_keys.list(participant=joined.id)
    assert found.revoked is not None
    assert (found.revoked.by, found.revoked.reason) == (by, "Lost in a train.")
    assert "train" not in " ".join(map(str, entries(database, "key.revoked")))
    with pytest.raises(InvalidRequest):
        people.api_keys.revoke(key.id, by=by, reason="x" * 4001)
    assert "train" in everything(database)
