"""Logo variants: ``GET|HEAD /logos/{key}/{logo}/{colourway}/{width}.{format}``, read from top to bottom.

path and query → plan → embed → origin → format → the picture, or 304 → count.

This runs in front of Flask, in the same process: a warm variant takes no route, no session, no template and
no database. Whatever is refused goes on to Flask, which answers problems for all.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote

from flask import Flask, request
from werkzeug.datastructures import MIMEAccept
from werkzeug.http import parse_accept_header

from .. import paths
from ..clients import Client, origin_of
from ..embeds import Live, allowed
from ..logos import RASTERS, Plan, Variant
from ..logos.variant_request import AUTO, MEDIA_TYPES, split_name
from ..problems import NotAcceptable, NotFound, Problem, UnknownLogo

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    from ..deployment import Deployment
    from .metrics import Observe

_ROUTE = f"{paths.VARIANTS}<path:rest>"
PUBLIC = "public, max-age=300, stale-while-revalidate=86400"
PRIVATE = "private, max-age=300"  # of embeds that refuse other sites: a shared cache would answer for us
# For the nginx of docs/deploy, which says in this field that it understands the answer: what it shared until now
# is to be replaced, and Emblem asked for every request. Others never see it, and keep nothing of such answers.
_ANNOUNCED = "HTTP_SURROGATE_CAPABILITY"
_ASK_ALWAYS = ("X-Accel-Expires", "@1")
_REFUSAL = "emblem.variants.refusal"
_SVG_POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
_LONGEST_ACCEPT = 1024  # characters; browsers send a tenth of it, and reading one costs time by its length
_LONGEST_KEPT = 256  # characters of path and query whose meaning is kept in memory
_LONGEST_ORIGIN = 512  # scheme, host (253) and port, with room for a path to end the host
_TAGS = re.compile(r'(?:W/)?("[^"]*")')


def install(app: Flask, deployment: Deployment, observe: Observe | None = None) -> WSGIApplication:
    """Has refusals answered, and returns the application with the variants before it, told to ``observe``."""

    @app.before_request
    def refuse() -> None:
        if (refusal := request.environ.get(_REFUSAL)) is not None:
            raise refusal

    @app.route(_ROUTE, methods=["GET", "HEAD"])
    def logo_variant(rest: str) -> Any:  # for other methods, and for the names of routes in logs and figures
        raise NotFound

    return _Variants(app.wsgi_app, deployment, observe)


class _Variants:
    def __init__(self, fallback: WSGIApplication, deployment: Deployment, observe: Observe | None) -> None:
        self._fallback = fallback
        self._deployment = deployment
        self._observe = observe
        self._requested = lru_cache(maxsize=8192)(self._parse)
        self._base_url = deployment.settings.base_url
        self._licence = {
            logo.id: f'<{self._base_url}{paths.terms("en", logo.terms)}>; rel="license"'
            for logo in deployment.campaign.logos.values()
        }

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ.get("PATH_INFO", "").startswith(paths.VARIANTS) and environ["REQUEST_METHOD"] in ("GET", "HEAD"):
            _shorten_accept(environ)
            began = time.perf_counter()
            try:
                status, headers, body = self._answer(environ)
            except Exception as refusal:  # problems, and also mistakes of ours: Flask answers both
                environ[_REFUSAL] = refusal
                if isinstance(refusal, Problem) and refusal.status in (403, 410) and _asks_always(environ):
                    refusal.headers.update((_ASK_ALWAYS,))
            else:
                start_response(status, headers)
                if self._observe is not None:
                    took = time.perf_counter() - began
                    self._observe(environ["REQUEST_METHOD"], _ROUTE, int(status[:3]), took)
                return body
        return self._fallback(environ, start_response)

    def _answer(self, environ: WSGIEnvironment) -> tuple[str, list[tuple[str, str]], tuple[bytes, ...]]:
        """Status, header fields and body."""
        path, query = environ["PATH_INFO"], environ.get("QUERY_STRING", "")
        # What anyone may make long is not kept in memory.
        parse = self._requested if len(path) + len(query) <= _LONGEST_KEPT else self._parse
        key, plan = parse(path, query)
        live = self._live(environ, key, plan)
        origin = origin_of(_begin(environ, "HTTP_ORIGIN"), _begin(environ, "HTTP_REFERER"))
        allowed(live, origin)
        negotiated = plan.format == AUTO
        if negotiated:
            plan = replace(plan, format=_negotiate(environ.get("HTTP_ACCEPT", "")))
        variants = self._deployment.variants
        variant = variants.hot(plan) or variants.get(plan)
        etag = _tag(live, variant)
        headers = self._headers(live, plan, etag, negotiated)
        if live.unlisted == "refuse" and _asks_always(environ):
            headers.insert(0, _ASK_ALWAYS)  # nginx before 1.23 heeds whichever it reads first
        if _is_known(environ.get("HTTP_IF_NONE_MATCH"), etag):
            return "304 Not Modified", headers, ()
        headers += [("Content-Type", variant.media_type), ("Content-Length", str(len(variant.bytes)))]
        if environ["REQUEST_METHOD"] == "HEAD":
            return "200 OK", headers, ()
        self._deployment.embeds.count(live, plan.name, origin)
        return "200 OK", headers, (variant.bytes,)

    def _parse(self, path: str, query: str) -> tuple[str, Plan]:
        """The embed's key and the plan of a request; raises what the contract says of one that is wrong."""
        names = path[len(paths.VARIANTS) :].split("/")
        if len(names) != 4:
            raise NotFound("A logo's address is /logos/{key}/{logo}/{colourway}/{width}.{format}.")
        key, logo, colourway, file = names
        width, kind = split_name(file)
        asked = dict(reversed(parse_qsl(query, keep_blank_values=True)))  # of a name that stands twice, the first
        try:
            plan = self._deployment.variants.plan(
                logo, colourway, width, kind, asked.get("on"), asked.get("space") == "1"
            )
        except Problem as problem:
            if right := problem.extra.get("try"):
                problem.extra["try"] = f"{self._base_url}{paths.VARIANTS}{quote(key, safe='')}/{right}"
            raise
        return key, plan

    def _live(self, environ: WSGIEnvironment, key: str, plan: Plan) -> Live:
        def before_lookup() -> None:
            sender = Client(environ.get("REMOTE_ADDR", ""), "", "program")
            self._deployment.limiter.hit("embed-lookup", sender.network)

        live = self._deployment.embeds.permission(key, before_lookup)
        if live.logo != plan.logo:
            raise UnknownLogo(f"This embed is for the logo {live.logo}; make another embed for {plan.logo}.")
        return live

    def _headers(self, live: Live, plan: Plan, etag: str, negotiated: bool) -> list[tuple[str, str]]:
        refuses = live.unlisted == "refuse"
        headers = [
            ("ETag", etag),
            ("Cache-Control", PRIVATE if refuses else PUBLIC),
            ("Access-Control-Allow-Origin", "*"),
            ("Link", self._licence[plan.logo]),
            ("X-Content-Type-Options", "nosniff"),
            ("Cross-Origin-Resource-Policy", "cross-origin"),
        ]
        vary = (["Accept"] if negotiated else []) + (["Origin", "Referer"] if refuses else [])
        if vary:
            headers.append(("Vary", ", ".join(vary)))
        if plan.format == "svg":
            headers.append(("Content-Security-Policy", _SVG_POLICY))
        return headers


def _tag(live: Live, variant: Variant) -> str:
    """The entity tag of an answer: another one where it may not be shared.

    So a shared cache that asks again, after the embed began to refuse other sites, hears 200 and ``private``, and
    not the 304 that would let it go on sharing what it has.
    """
    return f'{variant.etag[:-1]}-private"' if live.unlisted == "refuse" else variant.etag


def _asks_always(environ: WSGIEnvironment) -> bool:
    return 'nginx="X-Accel/' in environ.get(_ANNOUNCED, "")


def _is_known(header: str | None, etag: str) -> bool:
    """Whether ``If-None-Match`` names the tag; weak comparison, as RFC 9110 has it for GET."""
    if header is None:
        return False
    return header.strip() == "*" or etag in _TAGS.findall(header)


def _begin(environ: WSGIEnvironment, name: str) -> str | None:
    """A header's value, as much of it as an origin may take. What browsers send beyond ASCII is UTF-8."""
    value = environ.get(name)
    if value is None:
        return None
    begin: str = value[:_LONGEST_ORIGIN]
    return begin if begin.isascii() else begin.encode("latin-1", "replace").decode("utf-8", "replace")


def _shorten_accept(environ: WSGIEnvironment) -> None:
    """Leaves out what stands beyond the length that is read, here and where a refusal is answered."""
    accept = environ.get("HTTP_ACCEPT", "")
    if len(accept) > _LONGEST_ACCEPT:
        environ["HTTP_ACCEPT"] = accept[:_LONGEST_ACCEPT].rpartition(",")[0]


@lru_cache(maxsize=1024)
def _negotiate(accept: str) -> str:
    """The format for an ``Accept``: the most welcome; AVIF, WebP, PNG where several are; SVG only if more so."""
    if not accept.strip():
        return RASTERS[0]
    said = parse_accept_header(accept, MIMEAccept)
    welcome = {kind: said.quality(MEDIA_TYPES[kind]) for kind in RASTERS}
    best = max(welcome, key=lambda kind: welcome[kind])
    svg = said.quality(MEDIA_TYPES["svg"])
    if svg > welcome[best]:
        return "svg"
    if welcome[best] <= 0:
        raise NotAcceptable("The logo comes as image/avif, image/webp, image/png or image/svg+xml.")
    return best
