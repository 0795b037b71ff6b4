"""Joining by key holders and by the public page."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest
from sqlalchemy import select

from service import ledger
from service.answers.participants import ParticipantAnswer
from service.participants import ApiKeyView, Participants
from service.participants.views import joined_record
from service.problems import AlreadyJoined, InvalidRequest, InvalidSignIn
from service.store import Database, tables

from ..conftest import FrozenClock
from ..parts.mails import text_of
from .conftest import Make, Outbox
from .facts import entries


@pytest.mark.parametrize(
    ("kind", "changes", "outcome", "status"),
    [
        ("individual", {}, "approved", "approved"),
        ("civil_society", {"purposes": ("information", "fundraising")}, "review", "under_review"),
        ("government", {"country": "AT"}, "approved", "approved"),
        ("intergovernmental_organization", {}, "review", "under_review"),
    ],
)
def test_a_rule_decides_and_the_answer_says_why(
    people: Participants, application: Make, portal: str, kind: str, changes: dict[str, Any], outcome: str, status: str
) -> None:
    joined = people.joining.join(application(kind, **changes), via=portal)
    value = ParticipantAnswer.of(joined, "portal").as_json()
    assert (value["status"], value["decision"]["outcome"]) == (status, outcome)
    assert value["decision"]["rule"]
    assert outcome == "approved" or value["decision"]["reasons"]
    assert value["id"].startswith("par_")
    assert value["created_at"] == "2026-11-25T12:00:00.000000Z"


def test_a_refused_statement_declines_with_the_reason_in_the_participants_language(
    people: Participants, application: Make, portal: str
) -> None:
    english, french = (
        people.joining.join(application("individual", {"pledge": False}, language=language), via=portal)
        for language in ("en", "fr")
    )
    assert english.status == french.status == "declined"
    assert english.reasons
    assert french.reasons
    assert english.reasons != french.reasons


def test_joining_is_recorded_without_personal_data_and_bound_by_a_commitment(
    people: Participants, application: Make, portal: str, database: Database
) -> None:
    given = application()
    joined = people.joining.join(given, via=portal)
    (entry,) = entries(database, "participant.joined")
    (decided,) = entries(database, "participant.decided")
    with database.read() as session:
        row = session.get(tables.Participant, joined.id)
        assert row is not None
        assert row.salt is not None
        assert entry["commitment"] == ledger.commitment(row.salt, joined_record(row))
    assert {name: entry[name] for name in ("participant", "participant_kind", "country")} == {
        "participant": joined.id,
        "participant_kind": "civil_society",
        "country": "AT",
    }
    assert (decided["outcome"], decided["rule"], decided["policy"]) == ("approved", joined.rule, joined.policy)
    for text in (given["name"], given["email"], "Quillmarsh"):
        assert text not in json.dumps([entry, decided])


def test_every_mistake_is_named_at_once(people: Participants, application: Make, portal: str) -> None:
    bad = application(
        "individual",
        name="a\nb",
        email="nobody",
        language="de",
        website="ftp://example.org",
        country="ZZ",
        purposes=("information", "information", "fun"),
        answers={"unknown": 1, "pledge": "yes"},
    )
    with pytest.raises(InvalidRequest) as caught:
        people.joining.join(bad, via=portal)
    pointers = {error.pointer for error in caught.value.errors}
    assert pointers >= {"/name", "/email", "/language", "/website", "/country", "/purposes", "/purposes/2"}
    assert pointers >= {"/answers/unknown", "/answers/pledge"}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", " \t "),
        ("name", "x" * 201),
        ("name", "nul\0"),
        ("name", "half \ud800"),
        ("name", "two\u2028lines"),
        ("name", 7),
        ("email", "a@b@example.org"),
        ("email", "a@example.org\nBcc: b@example.org"),
        ("email", "a@" + "x" * 300 + ".org"),
        ("email", "half\ud800@example.org"),
        ("email", None),
        ("kind", "robot"),
        ("purposes", ()),
        ("website", "https://user:pass@example.org/"),
        ("website", "https://example.org/" + "x" * 2000),
    ],
)
def test_a_wrong_field_is_pointed_to_and_nobody_joins(
    people: Participants, application: Make, portal: str, field: str, value: Any
) -> None:
    with pytest.raises(InvalidRequest) as caught:
        people.joining.join(application() | {field: value}, via=portal)
    assert {error.pointer.rpartition("#")[0] or error.pointer for error in caught.value.errors} == {f"/{field}"}
    assert people.listing.list().items == ()


def test_the_address_is_kept_in_lower_case_and_joins_once(people: Participants, application: Make, portal: str) -> None:
    joined = people.joining.join(application(email=" Quill.Upper@Example.ORG "), via=portal)
    assert joined.email == "quill.upper@example.org"
    with pytest.raises(AlreadyJoined) as caught:
        people.joining.join(application(email="QUILL.upper@example.org"), via=portal)
    assert caught.value.extra == {"participant": joined.id}


def test_staff_hear_who_it_is_that_joined_already(people: Participants, application: Make, portal: str) -> None:
    given = application()
    joined = people.joining.join(given, via=portal)
    with pytest.raises(AlreadyJoined) as caught:
        people.joining.join(given, via="staff:key_x")
    assert caught.value.extra == {"participant": joined.id}


def test_another_portal_learns_nothing_until_the_owner_lets_it(
    people: Participants, application: Make, portal: str, outbox: Outbox, clock: FrozenClock
) -> None:
    """ "… else the address is mailed a page where its owner may let this portal act for them"."""
    given = application()
    joined = people.joining.join(given, via=portal)
    other, _ = people.api_keys.create("portal", name="Other page", by="staff")
    for _ in range(3):
        with pytest.raises(AlreadyJoined) as caught:
            people.joining.join(given, via=f"portal:{other.id}")
        assert caught.value.extra == {}
    assert len(outbox.to(given["email"])) == 2  # its decision, and one wish
    assert not people.access.may_act(other, joined.id)
    secret = outbox.secret(given["email"], "grant")
    assert people.sign_in.peek(secret).portal == "Other page"
    assert not people.access.may_act(other, joined.id)
    confirmed = people.sign_in.confirm(secret)
    assert (confirmed.purpose, confirmed.session) == ("grant", None)
    assert people.access.may_act(other, joined.id)
    with pytest.raises(AlreadyJoined) as caught:
        people.joining.join(given, via=f"portal:{other.id}")
    assert caught.value.extra == {"participant": joined.id}


def test_a_portals_wish_is_mailed_again_after_an_hour(
    people: Participants, application: Make, portal: str, outbox: Outbox, clock: FrozenClock
) -> None:
    given = application()
    people.joining.join(given, via=portal)
    others = [people.api_keys.create("portal", by="staff")[0] for _ in range(2)]
    sent = [len(outbox.to(given["email"]))]
    for key, pause in ((others[0], 0), (others[1], 0), (others[0], 3599), (others[0], 2)):
        clock.advance(pause)
        with pytest.raises(AlreadyJoined):
            people.joining.join(given, via=f"portal:{key.id}")
        sent.append(len(outbox.to(given["email"])))
    assert sent == [1, 2, 3, 3, 4]


def test_a_portal_that_was_revoked_meanwhile_gets_no_grant(
    people: Participants, application: Make, portal: str, outbox: Outbox
) -> None:
    given = application()
    people.joining.join(given, via=portal)
    other, _ = people.api_keys.create("portal", by="staff")
    with pytest.raises(AlreadyJoined):
        people.joining.join(given, via=f"portal:{other.id}")
    people.api_keys.revoke(other.id, by="staff")
    secret = outbox.secret(given["email"], "grant")
    for use in (people.sign_in.peek, people.sign_in.confirm):
        with pytest.raises(InvalidSignIn):
            use(secret)


def test_on_the_page_nothing_is_decided_before_the_address_is_confirmed(
    people: Participants, application: Make, outbox: Outbox, database: Database
) -> None:
    given = application()
    people.joining.apply(given)
    assert people.listing.list().items == ()
    assert entries(database, "participant.joined") == []
    secret = outbox.secret(given["email"], "join")
    for _ in range(3):
        assert people.sign_in.peek(secret).purpose == "join"
    assert people.listing.list().items == ()
    confirmed = people.sign_in.confirm(secret)
    (joined,) = people.listing.list().items
    assert (joined.id, joined.email, joined.joined_via) == (confirmed.participant, given["email"], "page")
    assert confirmed.session is not None
    session = people.sign_in.session(confirmed.session)
    assert session is not None
    assert (session.role, session.participant) == ("participant", joined.id)
    with pytest.raises(InvalidSignIn):
        people.sign_in.confirm(secret)


def test_an_application_that_is_never_confirmed_is_deleted(
    people: Participants, application: Make, outbox: Outbox, clock: FrozenClock, database: Database
) -> None:
    given = application()
    people.joining.apply(given)
    clock.advance(24 * 3600)
    with pytest.raises(InvalidSignIn):
        people.sign_in.confirm(outbox.secret(given["email"], "join"))
    assert people.sign_in.purge() == 1
    with database.read() as session:
        assert session.scalars(select(tables.MailedLink)).all() == []


def test_the_page_does_not_tell_a_known_address_from_another(
    people: Participants, application: Make, portal: str, outbox: Outbox
) -> None:
    given = application()
    joined = people.joining.join(given, via=portal)
    people.joining.apply(given)
    assert len(outbox.to(given["email"])) == 2
    confirmed = people.sign_in.confirm(outbox.secret(given["email"], "sign-in"))
    assert confirmed.participant == joined.id
    assert len(people.listing.list().items) == 1


def test_whoever_joined_otherwise_before_confirming_is_signed_in(
    people: Participants, application: Make, portal: str, outbox: Outbox
) -> None:
    given = application()
    people.joining.apply(given)
    secret = outbox.secret(given["email"], "join")
    joined = people.joining.join(given, via=portal)
    assert people.sign_in.confirm(secret).participant == joined.id
    assert len(people.listing.list().items) == 1


def test_of_two_at_once_with_one_address_exactly_one_joins(
    people: Participants, application: Make, portal: str, database: Database
) -> None:
    given = application()
    barrier = threading.Barrier(6)
    outcomes: list[str] = []

    def join() -> None:
        barrier.wait()
        try:
            outcomes.append(people.joining.join(given, via=portal).id)
        except AlreadyJoined as problem:
            outcomes.append(f"already {problem.extra['participant']}")

    threads = [threading.Thread(target=join) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (joined,) = people.listing.list().items
    assert sorted(outcomes) == sorted([joined.id, *[f"already {joined.id}"] * 5])
    assert len(entries(database, "participant.joined")) == 1


def test_the_owner_hears_of_the_decision_by_a_mail_that_leads_to_a_page(
    people: Participants, application: Make, portal: str, outbox: Outbox
) -> None:
    given = application("intergovernmental_organization", language="fr")
    joined = people.joining.join(given, via=portal)
    (mail,) = outbox.to(given["email"])
    assert mail["Content-Language"] == "fr"
    text = text_of(mail)
    assert joined.reasons[0] in text
    assert "/fr/account" in text
    assert "/d/" not in text


def test_what_each_role_sees(people: Participants, application: Make, portal: str) -> None:
    joined = people.joining.join(application(), via=portal)
    for role in ("portal", "partner", "staff"):
        assert (
            ParticipantAnswer.of(joined, role).as_json()["name"],
            ParticipantAnswer.of(joined, role).as_json()["email"],
        ) == (joined.name, joined.email)
    seen = json.dumps(ParticipantAnswer.of(joined, "auditor").as_json())
    for value in (joined.name, joined.email, joined.website, "Quillmarsh"):
        assert str(value) not in seen
    assert str(joined.name) not in repr(joined)


def test_visibility(people: Participants, application: Make, portal: str) -> None:
    """ "another's thing: 404, as if it were not there"."""
    mine = people.joining.join(application(), via=portal)
    other_key, _ = people.api_keys.create("portal", by="staff")
    others = people.joining.join(application(), via=f"portal:{other_key.id}")
    key = ApiKeyView(portal.removeprefix("portal:"), "portal", None, "", mine.created_at)
    partner, _ = people.api_keys.create("partner", participant=mine.id, by="staff")
    staff, _ = people.api_keys.create("staff", by="staff")
    auditor, _ = people.api_keys.create("auditor", by="staff")
    seen = {
        name: [people.access.may_see(viewer, participant.id) for participant in (mine, others)]
        for name, viewer in (("portal", key), ("partner", partner), ("staff", staff), ("auditor", auditor))
    }
    assert seen == {
        "portal": [True, False],
        "partner": [True, False],
        "staff": [True, True],
        "auditor": [True, True],
    }
    assert not people.access.may_act(auditor, mine.id)
    assert [found.id for found in people.listing.list(portal=key.id).items] == [mine.id]
