"""Pages of lists: newest first, ties by id, with an opaque cursor that says where the next page begins."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, Select, and_, or_
from sqlalchemy.orm import InstrumentedAttribute, Session

from ..problems import FieldError, InvalidRequest

T = TypeVar("T")
U = TypeVar("U")
MOST = 200
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True)
class Page(Generic[T]):
    """Some items of a list; ``next_cursor`` asks for those that follow and is None at the end."""

    items: tuple[T, ...]
    next_cursor: str | None

    def map(self, change: Callable[[T], U]) -> Page[U]:
        """The page with every item changed."""
        return Page(tuple(change(item) for item in self.items), self.next_cursor)


#: What a cursor may be, as JSON Schema writes patterns.
CURSOR = r"^[A-Za-z0-9_-]+$"


def encode_cursor(at: datetime, id: str) -> str:  # noqa: A002  # it is what lists are sorted by
    """The cursor behind an item of this instant and id."""
    text = f"{(at - _EPOCH) // _MICROSECOND} {id}"
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode_cursor(cursor: str) -> tuple[datetime, str]:
    """The instant and id of a cursor; InvalidRequest for one that ``encode_cursor`` cannot have made."""
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        text = base64.b64decode(padded, altchars=b"-_", validate=True).decode()
        micros, _, found = text.partition(" ")
        at = _EPOCH + int(micros) * _MICROSECOND
        if encode_cursor(at, found) != cursor or "\0" in found:
            raise ValueError("another text of the same cursor")
    except (ValueError, OverflowError, binascii.Error) as error:
        detail = "This cursor is not one of ours: send next_cursor of the page before, or none for the first page."
        raise InvalidRequest(errors=[FieldError("?cursor", detail)]) from error
    return at, found


def after(
    at: InstrumentedAttribute[datetime],
    id: InstrumentedAttribute[str],  # noqa: A002
    cursor: str,
    *,
    newest_first: bool = True,
) -> ColumnElement[bool]:
    """The condition for what follows the cursor in a list that is newest (or oldest) first, ties by id."""
    instant, last = decode_cursor(cursor)
    # The first part says nothing new, but it is where an index is entered.
    if newest_first:
        return and_(at <= instant, or_(at < instant, id > last))
    return and_(at >= instant, or_(at > instant, id > last))


def paginate(
    session: Session,
    statement: Select[Any],
    at: InstrumentedAttribute[datetime],
    id: InstrumentedAttribute[str],  # noqa: A002
    *,
    cursor: str | None = None,
    limit: int = 50,
    newest_first: bool = True,
) -> Page[Any]:
    """One page of a select's rows, sorted by ``at`` (newest first, unless it is said otherwise) and ``id``.

    Raises InvalidRequest for a bad cursor (``?cursor``) or a limit outside 1 to 200 (``?limit``).
    """
    if not 1 <= limit <= MOST:
        raise InvalidRequest(errors=[FieldError("?limit", f"Give a whole number from 1 to {MOST}.")])
    if cursor is not None:
        statement = statement.where(after(at, id, cursor, newest_first=newest_first))
    # The sorting columns come last in each row, whatever else is selected; one row more says whether it goes on.
    first = at.desc() if newest_first else at.asc()
    statement = statement.add_columns(at, id).order_by(first, id.asc()).limit(limit + 1)
    rows = session.execute(statement).all()
    shown = rows[:limit]
    goes_on = len(rows) > limit
    return Page(tuple(row[:-2] for row in shown), encode_cursor(*shown[-1][-2:]) if goes_on else None)
