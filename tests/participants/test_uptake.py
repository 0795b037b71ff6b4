"""How versions of terms are accepted: numbers that the database keeps, held against counting everybody."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from service.campaign import Campaign, Terms
from service.participants import Participants, Signatory
from service.participants.trial import count_asked_again
from service.store import Database
from service.store.derived_tables import TermsCount

from ..conftest import FrozenClock
from .conftest import Make

TERMS = "logo-terms"


@pytest.fixture
def changed(campaign: Campaign, clock: FrozenClock) -> Campaign:
    """The campaign with a version in force from tomorrow, and one a week later."""
    newest = campaign.terms.versions(TERMS)[0]
    coming = [
        replace(newest, version=f"{at:%Y-%m-%d}", effective=at)
        for at in (clock() + timedelta(days=8), clock() + timedelta(days=1))
    ]
    return replace(campaign, terms=Terms({TERMS: (*coming, *campaign.terms.versions(TERMS))}))


def accept(people: Participants, campaign: Campaign, who: str, version: int) -> None:
    """Accept the version of this place, the newest being 0."""
    found = campaign.terms.versions(TERMS)[version]
    people.acceptances.accept(
        who,
        terms=TERMS,
        version=found.version,
        language="en",
        digest=found.digest("en"),
        signatory=Signatory("Ada Quillmarsh", "Head of communication"),
        via="portal:key_x",
    )


def test_who_has_yet_to_accept_follows_acceptances_and_decisions(
    database: Database,
    campaign: Campaign,
    changed: Campaign,
    clock: FrozenClock,
    people: Participants,
    application: Make,
    portal: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    office = Participants(database, changed, clock, people.correspondence._mailer, "https://emblem.example.org")
    last, coming, now = changed.terms.versions(TERMS)[:3]
    everybody = []
    for _ in range(5):
        everybody.append(office.joining.join(application(), via=portal).id)
        clock.advance(1)
    for who in everybody[:4]:  # the fifth has accepted nothing
        accept(office, changed, who, 2)
    assert count_asked_again(database, campaign, changed, clock) == 4
    clock.advance(86400)
    paused, early, done, late = everybody[:4]
    accept(office, changed, done, 1)
    accept(office, changed, early, 0)  # the one that is to come, and not the one in force
    assert count_asked_again(database, campaign, changed, clock) == 3
    office.decisions.decide(paused, "suspended", reason="Looked at.", by="staff:stf_anne")

    def left(version: int) -> list[str]:
        uptake, ids, cursor = office.uptake.of(changed.terms.versions(TERMS)[version]), [], None
        while True:
            page = office.uptake.outstanding(changed.terms.versions(TERMS)[version], cursor=cursor, limit=1)
            ids += [one.id for one in page.items]
            if (cursor := page.next_cursor) is None:
                assert uptake.outstanding == len(ids)
                return ids

    assert left(1) == [late, early]
    assert left(0) == [late, done]
    assert left(2) == []
    office.decisions.decide(paused, "approved", reason="Looked at.", by="staff:stf_anne")
    assert left(1) == [late, early, paused]
    office.decisions.decide(paused, "suspended", reason="Looked at.", by="staff:stf_anne")
    days = [(f"{clock() - timedelta(days=1):%Y-%m-%d}", 4)]
    assert office.uptake.of(now).by_day == tuple(days)
    assert (office.uptake.of(coming).accepted, office.uptake.of(last).accepted) == (1, 1)
    monkeypatch.setattr("service.participants.uptake._MANY", 2)
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda _: office.uptake.fold(), range(3)))
    office.uptake.fold()
    with database.read() as session:
        count = TermsCount
        keys = select(count.terms).group_by(count.terms, count.versions, count.day).subquery()
        rows = session.scalar(select(func.count()).select_from(count)) or 0
        assert rows - (session.scalar(select(func.count()).select_from(keys)) or 0) < 2
    assert left(1) == [late, early]
    assert office.uptake.of(now).by_day == tuple(days)
    assert office.uptake.remind(coming) == 2
    assert office.uptake.remind(coming) == 0
