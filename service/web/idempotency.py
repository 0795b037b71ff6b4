"""``Idempotency-Key``: a POST that is sent again gets the first answer, for a day.

A row is written before the request is handled and filled with its answer after it. URLs with tokens are
taken out of the stored answer and signed again when it is given again.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from flask import Response, g, request
from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from ..problems import FieldError, IdempotencyKeyReused, InvalidRequest, RequestInFlight
from ..store.idempotency import KEPT
from ..store.tables import IdempotentRequest
from .context import deployment, key

_ABANDONED = timedelta(seconds=60)  # no request takes this long: its process died


@dataclass(frozen=True)
class _Held:
    scope: str
    key: str


def begin() -> Response | None:
    """Before a POST with the header: takes the key, or gives the first answer again.

    Raises InvalidRequest, IdempotencyKeyReused or RequestInFlight.
    """
    given = request.headers.get("Idempotency-Key")
    caller = key()
    if request.method != "POST" or given is None or caller is None:
        return None
    if not re.fullmatch(r"[\x21-\x7e]{1,255}", given):
        detail = "Idempotency-Key: send 1 to 255 visible ASCII characters."
        raise InvalidRequest(detail, errors=[FieldError("", detail)])
    held = _Held(f"{caller.id} {request.path}"[:200], given)
    digest = hashlib.sha256(request.get_data()).hexdigest()
    now = deployment().clock()

    def take(session: Session) -> IdempotentRequest | None:
        row = session.get(IdempotentRequest, (held.scope, held.key), with_for_update=True)
        if row is not None:
            fresh = now - row.created_at < (KEPT if row.status is not None else _ABANDONED)
            if fresh:
                return row
            session.delete(row)
            session.flush()
        session.add(IdempotentRequest(scope=held.scope, key=held.key, request_sha256=digest, created_at=now))
        session.flush()
        return None

    try:
        row = deployment().database.write(take)
    except IntegrityError as error:
        raise RequestInFlight(headers={"Retry-After": "1"}) from error
    if row is None:
        g.idempotent = held
        return None
    if row.request_sha256 != digest:
        raise IdempotencyKeyReused
    if row.status is None:
        raise RequestInFlight(headers={"Retry-After": "1"})
    response = Response(json.dumps(_signed_again(row.answer or {}), ensure_ascii=False), status=row.status)
    response.headers["Content-Type"] = "application/json" if row.status < 400 else "application/problem+json"
    response.headers["Cache-Control"] = "private, no-store" if row.status < 400 else "no-store"
    response.headers["Idempotent-Replayed"] = "true"
    return response


def finish(response: Response) -> Response:
    """After the request: keeps its answer, or gives the key back where trying again can help (429, 5xx)."""
    held: _Held | None = g.pop("idempotent", None)
    if held is None:
        return response
    if response.status_code >= 500 or response.status_code == 429 or not response.is_json:
        deployment().database.write(lambda session: _forget(session, held))
    else:
        answer = response.get_json()
        if isinstance(answer, dict) and str(answer.get("id", "")).startswith("lnk_"):
            answer = {**answer, "url": None}
        deployment().database.write(lambda session: _keep(session, held, response.status_code, answer))
    return response


def _keep(session: Session, held: _Held, status: int, answer: Any) -> None:
    row = session.get(IdempotentRequest, (held.scope, held.key))
    if row is not None:
        row.status, row.answer = status, answer


def _forget(session: Session, held: _Held) -> None:
    session.execute(
        delete(IdempotentRequest).where(IdempotentRequest.scope == held.scope, IdempotentRequest.key == held.key)
    )


def _signed_again(answer: dict[str, Any]) -> dict[str, Any]:
    if str(answer.get("id", "")).startswith("lnk_") and "url" in answer:
        return {**answer, "url": deployment().links.get(answer["id"]).url}
    return answer
