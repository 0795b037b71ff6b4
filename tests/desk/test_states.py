"""Interleavings of two reviewers and an applicant never lose or double a decision, a mail or an entry.

``EMBLEM_INTERLEAVINGS=1000`` runs as many on each database; each is up to 14 steps, with a database of its own: a file
in memory where the system has such a place, or a copy of a migrated one on a PostgreSQL server.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import select

from service.campaign import Campaign
from service.campaign.desk import DeskPolicy
from service.desk import UNDO_FOR
from service.problems import Problem
from service.store import Database
from service.store.tables import LedgerEntry

from ..conftest import FrozenClock
from ..parts.postgres import Postgres
from .conftest import Office, office_of

_EXAMPLES = {  # on PostgreSQL each costs a copy of a database
    name: int(os.environ.get("EMBLEM_INTERLEAVINGS", few)) for name, few in {"sqlite": "20", "postgres": "4"}.items()
}
_MEMORY = Path("/dev/shm")  # a folder of one's own is made in it
_PLACE = _MEMORY if _MEMORY.is_dir() and os.access(_MEMORY, os.W_OK) else None  # elsewhere a disk does
REVIEWERS = ("staff:stf_anne", "staff:stf_ben")
_PERSON = st.sampled_from(REVIEWERS)
_OUTCOME = st.sampled_from(["approved", "declined"])


class Interleavings(RuleBasedStateMachine):
    """One case that two reviewers and its applicant work on, each from what they saw last."""

    new_database: ClassVar[Callable[[Path], str]]  # a folder of one's own → the URL of a database at the newest schema
    drop_database: ClassVar[Callable[[str], None]]
    campaign: ClassVar[Campaign]

    @initialize(two=st.booleans())
    def begin(self, two: bool) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="emblem-desk-", dir=_PLACE))
        self.url = type(self).new_database(self.folder)
        policy = DeskPolicy.model_validate({"two_people": [{}]}) if two else DeskPolicy()
        campaign = replace(self.campaign, desk=policy)
        self.database = Database(self.url)
        self.office: Office = office_of(self.database, campaign, FrozenClock(), self.folder)
        self.case = self.office.held()
        self.two = two
        self.approvals: set[str] = set()  # by whom, since the applicant wrote last
        self.seen = dict.fromkeys(REVIEWERS, self.case.version)
        self.colleague = self.office.people.staff.list()[0].id
        self.mails = self._mails()
        self.returned = 0
        self.told = 0  # mails to whoever has the case
        self.withdrawn = False

    def teardown(self) -> None:
        if hasattr(self, "database"):
            self.office.mailer.close()
            self.database.close()
            type(self).drop_database(self.url)
            shutil.rmtree(self.folder)

    @rule(who=_PERSON)
    def look(self, who: str) -> None:
        self.seen[who] = self.office.get(self.case.id).version

    @rule(who=_PERSON, outcome=_OUTCOME, tagged=st.booleans())
    def decide(self, who: str, outcome: str, tagged: bool) -> None:
        before = self.office.get(self.case.id)
        expected = {self.seen[who]} if tagged else None
        try:
            after = self.office.desk.deciding.decide(self.case.id, outcome, reason="So.", by=who, expected=expected)
        except Problem:
            assert self.office.get(self.case.id) == before
            return
        assert before.outcome is None
        assert not tagged or before.version == self.seen[who]
        self._decided(who, outcome, after.outcome)

    @rule(who=_PERSON, outcome=_OUTCOME)
    def suspense(self, who: str, outcome: str) -> None:
        try:
            self.office.desk.deciding.suspense(self.case.id, outcome, reason="So.", by=who)
        except Problem:
            return
        self.waits = who, outcome

    @rule(who=_PERSON)
    def undo(self, who: str) -> None:
        waited = self.office.get(self.case.id).pending is not None
        try:
            self.office.desk.deciding.undo(self.case.id, by=who)
        except Problem:
            assert not waited
            return
        assert waited

    @rule(seconds=st.sampled_from([1.0, UNDO_FOR.total_seconds()]))
    def settle(self, seconds: float) -> None:
        self.office.clock.advance(seconds)
        if self.office.desk.deciding.settle():
            self._decided(*self.waits, self.office.get(self.case.id).outcome)

    @rule(who=_PERSON)
    def ask_back(self, who: str) -> None:
        try:
            self.office.desk.conversation.write(self.case.id, "Why?", by=who, back=True)
        except Problem:
            return
        self.returned += 1

    @rule()
    def answer(self) -> None:
        before = self.office.get(self.case.id)
        try:
            self.office.desk.conversation.answer(self.case.id, "So.", by="page")
        except Problem:
            return
        self.approvals.clear()
        self.told += before.status == "returned" and before.assignee is not None

    @rule()
    def withdraw(self) -> None:
        before = self.office.get(self.case.id)
        try:
            self.office.desk.conversation.withdraw(self.case.id, by="page")
        except Problem:
            assert self.office.get(self.case.id) == before
            return
        assert before.outcome is None
        assert not self.withdrawn
        self.withdrawn = True

    @rule(who=_PERSON, given=st.booleans())
    def assign(self, who: str, given: bool) -> None:
        before = self.office.get(self.case.id)
        try:
            self.office.desk.conversation.assign(self.case.id, self.colleague if given else None, by=who)
        except Problem:
            return
        self.told += given and before.assignee is None

    @rule(who=_PERSON)
    def note(self, who: str) -> None:
        self.office.desk.conversation.write(self.case.id, "Hm.", by=who, visible=False)

    def _decided(self, who: str, outcome: str, came_out: str | None) -> None:
        """What one more word means: an approval counts once a person, and two of them where two are needed."""
        if outcome == "approved":
            assert who not in self.approvals
            self.approvals.add(who)
        ended = outcome == "declined" or len(self.approvals) == (2 if self.two else 1)
        assert came_out == (outcome if ended else None)

    def _mails(self) -> int:
        return len(os.listdir(self.office.outbox.folder))  # noqa: PTH208  # once a step

    def _entries(self) -> dict[str, list[dict[str, Any]]]:
        found: dict[str, list[dict[str, Any]]] = defaultdict(list)
        with self.database.read() as session:
            for row in session.scalars(select(LedgerEntry).order_by(LedgerEntry.seq)):
                found[row.kind].append(json.loads(row.body))
        return found

    @invariant()
    def nothing_is_lost_or_doubled(self) -> None:
        if not hasattr(self, "case"):
            return
        case = self.office.get(self.case.id)
        done = 0 if case.outcome is None else 1
        made = self._entries()
        ends = [*([case.outcome] if case.outcome else []), *(["withdrawn"] if self.withdrawn else [])]
        assert [entry["outcome"] for entry in made["case.decided"]] == ends
        assert len(made["case.returned"]) == self.returned
        assert self._mails() == self.mails + self.returned + self.told + done
        came_out = "declined" if self.withdrawn else case.outcome
        decided = [entry["outcome"] for entry in made["participant.decided"]]
        assert decided == ["review", *([came_out] if came_out else [])]
        status = self.office.status(case.participant)
        assert status == (came_out or ("returned" if case.returned_at else "under_review"))
        assert [event.version for event in case.events] == list(range(1, case.version + 1))


@pytest.mark.parametrize("backend", ["sqlite", "postgres"])
def test_two_reviewers_at_once(backend: str, request: pytest.FixtureRequest, campaign: Campaign) -> None:
    migrated = request.getfixturevalue(f"_migrated_{backend}")
    if backend == "postgres":
        server: Postgres = request.getfixturevalue("postgres")
        Interleavings.new_database = lambda _folder: server.new_database(like=migrated)
        Interleavings.drop_database = server.drop
    else:
        Interleavings.new_database = lambda folder: f"sqlite:///{shutil.copyfile(migrated, folder / 'emblem.sqlite3')}"
        Interleavings.drop_database = lambda _url: None  # it goes with its folder
    Interleavings.campaign = campaign
    run_state_machine_as_test(
        Interleavings,
        settings=settings(
            max_examples=_EXAMPLES[backend],
            stateful_step_count=14,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
