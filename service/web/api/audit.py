"""Reports and proofs for auditors and staff."""

from __future__ import annotations

from flask import Response, make_response, request
from pydantic import BaseModel, Field

from ... import period
from ...answers.audit import ReportAnswer
from ...audit import formats, html_report
from ...audit.dimensions import DIMENSIONS
from ...audit.query import FORMATS, LARGEST_SIZE, LONGEST_FILTER, MOST_DIMENSIONS, parse
from ...participants import ApiKeyView
from ...problems import Forbidden, LogDamaged, NotFound, NotSealed, Unauthorized
from ..auth import need
from ..context import deployment, key
from ..security import HEADERS, current_session
from . import blueprint, media, problems
from .models import NO_NUL

api = blueprint("audit", "Reports over the sealed record, and proofs of its entries")


class ProofPath(BaseModel):
    """Path of one entry."""

    name: str = Field(description="An entry's id or its leaf index", min_length=1, max_length=100, pattern=NO_NUL)


def _parameter(name: str, description: str, schema: dict[str, object]) -> dict[str, object]:
    return {"name": name, "in": "query", "required": False, "description": description, "schema": schema}


_TEXT: dict[str, object] = {"type": "string", "maxLength": LONGEST_FILTER, "pattern": NO_NUL}
_MOMENT: dict[str, object] = {"type": "string", "maxLength": 40, "pattern": period.PATTERN}
_SIZE: dict[str, object] = {"type": "integer", "minimum": 0, "maximum": LARGEST_SIZE}
_BY: dict[str, object] = {
    "type": "array",
    "items": {"type": "string", "enum": list(DIMENSIONS)},
    "maxItems": MOST_DIMENSIONS,
}
_PARAMETERS = [
    _parameter("by", "Dimensions, repeated; none gives one row", _BY),
    _parameter("from", "A date, included, or an instant", _MOMENT),
    _parameter("to", "A date, included, or an instant, excluded", _MOMENT),
    _parameter("checkpoint", "The size of a published checkpoint; the newest if not given", _SIZE),
    _parameter("format", "How to answer", {"type": "string", "enum": list(FORMATS)}),
    _parameter("compare", "The same for as long a time before", {"type": "string", "enum": ["previous"]}),
    *(_parameter(name, f"Only this {name.replace('_', ' ')}; ~ for none", _TEXT) for name in DIMENSIONS),
]


@api.get("/audit/report", responses={200: ReportAnswer}, openapi_extensions={"parameters": _PARAMETERS})
@need("auditor", "staff")
@problems(NotSealed, LogDamaged)
@media("text/csv", "application/vnd.apache.parquet", "text/html")
def report() -> Response:
    """Report what was downloaded and shown, by any dimensions, from exactly the entries below a checkpoint."""
    return report_answer()


def report_answer() -> Response:
    """The report that the query string asks for, in its format."""
    query = parse(request.args.items(multi=True))
    form = request.args.get("format") or "json"
    found = deployment().reports.run(query)
    if form == "html":
        body = html_report.as_html(found, deployment().campaign.info.name.get("en"))
        style = html_report.style_digest()
    else:
        body = {"json": formats.as_json, "csv": formats.as_csv, "parquet": formats.as_parquet}[form](found)
    response = make_response(body)
    response.headers["Content-Type"] = formats.FORMS[form]
    response.headers["Cache-Control"] = "private, no-store"
    if form in ("csv", "parquet"):
        name = "-".join(["emblem", *query.by, str(found.checkpoint["size"])])
        response.headers["Content-Disposition"] = f'attachment; filename="{name}.{form}"'
        if found.note:  # a table of rows has no place for it
            response.headers["Report-Note"] = found.note
    if form == "html":
        # The page is complete in itself, so its one style sheet is in it, named by its digest.
        response.headers["Content-Security-Policy"] = (
            f"{HEADERS['Content-Security-Policy']}; script-src 'none'; style-src 'sha256-{style}'"
        )
    return response


@api.get("/audit/proofs/<name>", responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}})
@problems(Forbidden, NotSealed, LogDamaged)
def proof(path: ProofPath) -> Response:
    """Prove an entry by a C2SP tlog-proof file; participants get those of their own acceptances."""
    if not _reads_everything():
        _own_acceptance(path.name)
    text = deployment().receipts.make(path.name)
    response = make_response(text)
    response.headers["Content-Type"] = "text/plain; charset=utf-8"
    response.headers["Cache-Control"] = "private, no-store"
    response.headers["Content-Disposition"] = f'attachment; filename="{path.name}.tlog-proof"'
    return response


def _reads_everything() -> bool:
    """Tell whether an auditor or staff asks, by key or signed in; Unauthorized where nobody is known."""
    caller = key() or current_session()
    if caller is None:
        raise Unauthorized
    if isinstance(caller, ApiKeyView) and caller.scope.narrow:
        return False
    return caller.role in ("auditor", "staff")


def _own_acceptance(name: str) -> None:
    """Forbidden or NotFound where this is not an acceptance of the caller, who is a partner or a portal."""
    if not name.startswith("acc_"):
        raise Forbidden("Proofs of all entries are for auditors and staff; yours are those of your acceptances.")
    owner = deployment().receipts.owner(name)
    caller, session = key(), current_session()
    if owner is not None and (
        deployment().participants.access.may_act(caller, owner)
        if caller
        else session is not None and session.participant == owner
    ):
        return
    raise NotFound("There is no acceptance of this id that is yours.")
