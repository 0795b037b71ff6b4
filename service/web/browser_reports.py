"""Take browsers' reports on our pages: something that their Content-Security-Policy forbids was tried.

Anyone may send anything here, so a report is short, limited, and told to the log in words of ours: which directive,
on which route, and of what kind the forbidden thing was. Addresses hold tokens, and samples hold whatever was typed:
neither is logged.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

import structlog
from flask import Blueprint, Response, current_app, make_response, request
from werkzeug.exceptions import HTTPException

from .. import paths
from ..problems import InvalidRequest, UnsupportedMediaType
from .context import client
from .limits import hit

log = structlog.get_logger()
blueprint = Blueprint("browser_reports", __name__)

LARGEST = 64 * 1024  # bytes of all reports of a request
_MOST = 20  # reports of a request that are told
_MEDIA_TYPES = ("application/reports+json", "application/csp-report")  # Reporting API; CSP 2, as Firefox and Safari do
_KEYWORDS = frozenset({"inline", "eval", "wasm-eval", "trusted-types-policy", "trusted-types-sink", "self"})
_SCHEMES = frozenset({"blob", "data", "https", "http", "ws", "wss", "filesystem", "about"})
_DIRECTIVES = frozenset(
    [
        "base-uri",
        "child-src",
        "connect-src",
        "default-src",
        "fenced-frame-src",
        "font-src",
        "form-action",
        "frame-ancestors",
        "frame-src",
        "img-src",
        "manifest-src",
        "media-src",
        "object-src",
        "require-trusted-types-for",
        "sandbox",
        "script-src",
        "script-src-attr",
        "script-src-elem",
        "style-src",
        "style-src-attr",
        "style-src-elem",
        "trusted-types",
        "worker-src",
    ]
)


@blueprint.post(paths.BROWSER_REPORTS)
def take() -> Response:
    """Takes reports of browsers about our own pages, for the log."""
    hit("reports", client().network)
    if request.mimetype not in _MEDIA_TYPES:
        raise UnsupportedMediaType(f"Send reports as {' or '.join(_MEDIA_TYPES)}.")
    request.max_content_length = LARGEST
    try:
        sent = json.loads(request.get_data())
    except (ValueError, RecursionError) as error:
        raise InvalidRequest("The body is not valid JSON.") from error
    for one in _violations(sent)[:_MOST]:
        log.warning("a browser refused something on a page", **_told(one))
    response = make_response("", 204)
    response.headers["Cache-Control"] = "no-store"
    return response


def _violations(sent: Any) -> list[dict[str, Any]]:
    """Return the bodies of the reports of violations, in either form."""
    if isinstance(sent, dict):
        one = sent.get("csp-report")
        return [one] if isinstance(one, dict) else []
    if not isinstance(sent, list):
        raise InvalidRequest("The body is no list of reports.")
    return [
        report["body"]
        for report in sent
        if isinstance(report, dict) and report.get("type") == "csp-violation" and isinstance(report.get("body"), dict)
    ]


def _told(body: dict[str, Any]) -> dict[str, str]:
    """Return what is logged of a violation: words of these lists, and the rule of one of our routes."""

    def text(*names: str) -> str:
        return next((value for name in names if isinstance(value := body.get(name), str)), "")

    named = text("effectiveDirective", "effective-directive", "violated-directive").partition(" ")[0]
    return {
        "directive": named if named in _DIRECTIVES else "other",
        "blocked": _kind(text("blockedURL", "blocked-uri")),
        "page": _route(text("documentURL", "document-uri")),
    }


def _kind(blocked: str) -> str:
    """Return a keyword, or the scheme of what was not loaded, never its address."""
    if blocked in _KEYWORDS:
        return blocked
    scheme = blocked.partition(":")[0]
    return scheme if scheme in _SCHEMES else "other"


def _route(address: str) -> str:
    """Return the rule of the route that an address of ours leads to; ``none`` for any other."""
    try:
        path = urlsplit(address).path
        rule, _ = current_app.url_map.bind("localhost").match(path, method="GET", return_rule=True)
    except (ValueError, HTTPException):
        return "none"
    return str(rule)
