"""Content codings of what is text: pages, style sheets, scripts and public JSON, in br, zstd or gzip.

Flask-Compress codes and marks them; which coding is welcome is told as for drawings. Left as they are: what is for
one person alone, since a coding of secrets beside what a stranger chose tells their length (BREACH); the public
log, whose tiles are served as they lie in the storage; downloads, of which every byte is recorded; and pictures.
"""

from __future__ import annotations

from flask import Flask, Response, request
from flask_compress import Compress

from . import negotiation

_MEDIA_TYPES = frozenset(
    {
        "text/html", "text/css", "text/javascript", "text/plain", "text/csv",
        "application/json", "application/xml", "application/manifest+json", "image/svg+xml",
    }
)  # fmt: skip
#: Blueprints whose answers are never coded.
_AS_THEY_ARE = frozenset({"delivery", "log"})
_LEAST = 500  # bytes; shorter texts gain nothing


def install(app: Flask) -> None:
    """Code answers after everything else has been said about them; to be called before the other rooms install."""
    app.config.update(
        COMPRESS_REGISTER=False,
        COMPRESS_STREAMS=False,
        COMPRESS_MIMETYPES=sorted(_MEDIA_TYPES),
        COMPRESS_MIN_SIZE=_LEAST,
        COMPRESS_ALGORITHM=["br", "zstd", "gzip"],
        COMPRESS_BR_MODE=1,  # text
        COMPRESS_BR_LEVEL=5,
    )
    compress = Compress(app)

    @app.after_request
    def code(response: Response) -> Response:
        if not _is_public_text(response):
            return response
        # The library takes a weight of 0 for a wish, so it is told what was understood here.
        request.environ["HTTP_ACCEPT_ENCODING"] = negotiation.coding(request.headers.get("Accept-Encoding", ""))
        if response.is_streamed and request.endpoint == "static":
            response.direct_passthrough = False
            response.make_sequence()
        return compress.after_request(response)


def _is_public_text(response: Response) -> bool:
    cache = response.cache_control
    return (
        response.mimetype in _MEDIA_TYPES
        and request.blueprint not in _AS_THEY_ARE
        and not (cache.private or cache.no_store)
        and "Authorization" not in request.headers
    )
