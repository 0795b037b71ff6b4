"""The desk: by when a case is decided, which decisions need two people, and answers that staff give often."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from functools import cache, cached_property
from typing import Annotated, Literal, get_args
from zoneinfo import ZoneInfo, available_timezones

from pydantic import Field as Setting

from .countries import is_country
from .eligibility import Eligibility
from .kinds import Name
from .source import Source, Strict
from .text import Text

CaseKind = Literal["joining", "change", "renewal", "misuse"]
CASE_KINDS: tuple[CaseKind, ...] = get_args(CaseKind)
Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
WEEKDAYS: tuple[Weekday, ...] = get_args(Weekday)
Days = Annotated[int, Setting(ge=1, le=365)]
Hour = Annotated[int, Setting(ge=0, le=23)]
Names = Annotated[tuple[Name, ...], Setting(min_length=1)]
TeamId = Annotated[str, Setting(pattern=r"^[a-z0-9][a-z0-9_-]*$", max_length=40)]
_MOST_DAYS_OFF = 3660  # a calendar without working days must not be searched for ever
_ONE_YEAR = 366  # days in which a desk works at least once


class Holiday(Strict):
    """A day on which the desk does not work: one ``day``, or one of ``every`` year, written ``MM-DD``.

    ``easter`` is a day of every year too: so many days after Easter Sunday as western churches have it, or before.
    """

    name: str
    day: date | None = None
    every: Annotated[str, Setting(pattern=r"^(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$")] | None = None
    easter: Annotated[int, Setting(ge=-70, le=70)] | None = None  # those of one year all lie in it


class WorkingTime(Strict):
    """The desk's calendar, and in how many working days each kind of case is decided."""

    zone: str = "UTC"
    week: Annotated[tuple[Weekday, ...], Setting(min_length=1)] = WEEKDAYS[:5]
    days: dict[CaseKind, Days] = Setting(default_factory=dict)
    holidays: tuple[Holiday, ...] = ()

    def days_for(self, kind: CaseKind) -> int:
        """Return in how many working days a case of this kind is decided; 5 where nothing is written."""
        return self.days.get(kind, 5)

    def works_on(self, day: date) -> bool:
        """Tell whether the desk works on a day."""
        if WEEKDAYS[day.weekday()] not in self.week:
            return False
        if day in self._once or f"{day:%m-%d}" in self._yearly:
            return False
        return not self._moving or (day - _easter(day.year)).days not in self._moving

    def after(self, start: datetime, days: int) -> datetime:
        """Return the instant so many working days after ``start``, at the same time of the day in the desk's zone.

        With 0 days it is ``start`` itself, whatever day that is.
        """
        local = start.astimezone(ZoneInfo(self.zone))
        day = local.date()
        for _ in range(_MOST_DAYS_OFF):
            if days <= 0:
                break
            day += timedelta(days=1)
            days -= self.works_on(day)
        moved = datetime.combine(day, local.timetz().replace(tzinfo=None), local.tzinfo)
        return moved.astimezone(start.tzinfo)

    def left(self, start: datetime, end: datetime) -> int:
        """Return how many working days lie between two instants; 0 where the second is not later."""
        zone = ZoneInfo(self.zone)
        day, last = start.astimezone(zone).date(), end.astimezone(zone).date()
        count = 0
        while day < last:
            day += timedelta(days=1)
            count += self.works_on(day)
        return count

    def is_idle(self) -> bool:
        """Tell whether no day of a year is left on which the desk works."""
        first = date(2028, 1, 1)  # a leap year, so that 29 February is looked at too
        return not any(self.works_on(first + timedelta(days=number)) for number in range(_ONE_YEAR))

    @cached_property
    def _once(self) -> frozenset[date]:
        return frozenset(one.day for one in self.holidays if one.day)

    @cached_property
    def _yearly(self) -> frozenset[str]:
        return frozenset(one.every for one in self.holidays if one.every)

    @cached_property
    def _moving(self) -> frozenset[int]:
        return frozenset(one.easter for one in self.holidays if one.easter is not None)


@cache
def _easter(year: int) -> date:
    """Return Easter Sunday of the Gregorian calendar, by the rule of Meeus, Jones and Butcher."""
    century, place = divmod(year, 100)
    golden = year % 19
    moon = (19 * golden + century - century // 4 - (century - (century + 8) // 25 + 1) // 3 + 15) % 30
    sunday = (32 + 2 * (century % 4) + 2 * (place // 4) - moon - place % 4) % 7
    late = (golden + 11 * moon + 22 * sunday) // 451
    month, day = divmod(moon + sunday - 7 * late + 114, 31)
    return date(year, month, day + 1)


class TwoPeople(Strict):
    """Cases whose approval needs a second person: all that is named must be so; nothing named means every case."""

    cases: tuple[CaseKind, ...] | None = None
    kinds: tuple[Name, ...] | None = None
    purposes: tuple[Name, ...] | None = None

    def holds(self, case: str, kind: str | None, purposes: tuple[str, ...]) -> bool:
        """Tell whether a case of this kind, of a participant of that kind and with these purposes is meant."""
        return all(
            (
                self.cases is None or case in self.cases,
                self.kinds is None or kind in self.kinds,
                self.purposes is None or not set(self.purposes).isdisjoint(purposes),
            )
        )


class PermissionTerm(Strict):
    """Duration of an approval, in days, for kinds of participants and purposes; nothing named means all."""

    days: Annotated[int, Setting(ge=1, le=3650)]
    kinds: tuple[Name, ...] | None = None
    purposes: tuple[Name, ...] | None = None

    def holds(self, kind: str, purposes: tuple[str, ...]) -> bool:
        """Tell whether a participant of this kind, with any of these purposes, is meant."""
        if self.kinds is not None and kind not in self.kinds:
            return False
        return self.purposes is None or not set(self.purposes).isdisjoint(purposes)


class Team(Strict):
    """People who share cases: those in which all that is named is so. ``emblem staff add --team`` says who is in it."""

    id: TeamId
    title: Text
    cases: Annotated[tuple[CaseKind, ...], Setting(min_length=1)] | None = None
    countries: Annotated[tuple[str, ...], Setting(min_length=1)] | None = None
    kinds: Names | None = None
    purposes: Names | None = None

    def covers(self, case: str, kind: str | None, country: str | None, purposes: Sequence[str]) -> bool:
        """Tell whether a case of this kind, of such a participant and with any of these purposes is the team's."""
        return all(
            (
                self.cases is None or case in self.cases,
                self.countries is None or country in self.countries,
                self.kinds is None or kind in self.kinds,
                self.purposes is None or not set(self.purposes).isdisjoint(purposes),
            )
        )


class DigestRules(Strict):
    """Time at which staff are mailed who waits: working days, an hour of the desk's zone; ``hour: null`` is never."""

    hour: Hour | None = 8


class AnswerTemplate(Strict):
    """An answer that staff give often, in the reader's language; they change it before it is sent."""

    id: Annotated[str, Setting(pattern=r"^[a-z][a-z0-9-]*$", max_length=60)]
    use: Literal["return", "approved", "declined", "upheld", "dismissed"]
    title: Text
    text: Text


class DeskPolicy(Strict):
    """``desk.yaml``. A campaign without the file has a desk of Mondays to Fridays, and one person who decides."""

    clock: WorkingTime = WorkingTime()
    teams: tuple[Team, ...] = ()
    digest: DigestRules = DigestRules()
    two_people: tuple[TwoPeople, ...] = ()
    permissions: tuple[PermissionTerm, ...] = ()
    answers: tuple[AnswerTemplate, ...] = ()

    def needs_two(self, case: str, kind: str | None, purposes: tuple[str, ...]) -> bool:
        """Tell whether the approval of such a case needs a second person."""
        return any(rule.holds(case, kind, purposes) for rule in self.two_people)

    def teams_of(self, case: str, kind: str | None, country: str | None, purposes: Sequence[str]) -> tuple[Team, ...]:
        """Return the teams whose case such a one is."""
        return tuple(team for team in self.teams if team.covers(case, kind, country, purposes))

    def permission_days(self, kind: str, purposes: tuple[str, ...]) -> int | None:
        """Return for how many days an approval holds, the shortest of what is written; None where it does not end."""
        return min((term.days for term in self.permissions if term.holds(kind, purposes)), default=None)

    @property
    def shortest_permission(self) -> int | None:
        """The fewest days for which any approval holds; None where none ends."""
        return min((term.days for term in self.permissions), default=None)

    def templates(self, *uses: str) -> tuple[AnswerTemplate, ...]:
        """Return the answers for any of these uses."""
        return tuple(one for one in self.answers if one.use in uses)


def check_desk(source: Source, written: DeskPolicy, eligibility: Eligibility | None) -> None:
    """Note what no model sees: names that are not there, days that are none, ids that stand twice."""
    if written.clock.zone not in available_timezones():
        fix = "Use a name of the IANA time zone database, such as UTC or Europe/Vienna"
        source.mistake(("clock", "zone"), f"There is no time zone {written.clock.zone}", fix)
    for index, holiday in enumerate(written.clock.holidays):
        where = ("clock", "holidays", index)
        if sum(one is not None for one in (holiday.day, holiday.every, holiday.easter)) != 1:
            source.mistake(where, f"{holiday.name} has no day, or two", "Give one of day:, every: and easter:")
        if holiday.every is not None and not _is_day(holiday.every):
            source.mistake((*where, "every"), f"{holiday.every} is no day of a year", "Write month and day, as 12-25")
    if written.clock.is_idle():
        message = "No day of a year is left on which the desk works, so no case would ever be due"
        source.mistake(("clock", "holidays"), message, "Take holidays out, or add days to week")
    if eligibility is not None:
        _check_names(source, "two_people", written.two_people, eligibility)
        _check_names(source, "permissions", written.permissions, eligibility)
        _check_names(source, "teams", written.teams, eligibility)
    for index, team in enumerate(written.teams):
        for number, code in enumerate(team.countries or ()):
            if not is_country(code):
                source.mistake(
                    ("teams", index, "countries", number),
                    f"{code} is no country",
                    "Use codes of ISO 3166-1 such as AT, or EU",
                )
    _check_ids(source, "answers", [answer.id for answer in written.answers])
    _check_ids(source, "teams", [team.id for team in written.teams])


def _check_ids(source: Source, section: str, ids: Sequence[str]) -> None:
    for index, name in enumerate(ids):
        if name in ids[:index]:
            one = section.removesuffix("s")
            source.mistake(
                (section, index, "id"), f"There are two {section} {name}", f"Give each {one} an id of its own"
            )


def _check_names(
    source: Source, section: str, rules: Sequence[TwoPeople | PermissionTerm | Team], eligibility: Eligibility
) -> None:
    kinds = [kind.id for kind in eligibility.kinds]
    for index, rule in enumerate(rules):
        for part, named, known in (("kinds", rule.kinds, kinds), ("purposes", rule.purposes, [*eligibility.purposes])):
            for number, name in enumerate(named or ()):
                if name not in known:
                    where = (section, index, part, number)
                    source.mistake(where, f"{name} is not among the {part}", f"Use one of {', '.join(known)}")


def _is_day(written: str) -> bool:
    try:
        datetime.strptime(f"2024-{written}", "%Y-%m-%d")  # noqa: DTZ007  # a day, not an instant
    except ValueError:
        return False
    return True
