"""Artwork checks: send a file, look at a check, list them, and the word of staff."""

from __future__ import annotations

from flask import Response
from werkzeug.datastructures import FileStorage

from ... import paths
from ...answers.artwork import ArtworkCheckAnswer, ArtworkChecksAnswer
from ...artwork import MOST_BYTES
from ...problems import FieldError, InvalidRequest, NotFound, UnknownLogo
from ...verdicts import KeptCheck
from ..auth import may_see, need, own, portal
from ..context import actor, deployment, key
from ..i18n import language
from ..uploads import content, takes_file
from . import answer, blueprint, problems
from .artwork_models import ArtworkCheckForm, ArtworkChecksQuery, OverrulingBody
from .models import IdPath

api = blueprint("artwork", "Whether the logo is used right in a picture or PDF")


@api.post("/artwork-checks", responses={201: ArtworkCheckAnswer})
@need("portal", "partner", "staff")
@takes_file(MOST_BYTES)
@problems(NotFound, UnknownLogo)
def check(form: ArtworkCheckForm) -> Response:
    """Checks a file; the file is deleted after it unless ``keep`` is true. Findings are in the language accepted."""
    participant = own(form.participant)
    if participant:
        may_see(participant)
    if not isinstance(form.file, FileStorage):
        detail = "Send the file as a part with a file name."
        raise InvalidRequest(detail, errors=[FieldError("/file", detail)])
    made = deployment().verdicts.check(
        content(form.file, MOST_BYTES),
        by=actor(),
        language=language(),
        logo=form.logo,
        purpose=form.purpose,
        keep=form.keep,
        participant=participant,
    )
    return answer(_told(made), 201, Location=paths.artwork_check(made.id))


@api.get("/artwork-checks", responses={200: ArtworkChecksAnswer})
@need("portal", "partner", "staff", "auditor")
@problems(NotFound)
def checks(query: ArtworkChecksQuery) -> Response:
    """Lists checks, newest first."""
    participant = own(query.participant)
    if participant:
        may_see(participant)
    page = deployment().verdicts.list(
        participant=participant, verdict=query.verdict, portal=portal(), cursor=query.cursor, limit=query.limit
    )
    return answer(ArtworkChecksAnswer(artwork_checks=[_told(one) for one in page.items], next_cursor=page.next_cursor))


@api.get("/artwork-checks/<id>", responses={200: ArtworkCheckAnswer})
@need("portal", "partner", "staff", "auditor")
def one_check(path: IdPath) -> Response:
    """One check with its findings, and what staff said of it."""
    found = deployment().verdicts.get(path.id)
    _mine(found)
    return answer(_told(found))


@api.post("/artwork-checks/<id>/overruling", responses={200: ArtworkCheckAnswer})
@need("staff")
def overrule(path: IdPath, body: OverrulingBody) -> Response:
    """Lets a check count as another verdict, with the reason."""
    return answer(_told(deployment().verdicts.overrule(path.id, body.verdict, reason=body.reason, by=actor())))


def _told(check: KeptCheck) -> ArtworkCheckAnswer:
    caller = key()
    return ArtworkCheckAnswer.of(check, with_reason=caller is not None and caller.role != "auditor")


def _mine(check: KeptCheck) -> None:
    if check.by == actor():
        return
    try:
        if check.participant is None:
            if portal() or own(None):
                raise NotFound
            return
        may_see(check.participant)
    except NotFound as error:
        raise NotFound("There is no check of this id.") from error
