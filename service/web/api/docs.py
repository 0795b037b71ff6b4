"""The OpenAPI document, made from the models that validate, and a page of it that works offline."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, current_app, make_response, render_template

from ..context import conditional, deployment
from ..i18n import language

pages = Blueprint("api_docs", __name__)

_IDEMPOTENCY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "The same key and body within a day get the first answer again.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
}


@pages.get("/api/v1/openapi.json")
def openapi() -> Response:
    """OpenAPI 3.1."""
    response = make_response(json.dumps(document(), ensure_ascii=False))
    response.headers["Content-Type"] = "application/json"
    response.headers["Cache-Control"] = "public, max-age=60"
    response.add_etag()
    return conditional(response)


@pages.get("/api/v1/docs")
def docs() -> str:
    """The same as a page."""
    return render_template("api_docs.html", api=document(), lang=language(), schema_words=schema_words)


def schema_words(schema: dict[str, Any]) -> str:
    """A JSON schema in a few words, such as ``string, at most 200 characters``."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "anyOf" in schema:
        return " or ".join(schema_words(option) for option in schema["anyOf"])
    if "enum" in schema:
        return " or ".join(str(value) for value in schema["enum"])
    words = str(schema.get("type", "any value"))
    if words == "array":
        words = f"list of {schema_words(schema.get('items', {}))}"
    bounds = [
        text.format(schema[name])
        for name, text in (
            ("maxLength", "at most {} characters"),
            ("minimum", "from {}"),
            ("maximum", "up to {}"),
            ("pattern", "as {}"),
        )
        if name in schema
    ]
    return ", ".join([words, *bounds])


def document() -> dict[str, Any]:
    """The document of this application, completed by what all operations share and by what the campaign names."""
    campaign = deployment().campaign
    digest, made = current_app.extensions.get("emblem.openapi", ("", None))
    if made is None or digest != campaign.digest:
        made = copy.deepcopy(current_app.api_doc)  # type: ignore[attr-defined]
        kinds = [kind.id for kind in campaign.eligibility.kinds]
        _name(made, {"campaign-kinds": kinds, "campaign-purposes": list(campaign.eligibility.purposes)})
        for path in made["paths"].values():
            for method, operation in path.items():
                if method == "post":
                    operation.setdefault("parameters", []).append(_IDEMPOTENCY)
                _as_problems(operation.get("responses", {}))
        current_app.extensions["emblem.openapi"] = campaign.digest, made
    return dict(made)


def _name(part: Any, named: Mapping[str, list[str]]) -> None:
    """Lists in each schema whose ``format`` is one of ``named`` what the campaign's policies name."""
    if isinstance(part, dict):
        if isinstance(mark := part.get("format"), str) and mark in named:
            del part["format"]
            part["enum"] = named[mark]
        for inner in part.values():
            _name(inner, named)
    elif isinstance(part, list):
        for inner in part:
            _name(inner, named)


def _as_problems(responses: dict[str, Any]) -> None:
    for status in ("4XX", "5XX", "422"):
        if status in responses and "content" in responses[status]:
            schema = {"schema": {"$ref": "#/components/schemas/ProblemAnswer"}}
            responses[status] = {
                "description": "A problem (RFC 9457)",
                "content": {"application/problem+json": schema},
            }
