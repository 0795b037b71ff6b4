"""Answers about cases."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal, Self

from pydantic import Field

from ..campaign.desk import CaseKind
from ..desk import CaseView, ChangeView, FileView, MessageView
from ..desk.states import Status
from .base import Answer, Instant, ListAnswer, Purpose


class CaseMessageAnswer(Answer):
    """A message. What is not visible is for staff alone."""

    id: str
    at: Instant
    by: str = Field(description="Who wrote it, as a role and an id")
    text: str
    visible: bool
    files: list[str] = Field(description="Ids of files of the case")

    @classmethod
    def of(cls, seen: MessageView) -> Self:
        """Return the message."""
        return cls(id=seen.id, at=seen.at, by=seen.by, text=seen.text, visible=seen.visible, files=list(seen.files))


class CaseFileAnswer(Answer):
    """A file of a case, without its bytes."""

    id: str
    at: Instant
    by: str
    name: str
    media_type: str
    bytes: int
    check: str | None = Field(None, description="The verdict of the artwork check, where one was made")
    artwork_check: str | None = Field(None, description="The id of that check")

    @classmethod
    def of(cls, seen: FileView) -> Self:
        """Return the file."""
        more: dict[str, Any] = {}
        if seen.verdict is not None:
            more = {"check": seen.verdict, "artwork_check": seen.artwork_check}
        return cls(
            id=seen.id, at=seen.at, by=seen.by, name=seen.name, media_type=seen.media_type, bytes=seen.bytes, **more
        )


class ChangeAnswer(Answer):
    """Changes that are asked for: what is to be otherwise than it stood on file when the case was opened."""

    field: str = Field(description="`purposes`, or `answers.` and the name of the question")
    before: Any
    after: Any

    @classmethod
    def of(cls, seen: ChangeView) -> Self:
        """Return the change."""
        return cls(field=seen.name, before=seen.before, after=seen.after)


class CaseDecisionAnswer(Answer):
    """Decision of a case."""

    outcome: Literal["approved", "declined", "upheld", "dismissed"]
    reason: str
    by: str = Field(description="Who decided: `rule`, or a person of the staff")
    at: Instant


class MisuseAnswer(Answer):
    """Facts of a report of misuse; for staff alone."""

    url: str
    email: str | None
    source: str = Field(description="`page` where somebody reported it, else what noticed it")


class CaseAnswer(Answer):
    """A case: something that a person has to decide."""

    id: str
    kind: CaseKind
    status: Status
    participant: str | None = Field(description="Whom it is about; null where staff know nobody yet, as with misuse")
    purposes: list[Purpose] = Field(description="The purposes that are asked for")
    assignee: str | None
    needs_second: bool = Field(description="Whether one person has approved, and a second one has to")
    opened_at: Instant
    due_at: Instant = Field(description="By when it is decided, in working days; stands still while it is returned")
    changed_at: Instant
    messages: list[CaseMessageAnswer]
    files: list[CaseFileAnswer]
    changes: list[ChangeAnswer]
    decision: CaseDecisionAnswer | None
    report: MisuseAnswer | None = None

    @classmethod
    def of(cls, seen: CaseView) -> Self:
        """Return the case; ``seen`` was made for its reader."""
        decision = None
        if seen.outcome is not None and seen.decided_at is not None:
            decision = CaseDecisionAnswer(
                outcome=seen.outcome,
                reason=seen.reason or "",
                by=seen.decided_by or "",
                at=seen.decided_at,
            )
        more: dict[str, Any] = {}
        if seen.report is not None:
            told = seen.report
            more["report"] = MisuseAnswer(url=told["url"], email=told.get("email"), source=told["source"])
        return cls(
            id=seen.id,
            kind=seen.kind,
            status=seen.status,
            participant=seen.participant,
            purposes=list(seen.purposes),
            assignee=seen.assignee,
            needs_second=seen.needs_second,
            opened_at=seen.opened_at,
            due_at=seen.due_at,
            changed_at=seen.changed_at,
            messages=[CaseMessageAnswer.of(one) for one in seen.messages],
            files=[CaseFileAnswer.of(one) for one in seen.files],
            changes=[ChangeAnswer.of(one) for one in seen.changes],
            decision=decision,
            **more,
        )


class CasesAnswer(ListAnswer):
    """A page of cases, the soonest due first."""

    cases: list[CaseAnswer]

    @classmethod
    def of(cls, seen: Iterable[CaseView], next_cursor: str | None) -> Self:
        """Return the page."""
        return cls(cases=[CaseAnswer.of(one) for one in seen], next_cursor=next_cursor)


class MisuseReportAnswer(Answer):
    """A report of misuse that was taken."""

    id: str = Field(description="The id of the case")
