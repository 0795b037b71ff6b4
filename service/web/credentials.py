"""The files of certificates, the status lists of their credentials, and the keys that sign them (``did:web``)."""

from __future__ import annotations

import json

from flask import Blueprint, Response, make_response

from .context import conditional, deployment

blueprint = Blueprint("credentials", __name__)

_TYPES = {"pdf": "application/pdf", "png": "image/png", "jwt": "application/vc+jwt"}


@blueprint.get("/certificates/<certificate>.<any(pdf, png, jwt):form>")
def file(certificate: str, form: str) -> Response:
    """A certificate as PDF, its badge, or its credential; whoever has the address may see it."""
    response = make_response(deployment().certificates.file(certificate, form))
    response.headers["Content-Type"] = _TYPES[form]
    response.headers["Content-Disposition"] = f'inline; filename="{certificate}.{form}"'
    response.headers["Cache-Control"] = "private, max-age=60"
    response.headers["X-Robots-Tag"] = "noindex"
    response.add_etag()
    return conditional(response)


@blueprint.get("/status/<int:number>")
def status_list(number: int) -> Response:
    """A Bitstring Status List: which credentials are revoked (even numbers) or suspended (odd ones)."""
    response = _public(deployment().certificates.status_list(number), "application/vc+jwt")
    response.headers["Cache-Control"] = "public, max-age=30"
    return response


@blueprint.get("/.well-known/did.json")
def did() -> Response:
    """The keys of credentials, as ``did:web`` finds them."""
    document = deployment().certificates.issuer.did_document()
    response = _public(json.dumps(document, indent=2) + "\n", "application/did+json")
    response.headers["Cache-Control"] = "public, max-age=300"
    return response


def _public(text: str, media_type: str) -> Response:
    response = make_response(text)
    response.headers["Content-Type"] = media_type
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response
