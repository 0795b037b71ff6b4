"""The OpenAPI document, made from the models that answer and validate, and a page of it that works offline."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from http import HTTPStatus
from typing import Any

from flask import Blueprint, Flask, Response, current_app, make_response, render_template
from flask_openapi3.openapi import OpenAPI

from ...problems import (
    Forbidden,
    IdempotencyKeyReused,
    InvalidRequest,
    NotFound,
    Problem,
    RateLimited,
    RequestInFlight,
    TooLarge,
    Unauthorized,
    Unavailable,
    UnsupportedMediaType,
)
from .. import idempotency
from ..context import conditional, deployment
from ..i18n import language
from ..uploads import MULTIPART
from .examples import Examples
from .late_blueprint import LateBlueprint
from .models import ProblemAnswer

pages = Blueprint("api_docs", __name__)

_METHODS = ("get", "post", "patch", "delete")
_IDEMPOTENCY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "The same key and body within a day get the first answer again.",
    "schema": {"type": "string", "pattern": idempotency.KEY},
}
#: What any operation may answer: a key that is none, too many requests, a part that does not answer, a bug.
_ALWAYS = (Unauthorized, RateLimited, Unavailable, Problem)
_WITH_BODY = (InvalidRequest, UnsupportedMediaType, TooLarge)


@pages.get("/api/v1/openapi.json")
def openapi() -> Response:
    """OpenAPI 3.1."""
    response = make_response(json.dumps(document(), ensure_ascii=False))
    response.headers["Content-Type"] = "application/json"
    response.headers["Cache-Control"] = "public, max-age=60"
    response.add_etag()
    return conditional(response)


@pages.get("/api/v1/docs")
def docs() -> Response:
    """The same as a page, with contents, examples and the routes beside the API."""
    made, emblem = document(), deployment()
    package = next((one.id for one in emblem.catalogue.current()), "logo")
    calls: dict[str, list[tuple[str, str, dict[str, Any]]]] = {}
    for call in operations(made):
        calls.setdefault(call[2]["tags"][0], []).append(call)
    page = render_template(
        "api_docs.html",
        api=made,
        calls=calls,
        everywhere=[kind.slug for kind in _ALWAYS],
        examples=Examples(made, emblem.campaign, package=package, base_url=emblem.settings.base_url),
        routes=_beside(current_app),
        lang=language(),
        schema_words=schema_words,
    )
    response = make_response(page)
    response.headers["Cache-Control"] = "public, max-age=60"
    response.headers["Content-Language"] = language()
    response.vary.add("Accept-Language")
    response.add_etag()
    return conditional(response)


def _beside(app: Flask) -> list[tuple[str, str, str]]:
    """Address, methods and purpose of what programs may ask for beside the API: all but pages and the console."""
    found = {}
    for rule in app.url_map.iter_rules():
        said = (app.view_functions[rule.endpoint].__doc__ or "").partition("\n")[0]
        if said and not str(rule).startswith(("/api/", "/staff", "/static/", "/<any(")):
            methods = ", ".join(sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}))
            found[_path(str(rule)), methods] = said
    return [(path, methods, said) for (path, methods), said in sorted(found.items())]


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
        made = complete(current_app)
        kinds = [kind.id for kind in campaign.eligibility.kinds]
        _name(made, {"campaign-kinds": kinds, "campaign-purposes": list(campaign.eligibility.purposes)})
        current_app.extensions["emblem.openapi"] = campaign.digest, made
    return dict(made)


def complete(app: Flask) -> dict[str, Any]:
    """The document with the problems of each operation, but without what a campaign names."""
    assert isinstance(app, OpenAPI)
    for part in app.blueprints.values():
        if isinstance(part, LateBlueprint):
            part.describe_in(app)
    made: dict[str, Any] = copy.deepcopy(app.api_doc)
    schemas = made["components"]["schemas"]
    for unused in [name for name in schemas if name.startswith("ValidationErrorModel")]:
        del schemas[unused]
    schemas["ProblemAnswer"] = ProblemAnswer.model_json_schema(ref_template="#/components/schemas/{model}")
    views = {(_path(str(rule)), method): app.view_functions[rule.endpoint] for rule, method in _rules(app)}
    for path, method, operation in operations(made):
        view = views[path, method.upper()]
        _never_null(operation, schemas)
        if method == "post":
            operation.setdefault("parameters", []).append(_IDEMPOTENCY)
        answers = {status: one for status, one in operation["responses"].items() if status < "4"}
        for kind in getattr(view, "media", ()):
            answers["200"]["content"][kind] = {"schema": {"type": "string", "format": "binary"}}
        if getattr(view, "cacheable", False):
            answers["304"] = {"description": "The caller has this answer already"}
        operation["responses"] = answers | _problems(_kinds(path, method, operation, view))
        operation["x-roles"] = list(getattr(view, "roles", ()))
    return made


def operations(made: Mapping[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """The operations of a document, each with its path and its method in small letters."""
    for path, methods in made["paths"].items():
        for method in _METHODS:
            if method in methods:
                yield path, method, methods[method]


def _never_null(operation: dict[str, Any], schemas: dict[str, Any]) -> None:
    """Take null out of what a query or a form may hold: it cannot be written there; what is not said is left out."""
    parts = [parameter["schema"] for parameter in operation.get("parameters", ())]
    form = operation.get("requestBody", {}).get("content", {}).get(MULTIPART)
    if form is not None:
        parts += schemas[form["schema"]["$ref"].rpartition("/")[2]]["properties"].values()
    for part in parts:
        options = [option for option in part.pop("anyOf", ()) if option != {"type": "null"}]
        if len(options) == 1:
            part.update(options[0])
        elif options:
            part["anyOf"] = options
        if part.get("default", "") is None:
            del part["default"]


def _rules(app: Flask) -> Iterator[tuple[Any, str]]:
    for rule in app.url_map.iter_rules():
        for method in rule.methods or ():
            yield rule, method


def _path(rule: str) -> str:
    """A rule of the routes as the document writes its path."""
    return re.sub(r"<(?:\w+(?:\([^)]*\))?:)?(\w+)>", r"{\1}", rule)


def _kinds(path: str, method: str, operation: Mapping[str, Any], view: Any) -> list[type[Problem]]:
    """Every kind of problem that an operation may answer, each once, in the order of their statuses."""
    kinds: list[type[Problem]] = [*_ALWAYS, *getattr(view, "problems", ())]
    if getattr(view, "roles", ()):
        kinds.append(Forbidden)
    if "{" in path and not getattr(view, "cacheable", False):
        kinds.append(NotFound)
    if operation.get("parameters"):
        kinds.append(InvalidRequest)
    if method in ("post", "patch"):
        kinds += _WITH_BODY
    if method == "post":
        kinds += (RequestInFlight, IdempotencyKeyReused)
    return sorted(dict.fromkeys(kinds), key=lambda kind: (kind.status, kind.slug))


def _problems(kinds: Iterable[type[Problem]]) -> dict[str, Any]:
    """The responses of an operation for its problems, by their status."""
    made: dict[str, Any] = {}
    for kind in kinds:
        response = made.setdefault(
            str(kind.status),
            {
                "description": "",
                "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/ProblemAnswer"}}},
                "x-problems": [],
            },
        )
        response["x-problems"].append(kind.slug)
        response["description"] = HTTPStatus(kind.status).phrase + ": " + ", ".join(response["x-problems"])
    return made


def _name(part: Any, named: Mapping[str, list[str]]) -> None:
    """List in each schema whose ``format`` is one of ``named`` what the campaign's policies name."""
    if isinstance(part, dict):
        if isinstance(mark := part.get("format"), str) and mark in named:
            del part["format"]
            part["enum"] = named[mark]
        for inner in part.values():
            _name(inner, named)
    elif isinstance(part, list):
        for inner in part:
            _name(inner, named)
