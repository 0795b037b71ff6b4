"""Trying policies out: every past application decided again by other rules. Nothing is written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session as Transaction

from ..campaign import Applicant, Campaign
from ..clock import Clock
from ..store import Database, tables
from .uptake import held_by, holders
from .views import BY_STAFF

_AT_ONCE = 1000  # rows that are in memory together


@dataclass(frozen=True)
class Otherwise:
    """An application that would be decided otherwise; ``after`` is None where its kind is there no more."""

    participant: str
    kind: str
    country: str | None
    before: str
    before_rule: str
    after: str | None
    after_rule: str | None


@dataclass(frozen=True)
class Trial:
    """Changes that other policies would make: of so many applications these, and who would accept terms again."""

    applications: int
    otherwise: tuple[Otherwise, ...]
    accept_again: int


def try_policies(database: Database, campaign: Campaign, draft: Campaign, clock: Clock) -> Trial:
    """Decide every application again under ``draft``, and compare it with what a rule decided last.

    ``accept_again`` counts as ``count_asked_again`` does.
    """
    with database.read() as session:
        count, found = 0, []
        for person, outcome, rule in _applications(session):
            count += 1
            kind = draft.eligibility.find(person.kind)
            applicant = Applicant(person.kind, person.country, person.answers or {}, tuple(person.purposes))
            verdict = draft.eligibility.decide(applicant) if kind is not None else None
            after = verdict.outcome if verdict is not None else None
            if after != outcome:
                named = verdict.rule if verdict is not None else None
                found.append(Otherwise(person.id, person.kind, person.country, outcome, rule, after, named))
        return Trial(count, tuple(found), _accept_again(session, campaign, draft, clock()))


def count_asked_again(database: Database, campaign: Campaign, draft: Campaign, clock: Clock) -> int:
    """Count approved participants whom ``draft`` asks to accept at least one version of terms again.

    These have accepted what ``campaign`` has in force of some terms, or a version that is to come, and not the newest
    version that ``draft`` adds, whether its instant has come or not.
    """
    with database.read() as session:
        return _accept_again(session, campaign, draft, clock())


def _applications(session: Transaction) -> Iterator[tuple[tables.Participant, str, str]]:
    """Everybody who is not erased, with the outcome and the rule of the last decision that a rule made."""
    person, decision = tables.Participant, tables.Decision
    last = (
        select(func.max(decision.id))
        .where(decision.participant == person.id, decision.rule.not_in((BY_STAFF, "withdrawn")))
        .correlate(person)
        .scalar_subquery()
    )
    statement = (
        select(person, decision.outcome, decision.rule)
        .join(decision, decision.id == last)
        .where(person.status != "erased")
        .order_by(person.created_at, person.id)
        .execution_options(yield_per=_AT_ONCE)
    )
    for row in session.execute(statement):
        yield row[0], row[1], row[2]
        session.expunge(row[0])


def _accept_again(session: Transaction, campaign: Campaign, draft: Campaign, now: datetime) -> int:
    """Count approved participants who would have to accept at least one version of terms again."""
    again: dict[str, list[str]] = {}
    for terms in draft.terms.ids():
        before = campaign.terms.find_current(terms, now)
        if before is None:
            continue
        known = {version.version for version in campaign.terms.versions(terms)}
        added = [version for version in draft.terms.versions(terms) if version.version not in known]
        if not added or added[0].effective < before.effective:
            continue
        held = {one.version for one in campaign.terms.versions(terms) if one.effective >= before.effective}
        for versions, _ in holders(session, terms):
            accepted = {*versions.split()}
            if accepted & held and added[0].version not in accepted:
                again.setdefault(terms, []).append(versions)
    return held_by(session, again)
