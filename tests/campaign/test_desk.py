"""The desk's calendar, and what is wrong with ``desk.yaml``."""

from __future__ import annotations

import shutil
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from service import settings
from service.campaign import Campaign, CampaignError, load
from service.campaign.desk import WEEKDAYS, DeskPolicy, WorkingTime


@pytest.fixture
def clock() -> WorkingTime:
    days = [{"name": "Once", "day": "2026-11-26"}, {"name": "Each year", "every": "11-30"}]
    return WorkingTime.model_validate({"zone": "Europe/Vienna", "holidays": days, "days": {"joining": 2}})


@pytest.mark.parametrize(
    ("start", "days", "due"),
    [
        ("2026-11-25T12:00", 1, "2026-11-27T12:00"),  # Thursday is a holiday
        ("2026-11-25T12:00", 2, "2026-12-01T12:00"),  # then a weekend and a holiday of every year
        ("2026-11-28T12:00", 1, "2026-12-01T12:00"),  # from a Saturday
        ("2026-11-25T23:30", 1, "2026-11-26T23:30"),  # in the desk's zone it is Thursday already
        ("2026-03-27T12:00", 1, "2026-03-30T11:00"),  # clocks go forward between: the same time of the day there
        ("2026-11-28T12:00", 0, "2026-11-28T12:00"),
    ],
)
def test_working_days_are_counted_in_the_desks_zone(clock: WorkingTime, start: str, days: int, due: str) -> None:
    begun = datetime.fromisoformat(start).replace(tzinfo=UTC)
    found = clock.after(begun, days)
    assert found == datetime.fromisoformat(due).replace(tzinfo=UTC)
    assert clock.left(begun, found) == days


@pytest.mark.parametrize(
    "easter",
    ["1818-03-22", "1954-04-18", "1981-04-19", "2024-03-31", "2026-04-05", "2027-03-28", "2028-04-16", "2038-04-25"],
)
def test_holidays_that_follow_easter_are_found_in_every_year(easter: str) -> None:
    """Days of the tables of computists, the earliest and the latest that there can be among them."""
    sunday = date.fromisoformat(easter)
    days = [{"name": "Good Friday", "easter": -2}, {"name": "Ascension Day", "easter": 39}]
    clock = WorkingTime.model_validate({"week": WEEKDAYS, "holidays": days})
    year = [date(sunday.year, 1, 1) + timedelta(days=number) for number in range(365)]
    off = [day for day in year if not clock.works_on(day)]
    assert off == [sunday - timedelta(days=2), sunday + timedelta(days=39)]


def test_the_shipped_holidays_do_not_end(campaign: Campaign) -> None:
    for year, days in ((2026, ("04-06", "05-14", "05-25", "06-04")), (2031, ("04-14", "05-22", "06-02", "06-12"))):
        assert not any(campaign.desk.clock.works_on(date.fromisoformat(f"{year}-{day}")) for day in days)


def test_a_week_without_working_days_ends_the_search() -> None:
    years = [{"name": "Off", "every": f"{month:02}-{day:02}"} for month in range(1, 13) for day in range(1, 32)]
    clock = WorkingTime.model_validate({"holidays": years})
    assert clock.after(datetime(2026, 1, 1, tzinfo=UTC), 1).year > 2026


def test_two_people_are_needed_where_all_that_is_named_is_so() -> None:
    desk = DeskPolicy.model_validate({"two_people": [{"cases": ["joining"], "purposes": ["commercial"]}]})
    assert desk.needs_two("joining", "individual", ("information", "commercial"))
    assert not desk.needs_two("joining", "individual", ("information",))
    assert not desk.needs_two("change", "individual", ("commercial",))


def test_the_shipped_desk_is_complete(campaign: Campaign) -> None:
    assert set(campaign.desk.clock.days) == {"joining", "change", "renewal", "misuse"}
    assert {one.use for one in campaign.desk.answers} == {"return", "approved", "declined", "upheld", "dismissed"}


def test_a_campaign_without_the_file_has_a_plain_desk(tmp_path: Path) -> None:
    policies = shutil.copytree(settings.shipped("policies"), tmp_path / "policies")
    (policies / "desk.yaml").unlink()
    assert load(policies, settings.shipped("assets"), packages=False).desk == DeskPolicy()


@pytest.mark.parametrize(
    ("written", "line", "said"),
    [
        ("clock:\n  zone: Mars/Base\n", 2, "There is no time zone Mars/Base"),
        ("clock:\n  holidays:\n    - {name: Never, every: 02-30}\n", 3, "02-30 is no day of a year"),
        ("clock:\n  holidays:\n    - {name: Never}\n", 3, "Never has no day, or two"),
        ("clock:\n  holidays:\n    - {name: Twice, every: 05-01, easter: 0}\n", 3, "Twice has no day, or two"),
        ("clock:\n  holidays:\n    - {name: Far, easter: 71}\n", 3, "easter"),
        ("clock:\n  days: {joining: 0}\n", 2, "joining"),
        ("clock:\n  week: [monday, moonday]\n", 2, "week"),
        ("two_people:\n  - kinds: [martians]\n", 2, "martians is not among the kinds"),
        ("two_people:\n  - purposes: [fun]\n", 2, "fun is not among the purposes"),
        ("permissions:\n  - {days: 30, kinds: [martians]}\n", 2, "martians is not among the kinds"),
        ("permissions:\n  - {days: 0}\n", 2, "days"),
        ("permissions:\n  - {kinds: [individual]}\n", 2, "days"),
        ("teams:\n  - {id: a, title: {en: A}, countries: [XX]}\n", 2, "XX is no country"),
        ("teams:\n  - {id: a, title: {en: A}, kinds: [martians]}\n", 2, "martians is not among the kinds"),
        ("teams:\n  - {id: a, title: {en: A}, purposes: []}\n", 2, "purposes"),
        ("teams:\n  - {id: A team, title: {en: A}}\n", 2, "id"),
        ("teams:\n  - {id: a, title: {en: A}}\n  - {id: a, title: {en: B}}\n", 3, "There are two teams a"),
        ("digest:\n  hour: 24\n", 2, "hour"),
        (
            "clock:\n  week: [monday]\n  holidays: ["
            + ", ".join(f"{{name: Free, day: {date(2028, 1, 3) + timedelta(7 * week)}}}" for week in range(52))
            + "]\n",
            3,
            "No day of a year is left",
        ),
        (
            (
                "answers:\n  - {id: a, use: return, title: {en: A}, text: {en: A}}\n"
                "  - {id: a, use: approved, title: {en: B}, text: {en: B}}\n"
            ),
            3,
            "There are two answers a",
        ),
    ],
)
def test_mistakes_are_told_with_file_and_line(tmp_path: Path, written: str, line: int, said: str) -> None:
    policies = shutil.copytree(settings.shipped("policies"), tmp_path / "policies")
    (policies / "desk.yaml").write_text(written, encoding="utf-8")
    with pytest.raises(CampaignError) as caught:
        load(policies, settings.shipped("assets"), packages=False)
    (mistake,) = caught.value.mistakes
    assert (Path(mistake.file).name, mistake.line) == ("desk.yaml", line)
    assert said in mistake.message
