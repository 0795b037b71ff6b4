"""Cases as they are seen: by staff whole, by an applicant without what is staff's alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ..store.desk_tables import Case, CaseEvent, CaseFile, CaseMessage
from .rows import asks_to_lift
from .states import State, Status, shown


@dataclass(frozen=True)
class MessageView:
    """A message of a case; ``files`` are ids."""

    id: str
    at: datetime
    by: str
    text: str = field(repr=False)
    visible: bool
    files: tuple[str, ...]

    @classmethod
    def of(cls, row: CaseMessage) -> MessageView:
        """Return the message of a row."""
        return cls(row.id, row.at, row.by, row.text, row.visible, tuple(row.files))


@dataclass(frozen=True)
class FileView:
    """A file of a case; ``verdict`` is that of its artwork check, where there was one."""

    id: str
    at: datetime
    by: str
    name: str = field(repr=False)
    media_type: str
    bytes: int
    visible: bool
    artwork_check: str | None
    verdict: str | None

    @classmethod
    def of(cls, row: CaseFile) -> FileView:
        """Return the file of a row."""
        return cls(
            row.id, row.at, row.by, row.name, row.media_type, row.bytes, row.visible, row.artwork_check, row.verdict
        )


@dataclass(frozen=True)
class ChangeView:
    """One thing that is asked for otherwise than it stands on file: ``purposes`` or ``answers.<name>``."""

    name: str
    before: Any = field(repr=False)
    after: Any = field(repr=False)


@dataclass(frozen=True)
class Event:
    """Event of a case: who took which step of its state machine."""

    at: datetime
    by: str
    what: str
    version: int


@dataclass(frozen=True)
class Pending:
    """A decision of the console that can be undone until ``until``."""

    outcome: str
    reason: str = field(repr=False)
    by: str
    until: datetime


@dataclass(frozen=True)
class CaseView:
    """A case. ``of`` leaves out what its reader may not see."""

    id: str
    kind: str
    status: Status
    participant: str | None
    purposes: tuple[str, ...]
    answers: Mapping[str, Any] | None = field(repr=False)
    report: Mapping[str, Any] | None = field(repr=False)
    assignee: str | None
    needs_second: bool
    first_by: str | None
    opened_at: datetime
    opened_by: str
    due_at: datetime
    changed_at: datetime
    returned_at: datetime | None
    version: int
    outcome: str | None
    reason: str | None = field(repr=False)
    decided_by: str | None
    decided_at: datetime | None
    messages: tuple[MessageView, ...]
    files: tuple[FileView, ...]
    changes: tuple[ChangeView, ...]
    events: tuple[Event, ...]
    pending: Pending | None
    teams: tuple[str, ...] = ()
    lifts: bool = False  # asks that a suspension be lifted

    @classmethod
    def of(
        cls,
        row: Case,
        messages: Iterable[CaseMessage] = (),
        files: Iterable[CaseFile] = (),
        events: Iterable[CaseEvent] = (),
        *,
        staff: bool,
    ) -> CaseView:
        """Return the case of its rows; for others than ``staff`` without what is not visible."""
        waits = row.pending if row.status == State.DECIDING and row.pending_until is not None else None
        pending = None
        if waits and row.pending_until is not None and staff:
            pending = Pending(waits["outcome"], waits["reason"], waits["by"], row.pending_until)
        return cls(
            id=row.id,
            kind=row.kind,
            status=shown(row.status),
            participant=row.participant,
            purposes=tuple(row.purposes),
            answers=row.answers,
            report=row.report,
            assignee=row.assignee,
            needs_second=row.first_by is not None and row.outcome is None,
            first_by=row.first_by,
            opened_at=row.opened_at,
            opened_by=row.opened_by,
            due_at=row.due_at,
            changed_at=row.changed_at,
            returned_at=row.returned_at,
            version=row.version,
            outcome=row.outcome,
            reason=row.reason,
            decided_by=row.decided_by,
            decided_at=row.decided_at,
            messages=tuple(MessageView.of(one) for one in messages if staff or one.visible),
            files=tuple(FileView.of(one) for one in files if staff or one.visible),
            changes=changes(row),
            events=tuple(Event(one.at, one.by, one.what, one.version) for one in events),
            pending=pending,
            lifts=asks_to_lift(row),
        )

    def is_overdue(self, now: datetime) -> bool:
        """Tell whether the case waits for staff for longer than it should."""
        return self.status == "open" and self.due_at < now


def changes(row: Case) -> tuple[ChangeView, ...]:
    """Return what a case asks for otherwise than it stood on file when it was opened."""
    if row.before is None:
        return ()
    found = []
    if list(row.before["purposes"]) != list(row.purposes):
        found.append(ChangeView("purposes", list(row.before["purposes"]), list(row.purposes)))
    before, after = row.before["answers"], row.answers or {}
    names = [*before, *(name for name in after if name not in before)]
    found += [
        ChangeView(f"answers.{name}", before.get(name), after.get(name))
        for name in names
        if before.get(name) != after.get(name)
    ]
    return tuple(found)


def grouped(rows: Sequence[Any]) -> dict[str, list[Any]]:
    """Return rows that belong to cases, by the case's id."""
    found: dict[str, list[Any]] = {}
    for row in rows:
        found.setdefault(row.case, []).append(row)
    return found
