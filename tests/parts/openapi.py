"""Holds every answer of an application against its own OpenAPI document: status, media type, body, kind of problem."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match
from werkzeug.exceptions import HTTPException
from werkzeug.test import TestResponse

from service.web.api.docs import document

from .codings import decoded

#: Addresses below ``/api/v1`` that describe the API and are no part of it.
_ABOUT = ("/api/v1/openapi.json", "/api/v1/docs")


class CheckedClient(FlaskClient):
    """A test client whose answers have to be as the document says."""

    def open(self, *args: Any, **more: Any) -> TestResponse:
        """One request; AssertionError where its answer is not documented so."""
        response = super().open(*args, **more)
        check(self.application, response)
        return response


def check(app: Flask, response: TestResponse) -> None:
    """AssertionError where an answer is not what the OpenAPI document of the application says."""
    with app.app_context():
        described = document()
    body = _json(response)
    if response.mimetype == "application/problem+json" and response.data:
        _valid({"$ref": "#/components/schemas/ProblemAnswer"}, described, body)
        assert body["status"] == response.status_code
    operation = _operation(app, described, response)
    if operation is None:
        return
    asked = f"{response.request.method} {response.request.path} answered {response.status_code}"
    assert str(response.status_code) in operation["responses"], f"{asked}, which is not documented: {response.text}"
    documented = operation["responses"][str(response.status_code)]
    if not response.data:
        return
    assert response.mimetype in documented.get("content", {}), f"{asked} as {response.mimetype}"
    if body is not None:
        _valid(documented["content"][response.mimetype]["schema"], described, body)
    if response.mimetype == "application/problem+json":
        assert body["type"].removeprefix("/problems/") in documented["x-problems"], f"{asked}: {body['type']}"


def _operation(app: Flask, described: dict[str, Any], response: TestResponse) -> dict[str, Any] | None:
    """The documented operation that was asked for; None for pages, and for what no operation answers."""
    path, method = response.request.path, response.request.method
    if not path.startswith("/api/") or path in _ABOUT:
        return None
    try:
        rule, _ = app.url_map.bind("localhost").match(path, method=method, return_rule=True)
    except HTTPException:
        assert response.status_code in (404, 405), f"{method} {path} is no operation, and was answered"
        return None
    name = str(rule).replace("<", "{").replace(">", "}")
    found: dict[str, Any] = described["paths"][name][{"HEAD": "get"}.get(method, method.lower())]
    return found


def _json(response: TestResponse) -> Any:
    named = response.mimetype in ("application/json", "application/problem+json")
    content = decoded(response.data, response.headers.get("Content-Encoding"))
    return json.loads(content) if named and content else None


def _valid(schema: dict[str, Any], described: dict[str, Any], body: Any) -> None:
    error = best_match(_validator(json.dumps(schema | {"components": described["components"]})).iter_errors(body))
    assert error is None, f"{error.json_path if error else ''}: {error.message if error else ''} in {body}"


@lru_cache(maxsize=256)
def _validator(schema: str) -> Draft202012Validator:
    return Draft202012Validator(json.loads(schema))
