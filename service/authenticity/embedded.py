"""Read what a file carries of us: the certificate that it says it is, and its XMP.

Its readers take long to import, so this is imported by who looks into a file, and not at every start.
"""

from __future__ import annotations

import base64
import io
import json
from dataclasses import dataclass

import pikepdf
from openbadgeslib.baking import ITXT_KEYWORD_OB3, extract_png

from ..media_types import MEDIA_TYPES, recognised
from ..packages.content_credentials import CARRIERS, available


def certificate_in(data: bytes) -> tuple[str, str] | None:
    """The form and the id of a certificate that a file says it is: a baked badge, a document, or the credential."""
    if data.startswith(b"\x89PNG"):
        try:
            token = extract_png(data, keyword=ITXT_KEYWORD_OB3)
        except Exception:  # whatever a strange file makes the reader raise: it carries nothing then
            return None
        return ("png", found) if token and (found := _named(token.encode())) else None
    if data.startswith(b"%PDF"):
        try:
            with pikepdf.open(io.BytesIO(data)) as pdf:
                receipt = pdf.attachments.get("receipt.tlog-proof")
                text = receipt.get_file().read_bytes() if receipt is not None else b""
        except (pikepdf.PdfError, ValueError, KeyError):
            return None
        return ("pdf", found) if (found := _entry_id(text)) else None
    return ("jwt", found) if data.count(b".") == 2 and (found := _named(data)) else None


def _named(token: bytes) -> str | None:
    """The id of the certificate whose credential this is."""
    try:
        part = token.split(b".")[1]
        claims = json.loads(base64.urlsafe_b64decode(part + b"=" * (-len(part) % 4)))
        found = str(claims["id"]).rpartition("/")[2].removesuffix(".jwt")
    except (ValueError, KeyError, IndexError, TypeError, RecursionError):
        return None
    return found if found.startswith("crt_") else None


def _entry_id(receipt: bytes) -> str | None:
    """The id of the entry that a tlog-proof carries."""
    try:
        line = next(line for line in receipt.split(b"\n") if line.startswith(b"extra "))
        return str(json.loads(base64.b64decode(line[6:]))["id"])
    except (ValueError, KeyError, StopIteration, TypeError, RecursionError):
        return None


def metadata(data: bytes) -> str:
    """The XMP of a file as text, wherever it is in the clear; of a PDF its metadata stream."""
    if data.startswith(b"%PDF"):
        try:
            with pikepdf.open(io.BytesIO(data)) as pdf:
                stream = pdf.Root.get("/Metadata")
                return stream.read_bytes().decode("utf-8", "replace") if isinstance(stream, pikepdf.Stream) else ""
        except (pikepdf.PdfError, ValueError):
            return ""
    start = data.find(b"<x:xmpmeta")
    end = data.find(b"</x:xmpmeta>", start)
    return data[start:end].decode("utf-8", "replace") if start >= 0 else ""


@dataclass(frozen=True)
class Signed:
    """Content credentials by the campaign's certificate: of which file of a package, and whether it is unchanged."""

    package: str
    version: str
    path: str
    intact: bool


def signed_by(data: bytes, anchor: str) -> Signed | None:
    """Read the content credentials of a file that are signed under ``anchor`` (PEM); None where it has none such.

    Nothing is fetched. Without the extra that reads them no file has any.
    """
    kind = recognised(data)
    if kind not in CARRIERS or not (b"c2pa" in data and available()):
        return None
    import c2pa

    try:
        with (
            c2pa.Context.from_dict(_READING | {"trust": {"trust_anchors": anchor}}) as context,
            c2pa.Reader(MEDIA_TYPES[kind], io.BytesIO(data), context=context) as reader,
        ):
            told = json.loads(reader.json())
        results = told["validation_results"]["activeManifest"]
        passed = {one["code"] for one in results["success"]}
        (assertion,) = [
            one["data"]
            for one in told["manifests"][told["active_manifest"]]["assertions"]
            if one["label"].startswith("cawg.metadata")
        ]
        package, version, path = str(assertion["dc:identifier"]).split("/", 2)
    except (c2pa.C2paError, ValueError, KeyError, TypeError, RecursionError):
        return None
    if not {"signingCredential.trusted", "claimSignature.validated"} <= passed:
        return None
    return Signed(package, version, path, told.get("validation_state") == "Trusted")


_READING = {"verify": {"verify_trust": True, "remote_manifest_fetch": False, "ocsp_fetch": False}}
