"""``Idempotency-Key``: a POST that is sent again gets the first answer, for a day.

URLs with tokens are taken out of the stored answer and signed again when it is given again.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any

import structlog
from flask import Response, g, request

from ..problems import FieldError, InvalidRequest, Unavailable
from ..store.idempotency import FirstAnswer, Taken
from .context import deployment, key
from .uploads import MULTIPART

log = structlog.get_logger()
KEY = r"^[\x21-\x7E]{1,255}$"  # as JSON Schema writes patterns


def begin() -> Response | None:
    """Before a POST with the header: take the key, or give the first answer again.

    Raises InvalidRequest, IdempotencyKeyReused or RequestInFlight.
    """
    given = request.headers.get("Idempotency-Key")
    caller = key()
    if request.method != "POST" or given is None:
        return None
    if not re.fullmatch(KEY, given):
        detail = "Idempotency-Key: send 1 to 255 visible ASCII characters."
        raise InvalidRequest(detail, errors=[FieldError("", detail)])
    if caller is None:  # nobody in particular: there is no one to whom the answer could be given again
        return None
    scope = f"{caller.id} {request.path}"[:200]  # a key is good for one route
    found = deployment().idempotent.begin(scope, given, _digest())
    if isinstance(found, Taken):
        g.idempotent = found
        return None
    response = Response(json.dumps(_signed_again(found.body), ensure_ascii=False), status=found.status)
    response.headers["Content-Type"] = "application/json" if found.status < 400 else "application/problem+json"
    response.headers["Cache-Control"] = "private, no-store" if found.status < 400 else "no-store"
    response.headers["Idempotent-Replayed"] = "true"
    if found.location:
        response.headers["Location"] = found.location
    return response


def _digest() -> str:
    """SHA-256 of what was sent: of a form its parts, whose boundary is another one each time that it is sent."""
    if request.mimetype != MULTIPART:
        return hashlib.sha256(request.get_data()).hexdigest()
    parts = [[name, "", value] for name, value in request.form.items(multi=True)]
    for name, file in request.files.items(multi=True):
        parts.append([name, file.filename or "", hashlib.file_digest(file.stream, "sha256").hexdigest()])  # type: ignore[arg-type]
        file.stream.seek(0)
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def finish(response: Response) -> Response:
    """After the request: keep its answer, or give the key back where trying again can help (429, 5xx)."""
    taken: Taken | None = g.pop("idempotent", None)
    if taken is None:
        return response
    try:
        _finish(taken, response)
    except Unavailable as error:
        # What was asked for is done, or its refusal is told: that is the answer. One that is sent again is told to wait
        # until the key is taken for abandoned.
        log.warning("what a request with a key was answered could not be kept", reason=error.private)
    return response


def _finish(taken: Taken, response: Response) -> None:
    if response.status_code >= 500 or response.status_code == 429 or not response.is_json:
        deployment().idempotent.give_back(taken)
        return
    body = response.get_json()
    if _is_link(body):
        body = {**body, "url": None}
    deployment().idempotent.keep(taken, FirstAnswer(response.status_code, body, response.headers.get("Location")))


def _is_link(body: dict[str, Any]) -> bool:
    return str(body.get("id", "")).startswith("lnk_")


def _signed_again(body: dict[str, Any]) -> dict[str, Any]:
    if _is_link(body) and "url" in body:
        return {**body, "url": deployment().links.get(body["id"]).url}
    return body
