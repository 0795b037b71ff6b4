"""Teams: whose cases are whose. The desk's policy says what a team covers, the list of staff who is in it.

Somebody of a team works on what it covers, somebody of no team on everything, and what no team with a member covers
is everybody's, so that no case is left that nobody sees.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, String, and_, cast, func, not_, or_, true
from sqlalchemy.orm import Session

from ..campaign import Campaign
from ..campaign.desk import Team
from ..participants import Staff, StaffMemberView
from ..store import tables
from ..store.desk_tables import Case


@dataclass(frozen=True)
class TeamScope:
    """The cases of some teams, and with ``rest`` those too that no team with a member (``manned``) covers."""

    own: tuple[Team, ...]
    manned: tuple[Team, ...] = ()
    rest: bool = False

    def holds(self, case: Case, person: tables.Participant | None) -> bool:
        """Tell whether a case, which is about a person, is among them."""
        return any(_covers(team, case, person) for team in self.own) or (
            self.rest and not any(_covers(team, case, person) for team in self.manned)
        )

    def condition(self) -> ColumnElement[bool]:
        """Return the same as a condition for a statement that joins cases with their participants."""
        mine = [_condition(team) for team in self.own]
        if self.rest:
            mine.append(not_(or_(*map(_condition, self.manned))))
        return or_(*mine)


class Teams:
    """The teams of the desk and who is in them."""

    def __init__(self, campaign: Campaign, staff: Staff) -> None:
        self._teams = campaign.desk.teams
        self._two_people = bool(campaign.desk.two_people)
        self._staff = staff

    def oddities(self, members: Iterable[StaffMemberView]) -> tuple[str, ...]:
        """Return a sentence with its fix for each of these people who is in a team that the desk does not have."""
        known = {team.id for team in self._teams}
        return tuple(
            f"{member.id} is in the team {team}, which the desk does not have: add it to desk.yaml and publish, or "
            f"name the right one with `emblem staff add --team`; without a team they see and hear of every case."
            for member in members
            for team in member.teams
            if team not in known
        )

    def lacking(self, members: Sequence[StaffMemberView]) -> tuple[str, ...]:
        """Return what ``oddities`` does, and whether two people are asked for where there are not two of them."""
        short = self._two_people and len(members) < 2
        alone = "desk.yaml asks two people to approve, and there are not two: `emblem staff add` adds one."
        return (*self.oddities(members), *([alone] if short else []))

    def find(self, team: str) -> Team | None:
        """Return the team of an id."""
        return next((one for one in self._teams if one.id == team), None)

    def of(self, case: Case, person: tables.Participant | None) -> tuple[str, ...]:
        """Return the ids of the teams that a case belongs to."""
        return tuple(team.id for team in self._teams if _covers(team, case, person))

    def scope(self, session: Session, staff: str) -> TeamScope | None:
        """Return the cases of a person of the staff; None where these are all."""
        present = self._staff.present(session)
        member = next((one for one in present if one.id == staff), None)
        return None if member is None else self._scope(member, present)

    def hearers(self, session: Session, case: Case, person: tables.Participant | None) -> tuple[StaffMemberView, ...]:
        """Return who is mailed about a case: whose it is, and who has it."""
        present = self._staff.present(session)
        return tuple(one for one in present if one.id == case.assignee or self._holds(one, present, case, person))

    def _holds(
        self, member: StaffMemberView, present: Sequence[StaffMemberView], case: Case, person: tables.Participant | None
    ) -> bool:
        scope = self._scope(member, present)
        return scope is None or scope.holds(case, person)

    def _scope(self, member: StaffMemberView, present: Sequence[StaffMemberView]) -> TeamScope | None:
        own = tuple(team for team in self._teams if team.id in member.teams)
        if not own:
            return None
        taken = {name for one in present for name in one.teams}
        return TeamScope(own, tuple(team for team in self._teams if team.id in taken), rest=True)


def _covers(team: Team, case: Case, person: tables.Participant | None) -> bool:
    kind, country = (None, None) if person is None else (person.kind, person.country)
    return team.covers(case.kind, kind, country, case.purposes)


def _condition(team: Team) -> ColumnElement[bool]:
    # A case about nobody has no kind and no country: an empty text, which no team names, where NULL would be neither.
    person = tables.Participant
    parts: list[ColumnElement[bool]] = []
    if team.cases is not None:
        parts.append(Case.kind.in_(team.cases))
    if team.countries is not None:
        parts.append(func.coalesce(person.country, "").in_(team.countries))
    if team.kinds is not None:
        parts.append(func.coalesce(person.kind, "").in_(team.kinds))
    if team.purposes is not None:
        parts.append(or_(*map(asks_for, team.purposes)))
    return and_(true(), *parts)


def asks_for(purpose: str) -> ColumnElement[bool]:
    """Return the condition for cases that ask for a purpose."""
    # Names of purposes hold no character that LIKE or JSON writes otherwise.
    return cast(Case.purposes, String).contains(f'"{purpose}"', autoescape=True)
