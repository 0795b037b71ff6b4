"""The one place where errors become answers: problem+json (RFC 9457), or a page for a browser that asks for HTML."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

import structlog
from flask import Flask, Response, g, make_response, render_template, request
from gunicorn.http.errors import NoMoreData, ParseException
from pydantic import ValidationError
from werkzeug.exceptions import BadHost, HTTPException, SecurityError
from werkzeug.routing import RequestRedirect

from ..problems import (
    FieldError,
    Forbidden,
    InvalidHost,
    InvalidRequest,
    MethodNotAllowed,
    NotAcceptable,
    NotFound,
    Problem,
    RateLimited,
    TooLarge,
    Unauthorized,
    Unavailable,
    UnsupportedMediaType,
)
from .context import deployment
from .i18n import language

log = structlog.get_logger()

_BY_STATUS: dict[int, type[Problem]] = {
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    405: MethodNotAllowed,
    406: NotAcceptable,
    413: TooLarge,
    415: UnsupportedMediaType,
    429: RateLimited,
    503: Unavailable,
}


def install(app: Flask) -> None:
    """Register the handlers."""
    app.register_error_handler(Problem, answer)
    app.register_error_handler(HTTPException, _from_http)
    for kind in (ParseException, NoMoreData, BlockingIOError):  # the last: nothing came for as long as is waited
        app.register_error_handler(kind, _from_broken_body)
    app.register_error_handler(Exception, _from_bug)
    app.after_request(_lead_home)


def answer(problem: Problem) -> Response:
    """Return the answer for a problem, in the form that the client prefers."""
    g.problem = problem.slug  # for those who count refusals
    if problem.private:
        log.info("problem", slug=problem.slug, reason=problem.private)
    if wants_html():
        page = render_template("problem.html", problem=problem, lang=language())
        response = make_response(page, problem.status)
    else:
        document = problem.as_json(request.path)
        # Half a surrogate pair, as JSON can name one, is no character: it goes back as it came, escaped.
        body = json.dumps(document, ensure_ascii=False).encode("utf-8", "backslashreplace")
        response = make_response(body, problem.status)
        response.headers["Content-Type"] = "application/problem+json"
    response.headers.update(problem.headers)  # first: of X-Accel-Expires and Cache-Control, nginx heeds the first
    response.headers["Cache-Control"] = "no-store"
    response.vary.add("Accept")
    if problem.status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def wants_html() -> bool:
    """Tell whether the client names HTML and likes it no less than JSON; never under ``/api/``."""
    accepted = request.accept_mimetypes
    named = any(kind.lower() in ("text/html", "application/xhtml+xml") for kind, _ in accepted)
    json_quality = max(accepted.quality("application/problem+json"), accepted.quality("application/json"))
    return named and accepted.quality("text/html") >= json_quality and not request.path.startswith("/api/v1/openapi")


def field_errors(error: ValidationError) -> list[FieldError]:
    """Pydantic's findings as field errors; models of query strings have names that end in ``Query``."""
    query = error.title.endswith("Query")
    found = []
    for item in error.errors(include_url=False, include_context=False, include_input=True):
        path = [str(part).replace("~", "~0").replace("/", "~1") for part in item["loc"]]
        pointer = "?" + ".".join(path[:1]) if query else "".join(f"/{part}" for part in path)
        found.append(FieldError(pointer, _sentence(item)))
    return found


def _sentence(item: Any) -> str:
    match item["type"]:
        case "missing":
            return "This is required."
        case "extra_forbidden":
            return "There is no such field here; remove it or correct its name."
        case "string_pattern_mismatch" if "\0" in str(item.get("input", "")):
            return "Remove the NUL character."
    message = str(item["msg"]).removeprefix("Value error, ")
    return message if message.endswith(".") else f"{message}."


def invalid(error: ValidationError) -> None:
    """flask-openapi3's callback: raises the problem for a body or query that does not validate."""
    raise InvalidRequest(errors=field_errors(error)) from error


def _from_http(error: HTTPException) -> Response:
    if error.code and error.code < 400:
        return make_response(error.get_response(request.environ))
    if isinstance(error, BadHost | SecurityError):
        return answer(InvalidHost(private=type(error).__name__))
    made = _BY_STATUS.get(error.code or 500, InvalidRequest if (error.code or 500) < 500 else Problem)
    headers = dict(error.get_headers(request.environ)) if error.code in (405, 413, 429, 503) else {}
    headers.pop("Content-Type", None)
    problem = made(headers=headers, private=type(error).__name__)  # what it says may repeat what was sent
    if made is MethodNotAllowed and "Allow" in headers:
        problem.detail = f"Use one of the methods that this address takes: {headers['Allow']}."
    return answer(problem)


def _from_broken_body(error: Exception) -> Response:
    """Answer a body that is not as HTTP has it, or does not come: the server finds out while it is read."""
    return answer(
        InvalidRequest("The body did not come whole, as its length or its chunks say.", private=type(error).__name__)
    )


def _lead_home(response: Response) -> Response:
    """Let the redirect to an address with its closing slash lead to us, whatever host was asked for."""
    if isinstance(request.routing_exception, RequestRedirect):
        split = urlsplit(request.routing_exception.new_url)
        response.headers["Location"] = deployment().settings.base_url + split.path + (split.query and f"?{split.query}")
        response.set_data(b"")
    return response


def _from_bug(error: Exception) -> Response:
    log.error("internal error", error=type(error).__name__, exc_info=error)
    return answer(Problem())
