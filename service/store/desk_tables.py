"""The tables of the desk: cases, their messages and files, and what happened to each."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, Integer, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from .tables import Base, BigId


class Case(Base):
    """Case that a person decides; ``status`` is a state of ``service.desk.states``, ``version`` grows by each change.

    ``before`` is what stood on file when the case was opened, ``purposes`` and ``answers`` are what is asked for;
    ``report`` is what a report of misuse says. ``pending`` is a decision of the console that can still be undone.
    """

    __tablename__ = "cases"
    __table_args__ = (
        Index("ix_cases_due_at_id", "due_at", "id"),
        Index("ix_cases_participant", "participant"),
        Index("ix_cases_status_due", "status", "due_at", "id"),
        Index("ix_cases_kind_due", "kind", "due_at", "id"),
        Index("ix_cases_kind_status_due", "kind", "status", "due_at", "id"),
        Index(
            "ix_cases_assignee_due",
            "assignee",
            "due_at",
            "id",
            sqlite_where=text("assignee IS NOT NULL"),
            postgresql_where=text("assignee IS NOT NULL"),
        ),
    )
    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    kind: Mapped[str] = mapped_column(String(10))
    status: Mapped[str] = mapped_column(String(10))
    participant: Mapped[str | None] = mapped_column(ForeignKey("participants.id"))
    purposes: Mapped[list[str]]
    answers: Mapped[dict[str, Any] | None]
    before: Mapped[dict[str, Any] | None]
    report: Mapped[dict[str, Any] | None]
    opened_by: Mapped[str] = mapped_column(String(60))
    assignee: Mapped[str | None] = mapped_column(String(60))
    first_by: Mapped[str | None] = mapped_column(String(60))  # who approved first, where two have to
    opened_at: Mapped[datetime]
    due_at: Mapped[datetime]
    returned_at: Mapped[datetime | None]  # while the case is with the applicant
    overdue_told_at: Mapped[datetime | None]
    changed_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(Integer)
    outcome: Mapped[str | None] = mapped_column(String(20))
    reason: Mapped[str | None] = mapped_column(Text)
    decided_by: Mapped[str | None] = mapped_column(String(60))
    decided_at: Mapped[datetime | None]
    pending: Mapped[dict[str, Any] | None]
    pending_until: Mapped[datetime | None] = mapped_column(index=True)


class CaseMessage(Base):
    """A message in a case; what is not ``visible`` is for staff alone."""

    __tablename__ = "case_messages"
    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    case: Mapped[str] = mapped_column(ForeignKey("cases.id"), index=True)
    at: Mapped[datetime]
    by: Mapped[str] = mapped_column(String(60))
    text: Mapped[str] = mapped_column(Text)
    visible: Mapped[bool]
    files: Mapped[list[str]]


class CaseWords(Base):
    """Text that staff find a case by: its id, what a report says, its messages; migrations index its trigrams."""

    __tablename__ = "case_words"
    number: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    case: Mapped[str] = mapped_column(ForeignKey("cases.id"), unique=True)
    words: Mapped[str] = mapped_column(Text)


class CaseFile(Base):
    """A file of a case; its bytes lie in the storage under its id until ``dropped_at``."""

    __tablename__ = "case_files"
    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    case: Mapped[str] = mapped_column(ForeignKey("cases.id"), index=True)
    at: Mapped[datetime]
    by: Mapped[str] = mapped_column(String(60))
    name: Mapped[str] = mapped_column(Text)
    media_type: Mapped[str] = mapped_column(String(40))
    bytes: Mapped[int] = mapped_column(Integer)
    sha256: Mapped[str] = mapped_column(String(64))
    visible: Mapped[bool]  # what staff add is theirs until a visible message names it
    artwork_check: Mapped[str | None] = mapped_column(String(40))
    verdict: Mapped[str | None] = mapped_column(String(20))
    dropped_at: Mapped[datetime | None] = mapped_column(index=True)  # forgotten; the bytes are deleted soon after


class CaseEvent(Base):
    """One change of a case: who did what, and the version that it made."""

    __tablename__ = "case_events"
    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    case: Mapped[str] = mapped_column(ForeignKey("cases.id"), index=True)
    version: Mapped[int] = mapped_column(Integer)
    at: Mapped[datetime]
    by: Mapped[str] = mapped_column(String(60))
    what: Mapped[str] = mapped_column(String(20))


class DeskDigest(Base):
    """A mail to a person of the staff of who waits: one a day of the desk's zone."""

    __tablename__ = "desk_digests"
    staff: Mapped[str] = mapped_column(String(40), primary_key=True)
    day: Mapped[str] = mapped_column(String(10), primary_key=True)
    at: Mapped[datetime]


class Ending(Base):
    """A link or an embed that staff ended in the console, or whose end they took back, and why."""

    __tablename__ = "endings"
    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    subject: Mapped[str] = mapped_column(String(40), index=True)  # the link's id, or the embed's key
    participant: Mapped[str] = mapped_column(ForeignKey("participants.id"), index=True)
    what: Mapped[str] = mapped_column(String(10))  # ended, restored
    at: Mapped[datetime]
    by: Mapped[str] = mapped_column(String(60))
    reason: Mapped[str | None] = mapped_column(Text)  # None once its participant is erased
