"""Examples of the API's calls, made from its document: a command that asks, its body, and what answers look like."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ...campaign import Campaign

Schema = Mapping[str, Any]

_ID = "3fKq0v7TcPzZs1mYb2WxRg"
_DIGEST = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
#: What texts of these names look like, wherever they stand.
_TEXTS = {
    "participant": f"par_{_ID}",
    "link": f"lnk_{_ID}",
    "case": f"cas_{_ID}",
    "check": f"chk_{_ID}",
    "certificate": f"crt_{_ID}",
    "member": f"mem_{_ID}",
    "assignee": f"stf_{_ID}",
    "email": "office@example.org",
    "country": "AT",
    "language": "en",
    "name": "Example Society",
    "capacity": "Head of office",
    "website": "https://www.example.org",
    "origins": "https://www.example.org",
    "filename": "logo-1.0.0.zip",
    "media_type": "application/zip",
    "path": "screen/logo.png",
    "title": "A title",
    "url": "https://www.example.org/page",
    "version": "1.0.0",
    "sha256": _DIGEST,
    "digest": _DIGEST,
    "reason": "As agreed by telephone.",
    "text": "The poster hangs in our window until June.",
    "description": "The heart is on a sale of shirts that nobody has allowed.",
    "width": "256",
    "format": "json",
    "by": "country",
}
#: What an ``id`` is in the models whose names begin so; the first that fits.
_IDS = (
    ("LinkedPackage", "package"),
    ("Participant", "participant"),
    ("Link", "link"),
    ("CaseMessage", "message"),
    ("CaseFile", "file"),
    ("Case", "case"),
    ("Embed", "embed"),
    ("Certificate", "certificate"),
    ("VerifiedCertificate", "certificate"),
    ("ArtworkCheck", "check"),
    ("Member", "member"),
    ("Terms", "terms"),
    ("Logo", "logo"),
    ("Package", "package"),
    ("Version", "package"),
)
#: What the address of a call names after these segments.
_SEGMENTS = {
    "participants": "participant",
    "links": "link",
    "cases": "case",
    "embeds": "embed",
    "artwork-checks": "check",
    "members": "member",
    "packages": "package",
    "terms": "terms",
    "verify": "certificate",
    "proofs": "entry",
    "versions": "version",
    "files": "file",
}
#: Fields that a body does not need, and an example shows.
_SHOWN = {
    "JoinBody": {"country"},
    "SignatoryBody": {"capacity"},
    "RequestBody": {"purposes"},
    "MisuseBody": {"email"},
    "LinkBody": {"package", "max_downloads"},
    "EmbedBody": {"origins"},
    "EmbedChangeBody": {"origins"},
    "ArtworkCheckForm": {"participant"},
    "CertificateBody": {"language"},
}


class Examples:
    """Makes examples of the calls of one document, with what the campaign in force has."""

    def __init__(self, document: Mapping[str, Any], campaign: Campaign, *, package: str, base_url: str) -> None:
        """Take the document, and the id of a package that is handed out."""
        self._schemas: Mapping[str, Schema] = document["components"]["schemas"]
        self._base_url = base_url
        logo, terms = next(iter(campaign.logos)), next(iter(campaign.terms.ids()))
        others = {"embed": f"ebd_{_ID}", "key": f"ebd_{_ID}", "message": f"msg_{_ID}", "file": f"fil_{_ID}"}
        self._texts = _TEXTS | others | {"package": package, "logo": logo, "terms": terms, "entry": f"ent_{_ID}"}
        kind = campaign.eligibility.kinds[0]
        self._answers = {field.name: _answer(field) for field in kind.fields if field.required}

    def command(self, path: str, method: str, operation: Mapping[str, Any]) -> str:
        """Return the call as a line of curl, over several lines."""
        parts = [f"curl -sS {shlex.quote(self._base_url + self.address(path))}"]
        if method != "get":
            parts[0] = parts[0].replace("curl -sS", f"curl -sS -X {method.upper()}")
        if operation.get("x-roles"):
            parts.append("-H 'Authorization: Bearer emb_…'")
        for kind, media in operation.get("requestBody", {}).get("content", {}).items():
            body = self.body(media["schema"])
            if kind == "application/json":
                parts += ["-H 'Content-Type: application/json'", f"-d {shlex.quote(self.text(body))}"]
            else:
                parts += [f"-F {name}={'@picture.png' if name == 'file' else value}" for name, value in body.items()]
        return " \\\n  ".join(parts)

    @staticmethod
    def text(value: Any) -> str:
        """Return plain values as JSON for people."""
        return json.dumps(value, ensure_ascii=False, indent=2)

    def request(self, operation: Mapping[str, Any]) -> Any:
        """Return the JSON body that a call is sent with; None where it takes none."""
        media = operation.get("requestBody", {}).get("content", {}).get("application/json")
        return self.body(media["schema"]) if media else None

    def answer(self, operation: Mapping[str, Any]) -> Any:
        """Return what a call answers when it is done, as plain values; None where that is no JSON."""
        for status, response in sorted(operation["responses"].items()):
            media = response.get("content", {}).get("application/json")
            if status < "3" and media:
                return self.value(media["schema"])
        return None

    def body(self, schema: Schema) -> Any:
        """Return an example of a body: what it needs, and a little more."""
        return self.value(schema, sparing=True)

    def value(self, schema: Schema, name: str = "", *, sparing: bool = False, model: str = "") -> Any:
        """Return a value of a schema, ``name`` being the field that it stands in and ``model`` the one around it."""
        if "$ref" in schema:
            inner = str(schema["$ref"]).rpartition("/")[2]
            return self.value(self._schemas[inner], name, sparing=sparing, model=inner)
        if "anyOf" in schema:
            option = next(one for one in schema["anyOf"] if one.get("type") != "null")
            return self.value(option, name, sparing=sparing, model=model)
        for given in ("const", "example"):
            if given in schema:
                return schema[given]
        if "enum" in schema:
            return schema["enum"][0]
        kind = schema.get("type")
        if kind == "object":
            return self._object(schema, name, sparing, model)
        if kind == "array":
            parts = schema.get("prefixItems") or [schema.get("items", {})]
            return [self.value(one, name, sparing=sparing, model=model) for one in parts]
        if kind == "string":
            return self._text(schema, name, model)
        return {"integer": max(schema.get("minimum", 1), 1), "number": 1.5, "boolean": True}.get(str(kind))

    def _object(self, schema: Schema, name: str, sparing: bool, model: str) -> dict[str, Any]:
        if "properties" not in schema:
            return dict(self._answers) if name == "answers" else {}
        wanted = {*schema.get("required", ()), *_SHOWN.get(model, ())} if sparing else set(schema["properties"])
        return {
            field: self.value(inner, field, sparing=sparing, model=model)
            for field, inner in schema["properties"].items()
            if field in wanted
        }

    def _text(self, schema: Schema, name: str, model: str) -> str:
        if name == "id":
            name = next((thing for prefix, thing in _IDS if model.startswith(prefix)), "id")
        if schema.get("format") == "date-time":
            return "2026-11-25T12:00:00.000000Z"
        if name in ("package", "packages"):
            return self._texts["package"]
        return self._texts.get(
            name,
            {"email": "office@example.org", "uri": "https://www.example.org/page"}.get(str(schema.get("format")), "…"),
        )

    def address(self, path: str) -> str:
        """Return the path of a call with examples of what it names; they stand for the reader's own."""

        def named(found: re.Match[str]) -> str:
            return f"/{found[1]}/" + self._texts.get(_SEGMENTS.get(found[1], ""), found[2])

        return re.sub(r"/([\w-]+)/\{(\w+)\}", named, path)


def _answer(field: Any) -> Any:
    if field.type == "choice":
        return field.options[0].value
    texts = {"boolean": True, "country": "AT", "url": "https://www.example.org", "date": "2026-11-25"}
    return texts.get(field.type, "The logo goes on our web page and on the posters in our windows.")
