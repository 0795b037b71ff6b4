"""Rows of cases inside a transaction: opening one, locking one, and noting each change of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from .. import ledger
from ..campaign import Campaign
from ..campaign.desk import CaseKind
from ..ids import new_id
from ..participants.rows import locked as locked_participant
from ..problems import CaseOpen, ChangedMeanwhile, NotFound
from ..store import tables
from ..store.desk_tables import Case, CaseEvent, CaseMessage
from . import search
from .states import CaseAction, State, allowed, follow, shown

OPEN = (State.OPEN, State.RETURNED, State.DECIDING)  # states of a case that waits for somebody

Expected = Collection[int] | None  # versions of a case that a caller has seen; None where it does not say


class Openings:
    """Opens cases by the campaign's desk."""

    def __init__(self, campaign: Campaign) -> None:
        self._campaign = campaign

    def joining(self, session: Session, row: tables.Participant, by: str, now: datetime) -> None:
        """Open the case of an application that is held for review, in the transaction that joins."""
        self.open(session, "joining", row, purposes=row.purposes, by=by, now=now)

    def open(
        self,
        session: Session,
        kind: CaseKind,
        row: tables.Participant | None,
        *,
        purposes: Sequence[str] = (),
        answers: Mapping[str, Any] | None = None,
        report: Mapping[str, Any] | None = None,
        by: str,
        now: datetime,
    ) -> Case:
        """Open a case, in the caller's transaction; ``answers`` and ``purposes`` are what is asked for from now on."""
        clock = self._campaign.desk.clock
        before: dict[str, Any] | None = None
        if row is not None:
            before = {"purposes": list(row.purposes), "answers": dict(row.answers or {})}
            if row.status == "suspended" and kind == "joining":
                before["status"] = row.status
        case = Case(
            id=new_id("cas"),
            kind=kind,
            status=State.OPEN.value,
            participant=row.id if row is not None else None,
            purposes=list(purposes),
            answers=dict(answers) if answers is not None else (before or {}).get("answers"),
            before=before,
            report=dict(report) if report is not None else None,
            opened_by=by,
            opened_at=now,
            due_at=clock.after(now, clock.days_for(kind)),
            changed_at=now,
            version=0,
        )
        session.add(case)
        search.remember(session, case)
        note(session, case, CaseAction.OPEN, by, now)
        entry = ledger.CaseOpenedEntry(case=case.id, case_kind=kind, participant=case.participant, by=by)
        ledger.append(session, entry, now)
        return case


def asks_to_lift(case: Case) -> bool:
    """Tell whether a case asks that a suspension be lifted."""
    return case.before is not None and case.before.get("status") == "suspended"


def locked(session: Session, case: str) -> tuple[Case, tables.Participant | None]:
    """Return a case and its participant, which nobody else changes until the transaction ends. Raises NotFound.

    The participant's row is locked first, as everywhere, so that no two wait for each other.
    """
    seen = session.get(Case, case)
    if seen is None:
        raise no_case()
    participant = locked_participant(session, seen.participant) if seen.participant else None
    found = session.get(Case, case, with_for_update=True, populate_existing=True)
    if found is None:
        raise no_case()
    return found, participant


def open_case_of(session: Session, participant: str) -> Case | None:
    """Return the case of a participant that waits for somebody; there is at most one. Reports of misuse are none."""
    return session.scalar(
        select(Case).where(Case.participant == participant, Case.status.in_(OPEN), Case.kind != "misuse")
    )


def require_none_open(session: Session, participant: str) -> None:
    """Raise CaseOpen, which names the case, where one of the participant's waits for somebody."""
    if (case := open_case_of(session, participant)) is not None:
        raise CaseOpen(extra={"case": case.id})


def advance(
    session: Session, case: Case, action: CaseAction, by: str, now: datetime, expected: Expected = None
) -> None:
    """Do an action: the state that follows, a new version, and who did what.

    Raises what ``follow`` raises, and ChangedMeanwhile where the caller has seen none of the ``expected`` versions.
    """
    after = follows(session, case, action)
    if expected is not None and case.version not in expected:
        raise changed_meanwhile(session, case)
    case.status = after.value
    note(session, case, action, by, now)


def follows(session: Session, case: Case, action: CaseAction) -> State:
    """Return the state after an action. Raises what ``follow`` raises, with who brought the case into its state."""
    if action in allowed(case.status):
        return follow(case.status, action)
    steps = [one.value for one in CaseAction if one not in (CaseAction.NOTE, CaseAction.ASSIGN)]
    last = select(CaseEvent).where(CaseEvent.case == case.id, CaseEvent.what.in_(steps))
    event = session.scalar(last.order_by(CaseEvent.id.desc()).limit(1))
    return follow(case.status, action, None if event is None else (event.by, event.what))


def note(session: Session, case: Case, action: CaseAction, by: str, now: datetime) -> None:
    """Note a change of a case."""
    case.version += 1
    case.changed_at = now
    session.add(CaseEvent(case=case.id, version=case.version, at=now, by=by, what=action.value))


def changed_meanwhile(session: Session, case: Case) -> ChangedMeanwhile:
    """Return the problem that says who did what last."""
    event = session.scalar(select(CaseEvent).where(CaseEvent.case == case.id).order_by(CaseEvent.id.desc()).limit(1))
    more: dict[str, Any] = {"case_status": shown(case.status)}
    if event is None:
        return ChangedMeanwhile(extra=more)
    more["changed"] = {"by": event.by, "what": event.what}
    detail = "Meanwhile %(by)s did this: %(what)s. Read the case again, and decide on what it is now."
    return ChangedMeanwhile(detail, values={"by": event.by, "what": event.what.replace("_", " ")}, extra=more)


def add_message(
    session: Session, case: Case, text: str, *, by: str, visible: bool, files: Sequence[str], now: datetime
) -> CaseMessage:
    """Add a message to a case, in the caller's transaction."""
    row = CaseMessage(
        id=new_id("msg"), case=case.id, at=now, by=by, text=text, visible=visible, files=list(dict.fromkeys(files))
    )
    session.add(row)
    search.add(session, case.id, text)
    return row


def no_case() -> NotFound:
    """Return the problem of an id that is no case's, or another's."""
    return NotFound("There is no case of this id that you may see.")
