"""Teams: whose cases are whose, who hears of them, and the daily mail of who waits."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from service.campaign import Campaign
from service.campaign.desk import DeskPolicy
from service.desk import Filter
from service.desk.teams import Teams
from service.problems import InvalidRequest, NotFound
from service.store import Database

from ..conftest import NOON, FrozenClock
from ..parts.mails import html_of, text_of
from .conftest import STAFF, Office, office_of

ALPS, TRADE = "alps@example.org", "trade@example.org"
TEAMS = [
    {"id": "alps", "title": {"en": "Alps"}, "countries": ["AT", "CH"]},
    {"id": "trade", "title": {"en": "Trade"}, "purposes": ["commercial"], "kinds": ["private_sector"]},
    {"id": "nobody", "title": {"en": "Nobody yet"}, "countries": ["KE"]},
]


@pytest.fixture
def office(database: Database, campaign: Campaign, clock: FrozenClock, tmp_path: Path) -> Office:
    policy = DeskPolicy.model_validate({"teams": TEAMS})
    made = office_of(database, replace(campaign, desk=policy), clock, tmp_path)
    made.people.staff.add(ALPS, teams=["alps"], by="cli")
    made.people.staff.add(TRADE, teams=["trade"], by="cli")
    return made


def member(office: Office, address: str) -> str:
    """The id of a person of the staff."""
    return next(one.id for one in office.people.staff.list() if one.email == address)


def seen_by(office: Office, address: str, **more: str) -> set[str | None]:
    """Whose cases a person of the staff is shown."""
    chosen = Filter(within=member(office, address), **more)
    assert office.desk.reading.counts(chosen).open == len(office.desk.reading.list(chosen).items)
    return {case.participant for case in office.desk.reading.list(chosen).items}


def test_each_sees_the_cases_of_their_teams_and_nobodys_case_is_everybodys(office: Office) -> None:
    austrian, kenyan = office.join(country="AT"), office.join(country="KE")
    trading = office.join(kind="private_sector", purposes=("commercial",), country="FR")
    office.desk.misuse.report({"url": "https://shop.example.org/", "description": "Mugs."})
    assert seen_by(office, ALPS) == {austrian, kenyan, None}
    assert seen_by(office, TRADE) == {trading, kenyan, None}
    assert seen_by(office, STAFF) == {austrian, kenyan, trading, None}
    chosen = Filter(team="nobody")
    assert [case.participant for case in office.desk.reading.list(chosen).items] == [kenyan]
    assert office.get(office.case_of(austrian).id).teams == ("alps",)
    with pytest.raises(InvalidRequest):
        office.desk.reading.list(Filter(team="elsewhere"))


def test_going_on_stays_within_what_was_chosen(office: Office) -> None:
    cases = [office.case_of(office.join(kind="private_sector", country=country)).id for country in ("AT", "CH")]
    office.join(kind="private_sector", purposes=("commercial",), country="FR")
    cases.sort()
    chosen = Filter(within=member(office, ALPS))
    assert office.desk.reading.beside(cases[0], chosen) == (None, cases[1])
    assert office.desk.reading.beside(cases[1], chosen) == (cases[0], None)


def test_the_members_of_its_teams_hear_of_a_case_that_is_late(office: Office) -> None:
    case = office.case_of(office.join(kind="private_sector", purposes=("commercial",), country="FR"))
    office.clock.now = case.due_at + timedelta(seconds=1)
    assert office.desk.deadlines.tell() == 1
    told = [mail["To"] for mail in office.outbox.all() if "too long" in str(mail["Subject"])]
    assert sorted(told) == [STAFF, TRADE]
    (mail,) = office.outbox.to(TRADE)
    assert mail["References"] == f"<{case.id}@example.org>"
    assert case.id in html_of(mail)


def test_who_is_given_a_case_hears_of_it_at_once_whatever_the_team(office: Office) -> None:
    case = office.case_of(office.join(country="AT"))
    anne, trade = member(office, STAFF), member(office, TRADE)
    assign = office.desk.conversation.assign
    assign(case.id, anne, by=f"staff:{anne}")  # who takes it knows
    for to in (trade, trade, None):  # who has it already is not told again
        assign(case.id, to, by=f"staff:{anne}")
    assert office.outbox.to(STAFF) == []
    (mail,) = office.outbox.to(TRADE)
    assert "a case is yours now" in mail["Subject"]
    assert all(word in text_of(mail) for word in (STAFF, "Austria", case.id))
    assert "Quillmarsh" not in text_of(mail)
    assign(case.id, trade, by=f"staff:{anne}")
    office.clock.now = case.due_at + timedelta(seconds=1)
    office.desk.deadlines.tell()
    assert ["too long" in mail["Subject"] for mail in office.outbox.to(TRADE)] == [False, False, True]


def test_who_has_a_case_hears_of_the_answer(office: Office) -> None:
    case = office.case_of(office.join(country="AT"))
    trade = member(office, TRADE)
    talk = office.desk.conversation
    talk.assign(case.id, trade, by=f"staff:{trade}")
    talk.write(case.id, "Where?", by=f"staff:{trade}", back=True)
    talk.answer(case.id, "Here.", by="page")
    talk.answer(case.id, "And here.", by="page")  # nothing was asked: it is read with the rest
    (mail,) = office.outbox.to(TRADE)
    assert "is answered" in mail["Subject"]
    assert case.id in text_of(mail)


def test_staff_are_mailed_once_a_working_day_who_waits_for_them(office: Office) -> None:
    office.join(country="AT")
    assert (office.desk.digest.run(), office.desk.digest.run()) == (2, 0)
    assert office.outbox.to(TRADE) == []
    (mail,) = office.outbox.to(ALPS)
    assert "cases that wait: 1, overdue: 0" in mail["Subject"]
    assert "Austria" in text_of(mail)
    assert "Quillmarsh" not in text_of(mail)
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    office.clock.now = NOON.replace(day=28)  # a Saturday
    assert office.desk.digest.run() == 0
    office.clock.now = NOON.replace(day=30, hour=7)
    assert office.desk.digest.run() == 0
    office.clock.now = NOON.replace(day=30, hour=8)
    office.desk.digest.off(str(mail["List-Unsubscribe"]).strip("<>").rpartition("/")[2])
    assert office.desk.digest.run() == 1
    assert len(office.outbox.to(ALPS)) == 1
    with pytest.raises(NotFound):
        office.desk.digest.off("stf_x.forged")


def test_what_the_desk_lacks_people_for_is_told(office: Office, two_people: Campaign) -> None:
    lost = office.people.staff.add("lost@example.org", teams=["alps", "elsewhere"], by="cli")
    (said,) = office.desk.teams.lacking(office.people.staff.list())
    assert said.startswith(f"{lost.id} is in the team elsewhere, which the desk does not have")
    both = Teams(two_people, office.people.staff)
    alone, *others = office.people.staff.list()
    assert "two people" in both.lacking([alone])[0]
    assert not any("two people" in sentence for sentence in both.lacking([alone, *others]))
