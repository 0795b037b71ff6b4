"""The outbox: messages to the outside that wait in the database until they are delivered.

A message is added in the transaction that it tells of, or in one of its own, and is delivered at least once:
a process claims it for some time, tries, and notes how that ended. Where the process dies in between, the
claim runs out and another one tries again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import Text, cast, delete, func, or_, select, update
from sqlalchemy.orm import Session

from ..problems import FieldError, InvalidRequest
from .batches import changed
from .database import Database
from .paging import Page
from .tables import OutboxMessage

Channel = Literal["mail", "webhook"]

State = Literal["waiting", "delivered", "given up"]

_GIVEN_UP = "given up"  # what the outcome of such a message ends with
_DIGITS = 18  # of a number that every database takes
CLAIM = timedelta(minutes=3)  # longer than any attempt takes


@dataclass(frozen=True, slots=True)
class Claimed:
    """A message that this process may try now. ``attempts`` counts this one."""

    id: int
    recipient: str
    subject: str | None
    payload: dict[str, Any]
    created_at: datetime
    attempts: int


@dataclass(frozen=True, slots=True)
class Sent:
    """A message with how it went so far."""

    id: int
    recipient: str
    subject: str | None
    payload: dict[str, Any]
    created_at: datetime
    attempts: int
    outcome: str | None
    state: State


@dataclass(frozen=True, slots=True)
class Waiting:
    """Queue of a channel: how many messages, since when, and how many were given up."""

    messages: int
    oldest: datetime | None
    given_up: int


def add(
    session: Session,
    channel: Channel,
    recipient: str,
    payload: Mapping[str, Any],
    now: datetime,
    *,
    subject: str | None = None,
) -> None:
    """Add a message that is due at once, in the caller's transaction; ``subject`` is the id of what it tells of."""
    session.add(
        OutboxMessage(
            channel=channel,
            recipient=recipient,
            subject=subject,
            payload=dict(payload),
            created_at=now,
            due_at=now,
            attempts=0,
        )
    )


def recipients(database: Database, channel: Channel, now: datetime) -> list[str]:
    """Return who has messages that are due, who waits longest first."""
    statement = (
        select(OutboxMessage.recipient)
        .where(OutboxMessage.channel == channel, OutboxMessage.done_at.is_(None), OutboxMessage.due_at <= now)
        .group_by(OutboxMessage.recipient)
        .order_by(func.min(OutboxMessage.due_at), OutboxMessage.recipient)
    )
    with database.read() as session:
        return list(session.scalars(statement))


def claim(
    database: Database, channel: Channel, now: datetime, limit: int = 20, *, recipient: str | None = None
) -> list[Claimed]:
    """Claim up to ``limit`` messages that are due, oldest first; of several processes one gets each.

    With ``recipient`` only messages to it.
    """
    chosen = [OutboxMessage.channel == channel, OutboxMessage.done_at.is_(None), OutboxMessage.due_at <= now]
    if recipient is not None:
        chosen.append(OutboxMessage.recipient == recipient)
    due = select(OutboxMessage.id).where(*chosen).order_by(OutboxMessage.due_at, OutboxMessage.id).limit(limit)
    with database.read() as session:
        numbers = list(session.scalars(due))
    if not numbers:
        return []

    def work(session: Session) -> list[Claimed]:
        rows = session.scalars(
            select(OutboxMessage)
            .where(OutboxMessage.id.in_(numbers), OutboxMessage.done_at.is_(None), OutboxMessage.due_at <= now)
            .order_by(OutboxMessage.created_at, OutboxMessage.id)
            .with_for_update(skip_locked=True)
        )
        claimed = []
        for row in rows:
            row.due_at = now + CLAIM
            row.attempts += 1
            claimed.append(Claimed(row.id, row.recipient, row.subject, row.payload, row.created_at, row.attempts))
        return claimed

    return database.write(work)


def delivered(database: Database, message: int, now: datetime, outcome: str, *, keep: bool) -> None:
    """Note that a message has arrived: kept without its payload, or deleted."""
    gone = (
        update(OutboxMessage).where(OutboxMessage.id == message).values(done_at=now, outcome=outcome)
        if keep
        else delete(OutboxMessage).where(OutboxMessage.id == message)
    )
    database.write(lambda session: session.execute(gone))


def failed(database: Database, message: int, outcome: str, *, again: datetime | None, now: datetime) -> None:
    """Note that an attempt failed: tried again at ``again``, or given up where that is None."""
    values: dict[str, Any] = {"outcome": outcome, "due_at": again} if again else {"outcome": outcome, "done_at": now}
    database.write(
        lambda session: session.execute(update(OutboxMessage).where(OutboxMessage.id == message).values(**values))
    )


def waiting(database: Database, channel: Channel) -> Waiting:
    """Count what waits in a channel, and what was given up."""
    mine = OutboxMessage.channel == channel
    with database.read() as session:
        open_ = session.execute(
            select(func.count(), func.min(OutboxMessage.created_at)).where(mine, OutboxMessage.done_at.is_(None))
        ).one()
        lost = OutboxMessage.outcome.like(f"%{_GIVEN_UP}")
        given_up = session.scalar(select(func.count()).where(mine, OutboxMessage.done_at.is_not(None), lost))
    return Waiting(open_[0], open_[1], given_up or 0)


def listing(database: Database, channel: Channel, cursor: str | None, limit: int) -> Page[Sent]:
    """Return messages of a channel, newest first; InvalidRequest for a cursor that no page gave."""
    statement = select(OutboxMessage).where(OutboxMessage.channel == channel)
    if cursor is not None:
        number = number_of(cursor)
        if number is None:
            detail = "This cursor is not one of ours: send next_cursor of the page before, or none for the first page."
            raise InvalidRequest(errors=[FieldError("?cursor", detail)])
        statement = statement.where(OutboxMessage.id < number)
    with database.read() as session:
        rows = list(session.scalars(statement.order_by(OutboxMessage.id.desc()).limit(limit + 1)))
        items = tuple(_sent(row) for row in rows[:limit])
    return Page(items, str(items[-1].id) if len(rows) > limit else None)


def retry(database: Database, channel: Channel, number: int, now: datetime) -> bool:
    """Try a message that waits, or was given up, at once and with all its tries anew; False where there is none.

    One that was delivered stays as it is.
    """

    def work(session: Session) -> bool:
        row = session.get(OutboxMessage, number, with_for_update=True)
        if row is None or row.channel != channel:
            return False
        if _state(row) != "delivered":
            row.done_at, row.due_at, row.attempts = None, now, 0
        return True

    return database.write(work)


def number_of(text: str) -> int | None:
    """Read the number of a message as addresses have it; None for anything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _DIGITS else None


def _sent(row: OutboxMessage) -> Sent:
    state = _state(row)
    return Sent(row.id, row.recipient, row.subject, row.payload, row.created_at, row.attempts, row.outcome, state)


def _state(row: OutboxMessage) -> State:
    if row.done_at is None:
        return "waiting"
    return "given up" if (row.outcome or "").endswith(_GIVEN_UP) else "delivered"


def open_to(session: Session, channel: Channel, recipient: str) -> int:
    """Count the messages to a recipient that are neither delivered nor given up."""
    mine = (OutboxMessage.channel == channel, OutboxMessage.recipient == recipient, OutboxMessage.done_at.is_(None))
    return session.scalar(select(func.count()).where(*mine)) or 0


def withdraw(session: Session, channel: Channel, recipient: str, unwanted: Callable[[str], bool]) -> int:
    """Delete the messages to a recipient that wait and whose ``subject`` is ``unwanted``; returns how many."""
    mine = (OutboxMessage.channel == channel, OutboxMessage.recipient == recipient, OutboxMessage.done_at.is_(None))
    rows = session.execute(select(OutboxMessage.id, OutboxMessage.subject).where(*mine)).all()
    numbers = [number for number, subject in rows if unwanted(subject or "")]
    session.execute(delete(OutboxMessage).where(OutboxMessage.id.in_(numbers)))
    return len(numbers)


def forget(session: Session, channel: Channel, recipient: str) -> int:
    """Delete every message to a recipient, delivered or not; returns how many."""
    gone = session.execute(
        delete(OutboxMessage).where(
            OutboxMessage.channel == channel, func.lower(OutboxMessage.recipient) == recipient.lower()
        )
    )
    return int(getattr(gone, "rowcount", 0))


def forget_mentions(session: Session, values: Sequence[str], staff: Sequence[str]) -> int:
    """Delete the messages to webhooks and to ``staff`` that hold one of these values; return how many.

    What goes to others is about themselves, though a name in it may be the same.
    """
    if not values:
        return 0
    payload = cast(OutboxMessage.payload, Text)
    # Stored as JSON, so that is how the values are written there.
    held = or_(*(payload.contains(json.dumps(value)[1:-1], autoescape=True) for value in values))
    ours = or_(
        OutboxMessage.channel == "webhook", func.lower(OutboxMessage.recipient).in_([one.lower() for one in staff])
    )
    return changed(session, delete(OutboxMessage).where(held, ours))


def purge(database: Database, before: datetime) -> int:
    """Delete what was delivered or given up before that instant; returns how many."""
    gone = delete(OutboxMessage).where(OutboxMessage.done_at < before)
    return database.write(lambda session: int(getattr(session.execute(gone), "rowcount", 0)))
