"""The API ``/api/v1``: models that validate, and thin views over the capabilities."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from flask import Response, make_response, request
from flask_openapi3.models.tag import Tag

from ... import paths
from ...answers.base import Answer
from ...problems import FieldError, InvalidRequest, Problem, UnsupportedMediaType
from .. import idempotency, limits, uploads
from ..auth import check_role, identify
from ..context import conditional
from .late_blueprint import LateBlueprint

P = ParamSpec("P")
R = TypeVar("R")

LARGEST_BODY = 256 * 1024  # bytes of JSON: four long answers of every kind fit many times

security = [{"key": []}]  # type: ignore[var-annotated]


def blueprint(name: str, description: str, *, public: bool = False) -> LateBlueprint:
    """A part of the API with the checks that all parts share."""
    made = LateBlueprint(
        name,
        __name__,
        url_prefix=paths.API,
        abp_tags=[Tag(name=name, description=description)],
        abp_security=None if public else security,
        operation_id_callback=_operation_id,
    )
    made.before_request(identify)
    made.before_request(check_role)
    made.before_request(_check_body)
    made.before_request(idempotency.begin)
    made.after_request(idempotency.finish)
    made.after_request(limits.show)
    return made


def _operation_id(*, bp_name: str, name: str, **_: str) -> str:
    """The name of an operation: generated clients call their functions by it."""
    return f"{bp_name}_{name}".replace(" ", "_")


def problems(*kinds: type[Problem]) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Name what a view answers with beside what all views may: the OpenAPI document lists them."""

    def decorate(view: Callable[P, R]) -> Callable[P, R]:
        view.problems = kinds  # type: ignore[attr-defined]
        return view

    return decorate


def media(*types: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Name the media types in which a view answers beside JSON."""

    def decorate(view: Callable[P, R]) -> Callable[P, R]:
        view.media = types  # type: ignore[attr-defined]
        return view

    return decorate


def public(view: Callable[P, R]) -> Callable[P, R]:
    """Mark a view whose answers are cached, and answered with 304 to whoever has them."""
    view.cacheable = True  # type: ignore[attr-defined]
    return view


def answer(value: Answer, status: int = 200, **headers: str) -> Response:
    """A JSON answer that no cache keeps."""
    response = make_response(json.dumps(value.as_json(), ensure_ascii=False), status)
    response.headers["Content-Type"] = "application/json"
    response.headers["Cache-Control"] = "private, no-store"
    response.headers.update({name.replace("_", "-"): text for name, text in headers.items()})
    return response


def cacheable(value: Answer) -> Response:
    """A public JSON answer with a strong ETag, and 304 where the caller has it already."""
    body = json.dumps(value.as_json(), ensure_ascii=False).encode()
    response = make_response(body)
    response.headers["Content-Type"] = "application/json"
    response.headers["Cache-Control"] = "public, max-age=60"
    response.set_etag(hashlib.sha256(body).hexdigest()[:32])
    return conditional(response)


def _check_body() -> None:
    if request.method not in ("POST", "PUT", "PATCH"):
        return
    if uploads.most() is not None:
        if request.mimetype != uploads.MULTIPART:
            raise UnsupportedMediaType(f"Send a form with the file in it, with Content-Type: {uploads.MULTIPART}.")
        return
    request.max_content_length = LARGEST_BODY
    body = request.get_data()
    if request.mimetype != "application/json":
        raise UnsupportedMediaType("Send JSON with Content-Type: application/json.")
    try:
        value = json.loads(body, parse_constant=_no_constant, object_pairs_hook=_no_duplicates)
    except (ValueError, RecursionError) as error:
        detail = f"The body is not valid JSON: {error}."[:300]
        raise InvalidRequest(detail, errors=[FieldError("", detail)]) from error
    if not isinstance(value, dict):
        raise InvalidRequest(errors=[FieldError("", "The body has to be a JSON object.")])


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON value")


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        raise ValueError("a name stands twice in one object")
    texts = [text for _, value in pairs for text in (value if isinstance(value, list) else [value])]
    if any("\0" in name for name, _ in pairs) or any(isinstance(text, str) and not _storable(text) for text in texts):
        raise ValueError("a text holds characters that cannot be stored (U+0000 or half a surrogate pair)")
    return value


def _storable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in text
