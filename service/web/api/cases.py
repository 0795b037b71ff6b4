"""Cases: what waits for a person's decision, and everything that staff and applicants do with it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from flask import Response, request
from werkzeug.datastructures import FileStorage

from ... import paths
from ...answers.cases import CaseAnswer, CaseFileAnswer, CaseMessageAnswer, CasesAnswer, MisuseReportAnswer
from ...artwork import KINDS
from ...desk import MOST_BYTES, CaseView, Filter, Wish
from ...media_types import MEDIA_TYPES
from ...problems import (
    CaseDecided,
    CaseOpen,
    ChangedMeanwhile,
    Conflict,
    FieldError,
    InvalidRequest,
    NotFound,
    TooManyFiles,
)
from ..auth import may_see, need, own, portal
from ..case_files import file_response
from ..context import actor, client, conditional, deployment, key
from ..i18n import language
from ..limits import hit
from ..uploads import content, takes_file
from . import answer, blueprint, problems, public
from .cases_models import (
    AssignmentBody,
    CaseDecisionBody,
    CaseFileForm,
    CaseFilePath,
    CasesQuery,
    MessageBody,
    MisuseBody,
    RequestBody,
)
from .models import IdPath

api = blueprint("cases", "What waits for a person's decision: cases, messages, files, decisions and requests")
open_api = blueprint("misuse", "Reports of misuse, by anybody", public=True)

#: How the OpenAPI document describes the bytes of a file.
_BYTES = {
    "description": "OK",
    "content": {MEDIA_TYPES[one]: {"schema": {"type": "string", "format": "binary"}} for one in KINDS},
}
_TAG = re.compile(r"([0-9]{1,9})-(staff|applicant)")


@api.get("/cases", responses={200: CasesAnswer})
@need("portal", "partner", "staff")
@problems(NotFound)
def cases(query: CasesQuery) -> Response:
    """List cases, the soonest due first; an applicant sees its own."""
    participant = own(query.participant)
    if participant and not _is_staff():
        may_see(participant)
    chosen = Filter(
        kind=query.kind,
        status=query.status,
        participant=query.participant,
        participant_kind=query.participant_kind,
        country=query.country,
        purpose=query.purpose,
        assignee=query.assignee,
        q=query.q,
        portal=portal(),
        applicant=own(None),
        team=query.team if _is_staff() and query.team != "all" else None,
        within=_within(query.team),
    )
    page = deployment().desk.reading.list(chosen, cursor=query.cursor, limit=query.limit)
    return answer(CasesAnswer.of(page.items, page.next_cursor))


def _within(team: str | None) -> str | None:
    """The person of the staff whose teams' cases are listed; None where a team, or all, are asked for by name."""
    found = key()
    return found.staff if found is not None and found.role == "staff" and team is None else None


@api.get("/cases/<id>", responses={200: CaseAnswer})
@need("portal", "partner", "staff")
@public
@problems(NotFound)
def one_case(path: IdPath) -> Response:
    """One case, with an ETag that its next change alters; send it back as If-Match."""
    return conditional(_told(_seen(path.id)))


@api.post("/cases/<id>/messages", responses={201: CaseMessageAnswer})
@need("portal", "partner", "staff")
@problems(NotFound, CaseDecided, ChangedMeanwhile)
def write(path: IdPath, body: MessageBody) -> Response:
    """Write in a case: staff a note, a message or a question; the applicant an answer, with what is otherwise."""
    _seen(path.id)
    conversation, expected = deployment().desk.conversation, _expected()
    given = body.model_fields_set
    if _is_staff():
        _refuse(given & {"answers", "purposes"}, "Only the applicant can say this: ask for it with `return`.")
        made = conversation.write(
            path.id,
            body.text,
            by=actor(),
            visible=body.visible,
            back=body.back,
            files=body.files,
            expected=expected,
        )
    else:
        staffs = {"visible": "visible", "back": "return"}
        _refuse({staffs[name] for name in given & set(staffs)}, "Only staff can say this; leave it out.")
        wish = Wish(body.answers, body.purposes)
        made = conversation.answer(path.id, body.text, by=actor(), wish=wish, files=body.files, expected=expected)
    return answer(CaseMessageAnswer.of(made), 201)


@api.post("/cases/<id>/files", responses={201: CaseFileAnswer})
@need("portal", "partner", "staff")
@takes_file(MOST_BYTES)
@problems(NotFound, CaseDecided, TooManyFiles)
def add_file(path: IdPath, form: CaseFileForm) -> Response:
    """Add a file to a case: PNG, JPEG, WebP, AVIF, SVG or PDF; pictures and PDFs get an artwork check."""
    _seen(path.id)
    if not isinstance(form.file, FileStorage):
        detail = "Send the file as a part with a file name."
        raise InvalidRequest(detail, errors=[FieldError("/file", detail)])
    made = deployment().desk.files.add(
        path.id,
        content(form.file, MOST_BYTES),
        form.file.filename or "file",
        by=actor(),
        staff=_is_staff(),
        language=language(),
    )
    return answer(CaseFileAnswer.of(made), 201, Location=paths.case_file(path.id, made.id))


@api.get("/cases/<id>/files/<file>", responses={200: _BYTES})
@need("portal", "partner", "staff")
@problems(NotFound)
def one_file(path: CaseFilePath) -> Response:
    """The bytes of a file of a case."""
    _seen(path.id)
    return file_response(deployment().desk.files.get(path.id, path.file, staff=_is_staff()))


@api.post("/cases/<id>/assignments", responses={200: CaseAnswer})
@need("staff")
@problems(NotFound, CaseDecided, ChangedMeanwhile)
def assign(path: IdPath, body: AssignmentBody) -> Response:
    """Give a case to somebody, or to nobody."""
    return _told(deployment().desk.conversation.assign(path.id, body.assignee, by=actor(), expected=_expected()))


@api.post("/cases/<id>/withdrawal", responses={200: CaseAnswer})
@need("portal", "partner")
@problems(NotFound, CaseDecided, ChangedMeanwhile)
def withdraw(path: IdPath) -> Response:
    """Close a case whose applicant wants it no more."""
    _seen(path.id)
    return _told(deployment().desk.conversation.withdraw(path.id, by=actor(), expected=_expected()))


@api.post("/cases/<id>/decisions", responses={200: CaseAnswer})
@need("staff")
@problems(NotFound, ChangedMeanwhile, Conflict)
def decide(path: IdPath, body: CaseDecisionBody) -> Response:
    """Decide a case, in force and on record at once; with If-Match only as it was read."""
    decided = deployment().desk.deciding.decide(
        path.id,
        body.outcome,
        reason=body.reason,
        by=actor(),
        purposes=_purposes(body.purposes),
        expected=_expected(),
    )
    return _told(decided)


@api.post("/participants/<id>/requests", responses={201: CaseAnswer})
@need("portal", "partner", "staff")
@problems(NotFound, CaseOpen, Conflict)
def ask(path: IdPath, body: RequestBody) -> Response:
    """Ask for something: anew after a refusal, for another purpose or plan, or for a renewal; rules decide first."""
    may_see(path.id)
    made = deployment().desk.requests.ask(
        path.id, body.kind, by=actor(), wish=Wish(body.answers, body.purposes), message=body.message
    )
    return answer(CaseAnswer.of(made), 201, Location=paths.case(made.id), ETag=_tag(made))


@open_api.post("/misuse-reports", responses={202: MisuseReportAnswer})
def report_misuse(body: MisuseBody) -> Response:
    """Report misuse of the logo; a person looks at it, and tells the address, if one is given, what became of it."""
    hit("misuse", client().network)
    said = {"url": body.url, "description": body.description, "email": body.email, "language": body.language}
    return answer(MisuseReportAnswer(id=deployment().desk.misuse.report(said)), 202)


def _is_staff() -> bool:
    caller = key()
    return caller is not None and caller.role == "staff"


def _seen(case: str) -> CaseView:
    """The case as the caller sees it. Raises NotFound for another's, as if it were not there."""
    found = deployment().desk.reading.get(case, staff=_is_staff())
    if not _is_staff():
        try:
            may_see(found.participant or "")
        except NotFound as error:
            raise NotFound("There is no case of this id that you may see.") from error
    return found


def _told(seen: CaseView) -> Response:
    return answer(CaseAnswer.of(seen), ETag=_tag(seen))


def _tag(seen: CaseView) -> str:
    return f'"{seen.version}-{"staff" if _is_staff() else "applicant"}"'


def _expected() -> frozenset[int] | None:
    """The versions that ``If-Match`` names; None where it takes any, or is not there."""
    if "If-Match" not in request.headers or request.if_match.star_tag:
        return None
    mine = "staff" if _is_staff() else "applicant"
    tags = (_TAG.fullmatch(tag) for tag in request.if_match.as_set())
    return frozenset(int(tag[1]) for tag in tags if tag is not None and tag[2] == mine)


def _purposes(value: object) -> Sequence[str] | None:
    if value is None:
        return None
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        detail = "Send a list of names of purposes."
        raise InvalidRequest(detail, errors=[FieldError("/purposes", detail)])
    return value


def _refuse(names: set[str], detail: str) -> None:
    """Raises InvalidRequest for members of a body that this caller cannot use."""
    if names:
        raise InvalidRequest(errors=[FieldError(f"/{name}", detail) for name in sorted(names)])
