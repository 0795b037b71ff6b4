"""Acceptances of terms."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from service import ledger
from service.campaign import Campaign, Terms
from service.mail import Mailer
from service.participants import AcceptanceView, Participants, Signatory, accepted_current
from service.participants.views import accepted_record
from service.privacy import Erasure
from service.problems import (
    Conflict,
    DigestMismatch,
    InvalidRequest,
    NotFound,
    ParticipantNotApproved,
    Problem,
    TermsNotCurrent,
    UnknownTerms,
    UnknownVersion,
)
from service.store import Database, tables

from ..conftest import FrozenClock
from .conftest import BASE, Make, Outbox
from .facts import entries

TERMS = "logo-terms"


def accept(people: Participants, campaign: Campaign, who: str, **changes: Any) -> tuple[AcceptanceView, bool]:
    """Accepts the newest version of the terms in English, with changes."""
    language = changes.get("language", "en")
    version = campaign.terms.versions(TERMS)[0]
    values: dict[str, Any] = {
        "terms": TERMS,
        "version": version.version,
        "language": language,
        "digest": version.digest(language),
        "signatory": Signatory("Ada Quillmarsh", "Head of communication"),
        "via": "portal:key_x",
    }
    return people.acceptances.accept(who, **values | changes)


@pytest.fixture
def who(people: Participants, application: Make, portal: str) -> str:
    return people.joining.join(application(), via=portal).id


def test_an_acceptance_is_recorded_with_its_commitment(
    people: Participants, campaign: Campaign, who: str, database: Database
) -> None:
    made, created = accept(people, campaign, who, language="fr")
    assert created
    (entry,) = entries(database, "terms.accepted")
    assert {name: entry[name] for name in ("id", "participant", "terms", "version", "language", "digest", "via")} == {
        "id": made.id,
        "participant": who,
        "terms": TERMS,
        "version": campaign.terms.versions(TERMS)[0].version,
        "language": "fr",
        "digest": campaign.terms.versions(TERMS)[0].digest("fr"),
        "via": "portal:key_x",
    }
    with database.read() as session:
        row = session.get(tables.Acceptance, made.id)
        assert row is not None
        assert row.salt is not None
        assert entry["commitment"] == made.commitment == ledger.commitment(row.salt, accepted_record(row))
    assert "Ada" not in json.dumps(entry)
    assert made.receipt_url == f"{BASE}/api/v1/audit/proofs/{made.id}"
    assert people.acceptances.of(who) == (made,)
    assert people.acceptances.get(made.id) == made


def test_the_same_version_again_gives_the_first_acceptance(
    people: Participants, campaign: Campaign, who: str, database: Database
) -> None:
    """ "Accepting the same version again, in any language, by any signatory: 200 and the first acceptance."."""
    first, _ = accept(people, campaign, who)
    again = accept(people, campaign, who, language="fr", signatory=Signatory("Bo", "Trainee"), via="page")
    assert again == (first, False)
    assert len(entries(database, "terms.accepted")) == 1


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"terms": "no-terms"}, UnknownTerms),
        ({"version": "1999-01-01"}, UnknownVersion),
        ({"version": "2024-07-30"}, TermsNotCurrent),
        ({"digest": "0" * 64}, DigestMismatch),
    ],
)
def test_what_cannot_be_accepted(
    people: Participants, campaign: Campaign, who: str, changes: dict[str, Any], problem: type[Problem]
) -> None:
    with pytest.raises(problem):
        accept(people, campaign, who, **changes)
    assert people.acceptances.of(who) == ()


@pytest.mark.parametrize(
    ("signatory", "pointers"),
    [
        (Signatory("", "Head"), {"/signatory/name"}),
        (Signatory("a\0b", "x" * 201), {"/signatory/name", "/signatory/capacity"}),
    ],
)
def test_a_signatory_needs_a_name_and_a_capacity(
    people: Participants, campaign: Campaign, who: str, signatory: Signatory, pointers: set[str]
) -> None:
    with pytest.raises(InvalidRequest) as caught:
        accept(people, campaign, who, signatory=signatory)
    assert {error.pointer for error in caught.value.errors} == pointers


def test_a_language_in_which_the_terms_are_not_written(
    database: Database, campaign: Campaign, clock: FrozenClock, mailer: Mailer, people: Participants, who: str
) -> None:
    (now, *_) = campaign.terms.versions(TERMS)
    english = replace(now, _raw={"en": now._raw["en"]})
    fewer = replace(campaign, terms=Terms({TERMS: (english,)}))
    with pytest.raises(InvalidRequest) as caught:
        accept(Participants(database, fewer, clock, mailer, BASE), campaign, who, language="zh")
    assert [error.pointer for error in caught.value.errors] == ["/language"]
    assert accept(people, campaign, who, language="zh")[1]


def test_who_may_accept(
    erasure: Erasure, people: Participants, campaign: Campaign, application: Make, portal: str
) -> None:
    review = people.joining.join(application("intergovernmental_organization"), via=portal).id
    suspended = people.joining.join(application(), via=portal).id
    people.decisions.decide(suspended, "suspended", reason="Why.", by="staff")
    assert accept(people, campaign, review)[1]
    assert accept(people, campaign, suspended)[1]
    declined = people.joining.join(application("individual", {"pledge": False}), via=portal).id
    with pytest.raises(ParticipantNotApproved):
        accept(people, campaign, declined)
    erasure.erase(review, reason="Asked for.", by="staff")
    with pytest.raises(Conflict):
        accept(people, campaign, review)
    with pytest.raises(NotFound):
        accept(people, campaign, "par_nobody")


def test_a_version_to_come_may_be_accepted_before_and_counts_from_its_instant(
    database: Database, campaign: Campaign, clock: FrozenClock, outbox: Outbox, application: Make
) -> None:
    """ "effective is an instant; the newest version whose instant has come is current, and a coming one may be …"."""
    now = campaign.terms.versions(TERMS)[0]
    coming = replace(now, version="2026-12-01", effective=clock() + timedelta(days=6))
    later = replace(campaign, terms=Terms({TERMS: (now, coming)}))
    mailer = Mailer(database, outbox.folder.as_uri(), sender="c@example.org")
    people = Participants(database, later, clock, mailer, BASE)
    who = people.joining.join(application(), via="staff").id

    def current() -> str | None:
        with database.read() as session:
            found = accepted_current(session, later, who, TERMS, clock())
            return found.version if found else None

    assert accept(people, campaign, who, version="2026-12-01")[1]
    assert current() is None
    assert accept(people, campaign, who)[1]
    assert current() == now.version
    assert [one.version for one in people.acceptances.of(who)] == ["2026-12-01", now.version], "of one second"
    clock.advance(6 * 86400)
    assert current() == "2026-12-01"
    assert accept(people, campaign, who, version=now.version)[1] is False
    other = people.joining.join(application(), via="staff").id
    with pytest.raises(TermsNotCurrent):
        accept(people, campaign, other, version=now.version)


def test_of_many_at_once_exactly_one_is_made(
    people: Participants, campaign: Campaign, who: str, database: Database
) -> None:
    barrier = threading.Barrier(6)
    outcomes: list[tuple[AcceptanceView, bool]] = []

    def run() -> None:
        barrier.wait()
        outcomes.append(accept(people, campaign, who))

    threads = [threading.Thread(target=run) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(created for _, created in outcomes) == [False] * 5 + [True]
    assert len({acceptance.id for acceptance, _ in outcomes}) == 1
    assert len(entries(database, "terms.accepted")) == 1
