"""The brand for machines: ``/.well-known/brand.json``, ``/llms.txt`` and, for agents, ``/mcp``."""

from __future__ import annotations

import json
from typing import cast

from flask import Blueprint, Response, current_app, make_response, request

from .. import paths
from ..answers.brand import brand_document
from ..campaign import LANGUAGES
from . import limits
from .context import client, conditional, deployment

blueprint = Blueprint("brand", __name__)

LARGEST_CALL = 8 * 1024 * 1024  # bytes of a call of /mcp, which may bring a picture along
_AGENTS = "mcp"  # the extension of the application that answers agents


@blueprint.get("/.well-known/brand.json")
def brand_json() -> Response:
    """The campaign's brand.json."""
    emblem = deployment()
    document = brand_document(emblem.campaign, emblem.settings.base_url, LANGUAGES)
    response = make_response(json.dumps(document, ensure_ascii=False, indent=2) + "\n")
    response.headers["Content-Type"] = "application/json"
    response.headers["Cache-Control"] = "public, max-age=300"
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    response.add_etag()
    return conditional(response)


@blueprint.get("/llms.txt")
def llms_txt() -> Response:
    """Return what an agent should know of this site, in the form of llmstxt.org."""
    emblem = deployment()
    base, info, brand = emblem.settings.base_url, emblem.campaign.info, emblem.campaign.brand
    packages = "".join(
        f"- [{one.title.get('en')}]({base}/en/tools/{one.id}): {one.description.get('en')}\n"
        for one in emblem.catalogue.current()
    )
    forbidden = "".join(f"- {change.title.get('en')}\n" for change in brand.forbidden)
    response = make_response(
        f"# {info.name.get('en')}\n\n> {info.summary.get('en')}\n\n"
        "Whoever shows the logo joins first and accepts its terms: a person does, not a program. "
        f"The logo has rules; among them:\n\n{forbidden}\n"
        "## For agents\n\n"
        f"- [MCP server]({base}/mcp): the rules, the address of a logo in a size, the artwork check, how to join\n"
        f"- [Rules as JSON]({base}/api/v1/rules): with their digest\n"
        f"- [brand.json]({base}/.well-known/brand.json)\n"
        f"- [HTTP API]({base}{paths.openapi()})\n\n"
        "## Pages\n\n"
        f"- [Joining]({base}/en/join)\n- [Logo rules]({base}/en/rules)\n- [Artwork check]({base}/en/check)\n\n"
        f"## Tools\n\n{packages}"
    )
    response.headers["Content-Type"] = "text/plain; charset=utf-8"
    response.headers["Cache-Control"] = "public, max-age=300"
    return response


@blueprint.post("/mcp")
def mcp() -> Response:
    """The Model Context Protocol, stateless: one request, one answer. GET, which would open a stream, is 405."""
    from .agents import Agents  # only now: its libraries take longer to load than all others

    who = client().network
    limits.hit("api", who)
    request.max_content_length = LARGEST_CALL
    body = request.get_data()
    if _checks_artwork(body):
        limits.hit("artwork", who)
    agents = cast("Agents | None", current_app.extensions.get(_AGENTS))
    if agents is None:
        agents = current_app.extensions[_AGENTS] = Agents(deployment(), LARGEST_CALL)
    status, headers, answer = agents.exchange(request.method, list(request.headers.items()), body)
    response = make_response(answer, status)
    response.headers["Cache-Control"] = "no-store"
    response.headers.update(headers)
    return limits.show(response)


def _checks_artwork(body: bytes) -> bool:
    try:
        call = json.loads(body)
        return bool(call["method"] == "tools/call" and call["params"]["name"] == "check_artwork")
    except (ValueError, KeyError, TypeError, RecursionError):
        return False
