"""The life of a download: ``GET|HEAD /d/{token}/{filename}``, read from top to bottom.

verify the token → what the request asks of the file → open it → check and RECORD → send its bytes.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Callable, Iterator
from urllib.parse import quote

from flask import Blueprint, Response, g, request

from .. import paths
from ..links import Asked, Claim
from ..packages import PackageFacts
from ..problems import (
    InvalidLink,
    NotRecorded,
    PreconditionFailed,
    Problem,
    RangeNotSatisfiable,
    Unavailable,
    UnknownPackage,
    UnknownVersion,
)
from ..storage import ObjectMissing, Storage
from . import limits
from .context import client, deployment
from .ranges import Answer, evaluate

blueprint = Blueprint("delivery", __name__)


@blueprint.after_request
def _count_refusals(response: Response) -> Response:
    if "link" in g and "problem" in g:
        deployment().refusals.note(g.link, g.problem)
    return response


_STORAGE_LINK_AGE = 60  # seconds
ACCEL_PREFIX = "/_emblem/storage/"  # the internal location of the nginx example


@blueprint.route("/d/<token>/<path:filename>", methods=["GET", "HEAD"])
def download(token: str, filename: str) -> Response:
    """Sends the file of a signed link, after the download is recorded."""
    emblem = deployment()
    sender = client()
    limits.hit("download", sender.network)
    claim = emblem.tokens.verify(token)
    g.link = claim.link
    published = _published(claim, filename)
    answer = evaluate(
        published.bytes,
        published.sha256,
        method=request.method,
        range_header=request.headers.get("Range"),
        if_range=request.headers.get("If-Range"),
        if_none_match=request.headers.get("If-None-Match"),
        if_match=request.headers.get("If-Match"),
    )
    if request.method == "HEAD" or not answer.sends:
        emblem.recorder.check(claim, sender)
        return _without_body(published, answer)
    if emblem.settings.delivery == "redirect":
        return _redirect(claim, published, answer)
    try:
        body = _Body(emblem.storage, published, answer)
    except ObjectMissing as error:
        raise Unavailable(headers={"Retry-After": "30"}, private=f"{published.storage_key} is missing") from error
    asked = Asked(request.headers.get("Range") if answer.status == 206 else None, answer.status, answer.length)
    recorded = emblem.recorder.record(claim, sender, asked)
    if emblem.settings.delivery == "x-accel" and emblem.storage.local_path(published.storage_key):
        return _accel(published)
    body.on_end = lambda sent, how: emblem.recorder.ended(recorded.id, sent, how)
    response = Response(body, status=answer.status, direct_passthrough=True)
    _describe(response, published, answer)
    response.headers["Content-Length"] = str(body.length)
    if body.boundary:
        response.headers["Content-Type"] = f"multipart/byteranges; boundary={body.boundary}"
    return response


def _published(claim: Claim, filename: str) -> PackageFacts:
    emblem = deployment()
    try:
        package = emblem.links.package_of(claim.link)
        published = emblem.catalogue.version(package, claim.version)
    except (UnknownPackage, UnknownVersion) as error:
        raise InvalidLink(private="its version is not in the catalogue") from error
    except Unavailable as error:
        if request.method == "HEAD":
            raise
        raise NotRecorded(headers={"Retry-After": "5"}, private=error.private) from error
    if published.filename != filename:
        raise InvalidLink("This link is for another file. Use it exactly as it was given, or get a new one.")
    return published


def _without_body(published: PackageFacts, answer: Answer) -> Response:
    refused: dict[int, type[Problem]] = {412: PreconditionFailed, 416: RangeNotSatisfiable}
    if answer.status in refused:
        raise refused[answer.status](headers=answer.headers)
    response = Response(status=answer.status)
    _describe(response, published, answer)
    if answer.status == 304:
        response.headers.pop("Content-Type", None)
    else:
        response.headers["Content-Length"] = str(answer.length)
    return response


def _redirect(claim: Claim, published: PackageFacts, answer: Answer) -> Response:
    emblem = deployment()
    url = emblem.storage.signed_url(published.storage_key, _STORAGE_LINK_AGE, published.filename, published.media_type)
    if url is None:
        raise Unavailable(private="EMBLEM_DELIVERY=redirect needs an s3: storage")
    emblem.recorder.record(claim, client(), Asked(request.headers.get("Range"), 303, answer.length))
    response = Response(status=303)
    response.headers["Location"] = url
    response.headers["Cache-Control"] = "private, no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


def _accel(published: PackageFacts) -> Response:
    # nginx reads the file and does the ranges; our fields stay (see docs/deploy).
    response = Response(status=200)
    _describe(response, published, Answer(200))
    response.headers["X-Accel-Redirect"] = ACCEL_PREFIX + quote(published.storage_key)
    return response


def _describe(response: Response, published: PackageFacts, answer: Answer) -> None:
    digest = base64.b64encode(bytes.fromhex(published.sha256)).decode()
    base_url = deployment().settings.base_url
    plain = published.filename.encode("ascii", "replace").decode().replace("\\", "_").replace('"', "_")
    response.headers.update(
        {
            "Content-Type": published.media_type,
            "Content-Disposition": (
                f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(published.filename, safe='')}"
            ),
            "ETag": f'"{published.sha256}"',
            "Accept-Ranges": "bytes",
            "Repr-Digest": f"sha-256=:{digest}:",
            "Link": f'<{base_url}{paths.terms("en", published.terms)}>; rel="license"',
            "Cache-Control": "private, no-store",
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
            **answer.headers,
        }
    )


class _Body:
    """The bytes of an answer, counted while they leave. ``close`` is called by the server however it ends."""

    def __init__(self, storage: Storage, published: PackageFacts, answer: Answer) -> None:
        self.on_end: Callable[[int, str], None] | None = None
        self.sent = 0  # bytes of the file handed to the server
        self._expected = answer.length
        self.boundary = secrets.token_hex(16) if len(answer.spans) > 1 else ""
        self._pieces: list[tuple[bool, Iterator[bytes]]] = []
        self.length = answer.length
        for start, stop in answer.spans:
            if self.boundary:
                head = (
                    f"\r\n--{self.boundary}\r\nContent-Type: {published.media_type}\r\n"
                    f"Content-Range: bytes {start}-{stop - 1}/{published.bytes}\r\n\r\n"
                ).encode()
                self._frame(head)
            self._pieces.append((True, storage.stream(published.storage_key, start, stop - start)))
        if self.boundary:
            self._frame(f"\r\n--{self.boundary}--\r\n".encode())

    def _frame(self, text: bytes) -> None:
        self._pieces.append((False, iter((text,))))
        self.length += len(text)

    def __iter__(self) -> Iterator[bytes]:
        for of_file, pieces in self._pieces:
            for piece in pieces:
                yield piece
                if of_file:
                    self.sent += len(piece)

    def close(self) -> None:
        if self.on_end is not None:
            on_end, self.on_end = self.on_end, None
            on_end(self.sent, "complete" if self.sent == self._expected else "aborted")
