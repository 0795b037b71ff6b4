"""Answers to requests with an ``Idempotency-Key``: the first one is kept for a day and given again.

A row is written before a request is handled, and filled with its answer after it. One without an answer belongs to
a request that is under way, or whose process died.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Text, cast, delete, or_, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from ..clock import Clock
from ..problems import IdempotencyKeyReused, RequestInFlight
from .batches import changed
from .database import Database
from .tables import IdempotentRequest

KEPT = timedelta(hours=24)
ABANDONED = timedelta(seconds=60)  # no request takes this long: its process died
_RETRY = {"Retry-After": "1"}


@dataclass(frozen=True)
class Taken:
    """A key that this request holds; ``scope`` is who asks and what for, ``at`` when it was taken."""

    scope: str
    key: str
    at: datetime


@dataclass(frozen=True)
class FirstAnswer:
    """The answer that a request with this key got, with its ``Location`` where it had one."""

    status: int
    body: dict[str, Any]
    location: str | None


class IdempotentRequests:
    """The requests with a key of one deployment. Safe to share between threads and processes."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def begin(self, scope: str, key: str, request_sha256: str) -> Taken | FirstAnswer:
        """Take the key for a request, or return the answer that its first request got.

        Raises IdempotencyKeyReused where that was another request, RequestInFlight where it is still under way.
        """
        now = self._clock()

        def take(session: Session) -> IdempotentRequest | None:
            row = session.get(IdempotentRequest, (scope, key), with_for_update=True)
            if row is not None:
                if now - row.created_at < (KEPT if row.status is not None else ABANDONED):
                    return row
                session.delete(row)
                session.flush()
            session.add(IdempotentRequest(scope=scope, key=key, request_sha256=request_sha256, created_at=now))
            session.flush()
            return None

        try:
            row = self._database.write(take)
        except IntegrityError as error:  # another process took it at this moment
            raise RequestInFlight(headers=_RETRY) from error
        if row is None:
            return Taken(scope, key, now)
        if row.request_sha256 != request_sha256:
            raise IdempotencyKeyReused
        if row.status is None:
            raise RequestInFlight(headers=_RETRY)
        return FirstAnswer(row.status, row.answer or {}, row.location)

    def keep(self, taken: Taken, answer: FirstAnswer) -> None:
        """Keep the answer of the request that took the key, unless another took it over meanwhile."""
        self._database.write(
            lambda session: session.execute(
                update(IdempotentRequest)
                .where(*_of(taken))
                .values(status=answer.status, answer=answer.body, location=answer.location)
            )
        )

    def give_back(self, taken: Taken) -> None:
        """Let the same request be sent again: what it was answered is none to keep."""
        self._database.write(lambda session: session.execute(delete(IdempotentRequest).where(*_of(taken))))

    def purge(self) -> None:
        """Delete the answers that are kept no longer."""
        ended = IdempotentRequest.created_at < self._clock() - KEPT
        self._database.write(lambda session: session.execute(delete(IdempotentRequest).where(ended)))


def _of(taken: Taken) -> tuple[Any, ...]:
    table = IdempotentRequest
    return table.scope == taken.scope, table.key == taken.key, table.created_at == taken.at


def forget_answers(session: Session, values: Sequence[str], things: Sequence[str] = ()) -> int:
    """Delete the kept answers that hold one of these values, or were given at the address of one of ``things``.

    In this transaction; returns how many.
    """
    answer = cast(IdempotentRequest.answer, Text)
    # Stored as JSON, so that is how the values are written there.
    held = or_(*(answer.contains(json.dumps(value), autoescape=True) for value in values))
    asked = (IdempotentRequest.scope.contains(f"/{thing}", autoescape=True) for thing in things)
    return changed(session, delete(IdempotentRequest).where(or_(held, *asked)))
