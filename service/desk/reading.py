"""Reading cases: one, a page of them, and how many wait."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select
from sqlalchemy.orm import Session, aliased

from ..campaign import Campaign
from ..campaign.desk import CASE_KINDS, Team
from ..clock import Clock
from ..participants.access import granted
from ..participants.search import WORDS as PEOPLE
from ..problems import FieldError, InvalidRequest
from ..store import Database, tables
from ..store.derived_tables import CaseFacet
from ..store.desk_tables import Case, CaseEvent, CaseFile, CaseMessage
from ..store.paging import Page, paginate
from ..store.word_search import FEW, LONGEST_QUERY
from . import search
from .rows import OPEN, no_case
from .states import STATUSES, State
from .teams import Teams, TeamScope
from .views import CaseView, Event, grouped

_SOME = 10_000  # cases up to which it is counted which of two facets fewer have
Facets = dict[str, list[str] | None]


@dataclass(frozen=True)
class Filter:
    """Filter of a list of cases: each value narrows it; None does not. ``portal`` and ``applicant`` are who asks.

    ``team`` is a team's id; ``within`` a person of the staff, whose teams' cases these are.
    """

    kind: str | None = None
    status: str | None = None
    participant: str | None = None
    participant_kind: str | None = None
    country: str | None = None
    purpose: str | None = None
    assignee: str | None = None
    q: str | None = None
    portal: str | None = None
    applicant: str | None = None
    team: str | None = None
    within: str | None = None

    @property
    def staff(self) -> bool:
        """Tell whether staff ask, who see everything."""
        return self.portal is None and self.applicant is None


@dataclass(frozen=True)
class Counts:
    """Numbers of cases that wait: for staff, for an applicant, and of those for staff how many for too long."""

    open: int
    returned: int
    overdue: int


class Reading:
    """Reads cases."""

    def __init__(self, database: Database, campaign: Campaign, clock: Clock, teams: Teams) -> None:
        self._database = database
        self._campaign = campaign
        self._clock = clock
        self._teams = teams

    def get(self, case: str, *, staff: bool) -> CaseView:
        """Return one case; for others than staff without what is not theirs. Raises NotFound.

        Whether the caller may see it at all is the caller's question; reports of misuse are for staff alone.
        """
        with self._database.read() as session:
            row = session.get(Case, case)
            if row is None or (row.kind == "misuse" and not staff):
                raise no_case()
            seen = whole(session, [row], staff=staff)[0]
            if not staff:
                return seen
            person = session.get(tables.Participant, row.participant) if row.participant else None
            return replace(seen, teams=self._teams.of(row, person))

    def list(
        self, chosen: Filter, *, cursor: str | None = None, limit: int = 50, brief: bool = False
    ) -> Page[CaseView]:
        """Return a page of cases, the soonest due first; ``brief`` ones are without messages, files and events.

        Raises InvalidRequest for a value that no case can have.
        """
        self._check(chosen)
        with self._database.read() as session:
            statement, facets, at, last = select(Case), _facets(session, chosen), Case.due_at, Case.id
            if leads := _leads(session, chosen, facets):
                del facets[leads]
                statement = statement.join(CaseFacet, CaseFacet.case == Case.id).where(CaseFacet.facet == leads)
                at, last = CaseFacet.due_at, CaseFacet.case
            statement = self._narrowed(session, statement, chosen, facets)
            page = paginate(session, statement, at, last, cursor=cursor, limit=limit, newest_first=False)
            rows = [row for (row,) in page.items]
            if brief:
                views = [CaseView.of(row, staff=chosen.staff) for row in rows]
            else:
                views = whole(session, rows, staff=chosen.staff)
        return Page(tuple(views), page.next_cursor)

    def undoable(self, by: str) -> tuple[CaseView, ...]:
        """Return the cases that somebody decided in the console and can still undo, the newest decision first."""
        statement = select(Case).where(Case.status == State.DECIDING, Case.pending_until > self._clock())
        with self._database.read() as session:
            rows = session.scalars(statement.order_by(Case.pending_until.desc(), Case.id))
            return tuple(CaseView.of(row, staff=True) for row in rows if (row.pending or {}).get("by") == by)

    def counts(self, chosen: Filter) -> Counts:
        """Count the cases that wait, among those chosen, whatever their status."""
        self._check(chosen)
        with self._database.read() as session:
            facets = _facets(session, chosen)
            statement = self._narrowed(session, select(Case.status, func.count()), chosen, facets)
            overdue = self._narrowed(session, select(func.count()).select_from(Case), chosen, facets)
            waiting = statement.where(Case.status.in_(OPEN)).group_by(Case.status)
            found = dict(session.execute(waiting).all())
            late = session.scalar(overdue.where(Case.status == State.OPEN, Case.due_at < self._clock()))
        return Counts(found.get(State.OPEN, 0) + found.get(State.DECIDING, 0), found.get(State.RETURNED, 0), late or 0)

    def events(self, case: str, after: int = 0) -> tuple[Event, ...]:
        """Return what happened to a case after a version of it, oldest first."""
        statement = (
            select(CaseEvent).where(CaseEvent.case == case, CaseEvent.version > after).order_by(CaseEvent.version)
        )
        with self._database.read() as session:
            return tuple(Event(one.at, one.by, one.what, one.version) for one in session.scalars(statement))

    def of_participant(self, participant: str, *, staff: bool) -> tuple[CaseView, ...]:
        """Return every case about a participant, newest first; reports of misuse for staff alone."""
        statement = select(Case).where(Case.participant == participant).order_by(Case.opened_at.desc(), Case.id)
        if not staff:
            statement = statement.where(Case.kind != "misuse")
        with self._database.read() as session:
            return tuple(whole(session, list(session.scalars(statement)), staff=staff))

    def related(self, case: CaseView, limit: int = 10) -> tuple[CaseView, ...]:
        """Return other cases of the same participant or of the same e-mail domain, newest first, for staff.

        A domain that hundreds share is a provider's, and says nothing.
        """
        if case.participant is None:
            return ()
        with self._database.read() as session:
            person = session.get(tables.Participant, case.participant)
            domain = (person.email or "").rpartition("@")[2] if person is not None else ""
            near = {case.participant, *(_of_domain(session, domain) if domain else ())}
            statement = (
                select(Case)
                .where(Case.participant.in_(near), Case.id != case.id)
                .order_by(Case.opened_at.desc(), Case.id)
                .limit(limit)
            )
            return tuple(whole(session, list(session.scalars(statement)), staff=True))

    def beside(self, case: str, chosen: Filter) -> tuple[str | None, str | None]:
        """Return the ids of the open cases before and after one, among those chosen; None at the ends."""
        with self._database.read() as session:
            row = session.get(Case, case)
            if row is None:
                raise no_case()
            facets = _facets(session, chosen)
            waits = self._narrowed(session, select(Case.id), replace(chosen, status=None), facets)
            waits = waits.where(Case.status == State.OPEN, Case.id != row.id)
            earlier = or_(Case.due_at < row.due_at, and_(Case.due_at == row.due_at, Case.id < row.id))
            before = waits.where(earlier).order_by(Case.due_at.desc(), Case.id.desc()).limit(1)
            after = waits.where(~earlier).order_by(Case.due_at, Case.id).limit(1)
            return session.scalar(before), session.scalar(after)

    def _check(self, chosen: Filter) -> None:
        known = {
            "kind": (chosen.kind, CASE_KINDS),
            "status": (chosen.status, STATUSES),
            "participant_kind": (chosen.participant_kind, [kind.id for kind in self._campaign.eligibility.kinds]),
            "purpose": (chosen.purpose, list(self._campaign.eligibility.purposes)),
            "team": (chosen.team, [team.id for team in self._campaign.desk.teams]),
        }
        errors = [
            FieldError(f"?{name}", f"Choose one of {', '.join(options)}.")
            for name, (value, options) in known.items()
            if value is not None and value not in options
        ]
        if errors:
            raise InvalidRequest(errors=errors)

    def _narrowed(
        self, session: Session, statement: Select[*tuple[Any, ...]], chosen: Filter, facets: Facets
    ) -> Select[*tuple[Any, ...]]:
        """Return the statement with the conditions of a filter, of its facets with these alone."""
        person = tables.Participant
        scopes = [] if chosen.team is None else [TeamScope((self._team(chosen.team),))]
        if chosen.within is not None and (mine := self._teams.scope(session, chosen.within)) is not None:
            scopes.append(mine)
        statement = statement.where(*(_has(facet, few) for facet, few in facets.items()))
        if scopes:
            statement = statement.outerjoin(person, person.id == Case.participant)
        for value, column in (
            (chosen.kind, Case.kind),
            (chosen.participant, Case.participant),
            (chosen.applicant, Case.participant),
            (chosen.assignee, Case.assignee),
        ):
            if value:
                statement = statement.where(column == value)
        if chosen.status:
            within = (State.OPEN, State.DECIDING) if chosen.status == "open" else (State(chosen.status),)
            waiting = select(Case.id).where(Case.status.in_(within))
            # Who waits are few among all cases, which a list of ids says and a condition does not.
            statement = statement.where(Case.id.in_(waiting) if chosen.status in OPEN else Case.status.in_(within))
        for scope in scopes:
            statement = statement.where(scope.condition())
        if chosen.portal:
            statement = statement.where(granted(session, chosen.portal, Case.participant))
        if not chosen.staff:
            statement = statement.where(Case.kind != "misuse")
        if chosen.q and (wanted := chosen.q.strip()[:LONGEST_QUERY]):
            found = search.finds(session, wanted) if chosen.staff else search.finds_own(wanted)
            statement = statement.where(found)
        return statement

    def _team(self, name: str) -> Team:
        found = self._teams.find(name)
        assert found is not None  # checked before
        return found


def _of_domain(session: Session, domain: str) -> list[str]:
    """The ids of those whose address is of a domain; none where they are more than a few."""
    few = PEOPLE.few(session, f"@{domain}")
    if few is None:
        return []
    person = tables.Participant
    ends = person.email.endswith(f"@{domain}", autoescape=True)
    return list(session.scalars(select(person.id).where(person.id.in_(few), ends)))


def _facets(session: Session, chosen: Filter) -> Facets:
    """The facets that cases have to have, each with the ids of all cases that do, None where these are many."""
    wanted = ("purpose", chosen.purpose), ("country", chosen.country), ("participant_kind", chosen.participant_kind)
    found: Facets = {}
    for name, value in wanted:
        if value:
            facet = f"{name}:{value}"
            few = list(session.scalars(select(CaseFacet.case).where(CaseFacet.facet == facet).limit(FEW + 1)))
            found[facet] = few if len(few) <= FEW else None
    return found


def _has(facet: str, few: list[str] | None) -> ColumnElement[bool]:
    """The condition that a case has a facet: one of a few ids, or else asked case by case."""
    if few is not None:
        return Case.id.in_(few)
    one = aliased(CaseFacet)  # beside that which leads, where there is one
    return exists().where(one.case == Case.id, one.facet == facet)


def _leads(session: Session, chosen: Filter, facets: Facets) -> str | None:
    """The facet in whose order a list is read; None where another filter leaves fewer cases.

    Where many cases have a facet its index has them in the list's order, and a page is soon full: sooner by the facet
    that fewer have. What names few cases, or those that wait, is looked up and sorted.
    """
    named = chosen.participant or chosen.applicant or chosen.assignee or chosen.q
    if named or chosen.status in OPEN or chosen.kind == "misuse" or any(few is not None for few in facets.values()):
        return None
    if len(facets) < 2:
        return next(iter(facets), None)

    def size(facet: str) -> int:
        some = select(CaseFacet.case).where(CaseFacet.facet == facet).limit(_SOME).subquery()
        return session.scalar(select(func.count()).select_from(some)) or 0

    return min(facets, key=size)


def whole(session: Session, rows: list[Case], *, staff: bool) -> list[CaseView]:
    """Return cases with their messages, files and events."""
    ids = [row.id for row in rows]
    messages = grouped(
        session.scalars(
            select(CaseMessage).where(CaseMessage.case.in_(ids)).order_by(CaseMessage.at, CaseMessage.id)
        ).all()
    )
    kept = CaseFile.dropped_at.is_(None)
    files = grouped(
        session.scalars(select(CaseFile).where(CaseFile.case.in_(ids), kept).order_by(CaseFile.at, CaseFile.id)).all()
    )
    events = grouped(session.scalars(select(CaseEvent).where(CaseEvent.case.in_(ids)).order_by(CaseEvent.id)).all())
    return [
        CaseView.of(row, messages.get(row.id, ()), files.get(row.id, ()), events.get(row.id, ()), staff=staff)
        for row in rows
    ]


def seen(session: Session, row: Case, *, staff: bool) -> CaseView:
    """Return a case as it is in this transaction."""
    session.flush()
    return whole(session, [row], staff=staff)[0]


def overdue(session: Session, now: datetime, limit: int) -> list[str]:
    """Return the ids of cases that wait for staff for too long, and of which nobody has been told."""
    statement = (
        select(Case.id)
        .where(Case.status == State.OPEN, Case.due_at < now, Case.overdue_told_at.is_(None))
        .order_by(Case.due_at, Case.id)
        .limit(limit)
    )
    return list(session.scalars(statement))
