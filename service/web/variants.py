"""Logo variants: ``GET|HEAD /logos/{key}/{logo}/{colourway}/{width}.{format}``, read from top to bottom.

path and query → variant request → embed → origin → format and coding → the picture, or 304 → count.

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

from .. import paths
from ..clients import Client, origin_of
from ..embeds import ServedEmbed, allowed
from ..logos import FORMATS, Variant, VariantRequest
from ..logos.formats import AUTO
from ..logos.variant_request import split_name
from ..problems import NotAcceptable, NotFound, Problem, UnknownLogo
from . import negotiation
from .security import FILE_POLICY, STAY_WITH_HTTPS

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
_FOR_ALL = ("Access-Control-Allow-Origin", "*")
_ASK_ALWAYS = ("X-Accel-Expires", "@1")
_REFUSAL = "emblem.variants.refusal"
_CHOSEN_BY_HEADERS = {AUTO: "Accept, Accept-Encoding", "svg": "Accept-Encoding"}
_VARY: dict[tuple[str, bool], str] = {  # by format, and whether the embed refuses other sites
    (name, refuses): ", ".join(filter(None, (_CHOSEN_BY_HEADERS.get(name), "Origin, Referer" if refuses else "")))
    for name in (*FORMATS, AUTO)
    for refuses in (False, True)
}
_LONGEST_ACCEPT = 1024  # characters that are left where a refusal is answered: by a reader of headers that is slow
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
    def logo_variant(rest: str) -> Any:
        """A logo as `{key}/{logo}/{colourway}/{width}.{format}`, where an embed shows it."""
        # Answered before Flask; this is for other methods, and for the names of routes in logs and figures.
        raise NotFound

    return _Variants(app.wsgi_app, deployment, observe)


class _Variants:
    def __init__(self, fallback: WSGIApplication, deployment: Deployment, observe: Observe | None) -> None:
        self._fallback = fallback
        self._deployment = deployment
        self._observe = observe
        self._requested = lru_cache(maxsize=8192)(self._parse)
        self._base_url = deployment.settings.base_url
        self._take_up()

    def _take_up(self) -> None:
        """Forget what addresses mean, and which terms go with a logo: a publication may have changed both."""
        self._campaign = self._deployment.campaign
        self._requested.cache_clear()
        self._licence = {
            logo.id: f'<{self._base_url}{paths.terms("en", logo.terms)}>; rel="license"'
            for logo in self._campaign.logos.values()
        }

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ.get("PATH_INFO", "").startswith(paths.VARIANTS) and environ["REQUEST_METHOD"] in ("GET", "HEAD"):
            began = time.perf_counter()
            try:
                status, headers, body = self._answer(environ)
            except Exception as refusal:  # problems, and also mistakes of ours: Flask answers both
                environ[_REFUSAL] = refusal
                _shorten_accept(environ)
                if isinstance(refusal, Problem):
                    refusal.headers.update((_FOR_ALL,))  # a partner's page may read why there is no logo
                    if refusal.status in (403, 410) and _asks_always(environ):
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
        if self._deployment.campaign is not self._campaign:
            self._take_up()
        path, query = environ["PATH_INFO"], environ.get("QUERY_STRING", "")
        # What anyone may make long is not kept in memory.
        parse = self._requested if len(path) + len(query) <= _LONGEST_KEPT else self._parse
        key, wanted = parse(path, query)
        embed = self._served(environ, key, wanted)
        origin = origin_of(_begin(environ, "HTTP_ORIGIN"), _begin(environ, "HTTP_REFERER"))
        allowed(embed, origin)
        variants = self._deployment.variants
        chosen = self._choose(environ, wanted) if wanted.format in _CHOSEN_BY_HEADERS else wanted
        variant = variants.cached(chosen) or variants.get(chosen)
        etag = _tag(embed, variant)
        headers = self._headers(embed, wanted, variant, etag)
        if embed.unlisted == "refuse" and _asks_always(environ):
            headers.insert(0, _ASK_ALWAYS)  # nginx before 1.23 heeds whichever it reads first
        if _is_known(environ.get("HTTP_IF_NONE_MATCH"), etag):
            return "304 Not Modified", headers, ()
        headers += [("Content-Type", variant.media_type), ("Content-Length", str(len(variant.bytes)))]
        if environ["REQUEST_METHOD"] == "HEAD":
            return "200 OK", headers, ()
        self._deployment.embeds.count(embed, chosen.name, origin)
        return "200 OK", headers, (variant.bytes,)

    def _parse(self, path: str, query: str) -> tuple[str, VariantRequest]:
        """The embed's key and the variant that is asked for; raises the problem of a request that is wrong."""
        names = path[len(paths.VARIANTS) :].split("/")
        if len(names) != 4:
            raise NotFound("A logo's address is /logos/{key}/{logo}/{colourway}/{width}.{format}.")
        key, logo, colourway, file = names
        width, kind = split_name(file)
        asked = dict(reversed(parse_qsl(query, keep_blank_values=True)))  # of a name that stands twice, the first
        try:
            wanted = self._deployment.variants.check(
                logo, colourway, width, kind, asked.get("on"), asked.get("space") == "1"
            )
        except Problem as problem:
            if right := problem.extra.get("try"):
                problem.extra["try"] = f"{self._base_url}{paths.VARIANTS}{quote(key, safe='')}/{right}"
            raise
        return key, wanted

    def _choose(self, environ: WSGIEnvironment, wanted: VariantRequest) -> VariantRequest:
        """The variant to send: its format where that is left open, and a drawing's content coding."""
        coding = negotiation.coding(environ.get("HTTP_ACCEPT_ENCODING", ""))
        if coding:
            wanted = replace(wanted, coding=coding)
        if wanted.format != AUTO:
            return wanted
        formats = negotiation.formats(environ.get("HTTP_ACCEPT", ""))
        if not formats:
            offered = ", ".join(row.media_type for row in FORMATS.values())
            raise NotAcceptable(f"Name one of {offered} in Accept.")
        return self._deployment.variants.smallest(wanted, formats)

    def _served(self, environ: WSGIEnvironment, key: str, wanted: VariantRequest) -> ServedEmbed:
        def before_lookup() -> None:
            sender = Client(environ.get("REMOTE_ADDR", ""), "", "program")
            self._deployment.limiter.hit("embed-lookup", sender.network)

        embed = self._deployment.embeds.permission(key, before_lookup)
        if embed.logo != wanted.logo:
            raise UnknownLogo(f"This embed is for the logo {embed.logo}; make another embed for {wanted.logo}.")
        return embed

    def _headers(
        self, embed: ServedEmbed, wanted: VariantRequest, variant: Variant, etag: str
    ) -> list[tuple[str, str]]:
        refuses = embed.unlisted == "refuse"
        headers = [
            ("ETag", etag),
            ("Cache-Control", PRIVATE if refuses else PUBLIC),
            _FOR_ALL,
            ("Link", self._licence[wanted.logo]),
            ("X-Content-Type-Options", "nosniff"),
            ("Cross-Origin-Resource-Policy", "cross-origin"),
        ]
        if self._base_url.startswith("https:"):
            headers.append(("Strict-Transport-Security", STAY_WITH_HTTPS))
        if vary := _VARY[wanted.format, refuses]:
            headers.append(("Vary", vary))
        if variant.coding:
            headers.append(("Content-Encoding", variant.coding))
        if variant.media_type == FORMATS["svg"].media_type:
            headers.append(("Content-Security-Policy", FILE_POLICY))
        return headers


def _tag(embed: ServedEmbed, variant: Variant) -> str:
    """The entity tag of an answer: another one where it may not be shared.

    So a shared cache that asks again, after the embed began to refuse other sites, hears 200 and ``private``, and
    not the 304 that would let it go on sharing what it has.
    """
    return f'{variant.etag[:-1]}-private"' if embed.unlisted == "refuse" else variant.etag


def _asks_always(environ: WSGIEnvironment) -> bool:
    return 'nginx="X-Accel/' in environ.get(_ANNOUNCED, "")


def _is_known(header: str | None, etag: str) -> bool:
    """Tell whether ``If-None-Match`` names the tag; weak comparison, as RFC 9110 has it for GET."""
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
    """Leave out what stands beyond the length that is read where a refusal is answered."""
    accept = environ.get("HTTP_ACCEPT", "")
    if len(accept) > _LONGEST_ACCEPT:
        environ["HTTP_ACCEPT"] = accept[:_LONGEST_ACCEPT].rpartition(",")[0]
