"""The life of a download: ``GET|HEAD /d/{token}/{filename}``, read from top to bottom.

verify the token → find the file → what the request asks of it → may it be sent? → open it → RECORD → send.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING
from urllib.parse import quote

from flask import Blueprint, Response, g, request
from werkzeug.routing import BaseConverter

from .. import paths
from ..clients import Client
from ..links import Asked, Claim
from ..packages import PublishedFile
from ..problems import NotRecorded, PackageDamaged, PreconditionFailed, Problem, RangeNotSatisfiable, Unavailable
from . import limits
from .context import client, deployment, streams
from .file_body import FileBody
from .ranges import RangeAnswer, evaluate

if TYPE_CHECKING:
    from flask.blueprints import BlueprintSetupState

blueprint = Blueprint("delivery", __name__)

ACCEL_PREFIX = "/_emblem/storage/"  # the internal location of the nginx example
_STORAGE_LINK_AGE = 60  # seconds


class _AnyText(BaseConverter):
    """Any text, slashes and line ends included: an address that was cut off is answered here, and not as unknown."""

    regex = r"[\s\S]*"
    part_isolating = False


@blueprint.record_once
def _register(state: BlueprintSetupState) -> None:
    state.app.url_map.converters["any_text"] = _AnyText


@blueprint.route("/d", methods=["GET", "HEAD"])
@blueprint.route("/d/<any_text:address>", methods=["GET", "HEAD"])
def download(address: str = "") -> Response:
    """Send the file of a signed link, after the download is recorded."""
    emblem, sender = deployment(), client()
    limits.hit("download", sender.network)
    token, _, filename = address.partition("/")
    claim = emblem.tokens.verify(token)
    g.link = claim.link
    try:
        package = emblem.links.file_of(claim, filename)
    except Unavailable as error:
        raise _as_not_recorded(error) from error
    answer = evaluate(
        package.bytes,
        package.sha256,
        method=request.method,
        range_header=request.headers.get("Range"),
        if_range=request.headers.get("If-Range"),
        if_none_match=request.headers.get("If-None-Match"),
        if_match=request.headers.get("If-Match"),
    )
    if request.method == "HEAD" or not answer.sends:
        emblem.recorder.check(claim, sender)
        return _without_body(package, answer)
    response, body = _open(claim, sender, package, answer)
    asked_range = request.headers.get("Range") if answer.status == 206 else None
    status = response.status_code if response.status_code == 303 else answer.status  # nginx answers 206 by itself
    try:
        recorded = emblem.recorder.record(claim, sender, Asked(asked_range, status, answer.length))
    except Problem:
        response.close()
        raise
    if body is not None:
        body.on_end = lambda sent, how: emblem.recorder.ended(recorded, sent, how)
    return response


@blueprint.after_request
def _count_refusals(response: Response) -> Response:
    if "link" in g and "problem" in g:
        deployment().refusals.note(g.link, g.problem)
    return response


def _as_not_recorded(error: Unavailable) -> Problem:
    if request.method == "HEAD":
        return error
    return NotRecorded(headers={"Retry-After": "5"}, private=error.private)


def _without_body(package: PublishedFile, answer: RangeAnswer) -> Response:
    refused: dict[int, type[Problem]] = {412: PreconditionFailed, 416: RangeNotSatisfiable}
    if answer.status in refused:
        raise refused[answer.status](headers=answer.headers)
    if answer.sends:  # HEAD: as GET would answer
        deployment().stored_packages.require(package)
    response = _described(package, answer)
    if answer.status == 304:
        response.headers.pop("Content-Type", None)
    else:
        response.headers["Content-Length"] = str(answer.length)
    return response


def _open(
    claim: Claim, sender: Client, package: PublishedFile, answer: RangeAnswer
) -> tuple[Response, FileBody | None]:
    """Open the file, and do nothing else for a link that may not be used: what is refused costs no request to it.

    Recording checks again, in its transaction. Where opening is one call of the system it costs less than to ask
    the database twice, so there the first check is left to recording, unless it decides which problem is told.
    """
    emblem = deployment()
    try:
        if emblem.storage.remote:
            emblem.recorder.check(claim, sender)
        return _prepare(package, answer)
    except PackageDamaged:
        emblem.recorder.check(claim, sender)
        raise


def _prepare(package: PublishedFile, answer: RangeAnswer) -> tuple[Response, FileBody | None]:
    """Return the answer, ready to be sent once it is recorded, and the body whose bytes we send ourselves.

    Raises PackageDamaged or Unavailable.
    """
    emblem = deployment()
    if emblem.settings.delivery == "redirect":
        emblem.stored_packages.require(package)
        return _redirect(package), None
    if emblem.settings.delivery == "x-accel" and emblem.storage.local_path(package.storage_key):
        emblem.stored_packages.require(package)
        return _accel(package), None
    body = FileBody(emblem.stored_packages, package, answer, streams())
    response = _described(package, answer, body)
    response.headers["Content-Length"] = str(body.length)
    if body.boundary:
        response.headers["Content-Type"] = f"multipart/byteranges; boundary={body.boundary}"
    return response, body


def _redirect(package: PublishedFile) -> Response:
    url = deployment().storage.signed_url(package.storage_key, _STORAGE_LINK_AGE, package.filename, package.media_type)
    if url is None:
        raise Unavailable(private="EMBLEM_DELIVERY=redirect needs an s3: storage")
    response = Response(status=303)
    response.headers["Location"] = url
    response.headers["Cache-Control"] = "private, no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


def _accel(package: PublishedFile) -> Response:
    # nginx reads the file and does the ranges; our fields stay (see docs/deploy).
    response = _described(package, RangeAnswer(200))
    response.headers["X-Accel-Redirect"] = ACCEL_PREFIX + quote(package.storage_key)
    return response


def _described(package: PublishedFile, answer: RangeAnswer, body: FileBody | None = None) -> Response:
    """Return a response with the fields that say what the file is."""
    digest = base64.b64encode(bytes.fromhex(package.sha256)).decode()
    plain = package.filename.encode("ascii", "replace").decode().replace("\\", "_").replace('"', "_")
    response = Response(body, status=answer.status, direct_passthrough=body is not None)
    response.headers.update(
        {
            "Content-Type": package.media_type,
            "Content-Disposition": (
                f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(package.filename, safe='')}"
            ),
            "ETag": f'"{package.sha256}"',
            "Accept-Ranges": "bytes",
            "Repr-Digest": f"sha-256=:{digest}:",
            "Link": ", ".join(
                f'<{deployment().settings.base_url}{paths.terms("en", terms)}>; rel="license"'
                for terms in package.all_terms
            ),
            "Cache-Control": "private, no-store",
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
            **answer.headers,
        }
    )
    return response
