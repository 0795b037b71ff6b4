"""The public log under ``/log/``: static files of storage, as a web server in front may serve them itself."""

from __future__ import annotations

import gzip
import hashlib
import re

from flask import Blueprint, Response, make_response, request

from ..ledger import tiles
from ..problems import NotFound, NotSealed
from ..storage import ObjectMissing
from .auth import identify, require
from .context import conditional, deployment
from .security import require_session

blueprint = Blueprint("log", __name__, url_prefix="/log")

_TILE = re.compile(r"(entries|[0-9]|[1-5][0-9]|6[0-3])/((?:x[0-9]{3}/)*[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?")
_YEAR = 31_536_000  # seconds
_LEAST, _LEVEL = 500, 6  # bytes of a bundle from which gzip gains something, and how hard it tries


@blueprint.get("/checkpoint")
def checkpoint() -> Response:
    """The newest signed checkpoint."""
    try:
        note = deployment().storage.read(tiles.CHECKPOINT)
    except ObjectMissing:
        raise NotSealed("Nothing is sealed yet.", headers={"Retry-After": "5"}) from None
    response = _public(note, "text/plain; charset=utf-8", "no-cache")
    response.set_etag(hashlib.sha256(note).hexdigest()[:32])
    return conditional(response)


@blueprint.get("/key")
def key() -> Response:
    """Every verifier key that the log has had, one a line, newest first."""
    text = "".join(f"{vkey}\n" for vkey in deployment().sealer.vkeys())
    return _public(text.encode(), "text/plain; charset=utf-8", "no-cache")


@blueprint.get("/tile/<path:name>")
def tile(name: str) -> Response:
    """A tile, or for auditors and staff an entry bundle."""
    match = _TILE.fullmatch(name)
    if not match or (match[3] and int(match[3]) >= tiles.WIDTH):
        raise NotFound("The log has no such tile; see the tlog-tiles specification for their names.")
    entries = match[1] == "entries"
    if entries:
        _auditors_only()
    data = _stored(match[1], match[2], int(match[3]) if match[3] else None)
    if not entries:
        return _public(data, "application/octet-stream", f"public, max-age={_YEAR}, immutable")
    coded = request.accept_encodings["gzip"] > 0 and len(data) > _LEAST
    response = make_response(gzip.compress(data, _LEVEL, mtime=0) if coded else data)
    if coded:
        response.headers["Content-Encoding"] = "gzip"
    response.headers["Content-Type"] = "application/octet-stream"
    response.headers["Cache-Control"] = f"private, max-age={_YEAR}, immutable"
    response.vary.update(("Authorization", "Cookie", "Accept-Encoding"))
    return response


def _stored(level: str, number: str, width: int | None) -> bytes:
    """The bytes of a tile; of an unfinished one that has become full since, its beginning."""
    full = f"{tiles.ROOT}/tile/{level}/{number}"
    storage = deployment().storage
    try:
        return storage.read(f"{full}.p/{width}" if width else full)
    except ObjectMissing:
        if width is None:
            raise NotFound("The log has no such tile.") from None
    try:
        whole = storage.read(full)
    except ObjectMissing:
        raise NotFound("The log has no such tile.") from None
    return tiles.bundle(tiles.unbundle(whole)[:width]) if level == "entries" else whole[: width * tiles.HASH]


def _auditors_only() -> None:
    if request.headers.get("Authorization"):
        identify()
        require("auditor", "staff")
    else:
        require_session("auditor", "staff")


def _public(data: bytes, media_type: str, cache: str) -> Response:
    response = make_response(data)
    response.headers["Content-Type"] = media_type
    response.headers["Cache-Control"] = cache
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response
