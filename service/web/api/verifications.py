"""Views that tell anyone whether a file is genuine."""

from __future__ import annotations

from flask import Response
from flask_openapi3.models.file import FileStorage as SentFile
from pydantic import BaseModel, ConfigDict
from werkzeug.datastructures import FileStorage

from ...answers.authenticity import VerificationAnswer
from ...authenticity import MOST_BYTES, Reason
from ...problems import FieldError, InvalidRequest
from .. import limits
from ..context import client, deployment
from ..i18n import language, translate_plain
from ..uploads import content, takes_file
from . import answer, blueprint

api = blueprint("verifications", "Whether a file is what the campaign published", public=True)


class VerificationForm(BaseModel):
    """A file to look at. It is not kept."""

    model_config = ConfigDict(extra="forbid")

    file: SentFile


@api.post("/verifications", responses={200: VerificationAnswer})
@takes_file(MOST_BYTES)
def verify(form: VerificationForm) -> Response:
    """Say whether a file is genuine, altered, carries the logo, or is not known; with reasons."""
    limits.hit("artwork", client().network)
    if not isinstance(form.file, FileStorage):
        detail = "Send the file as a part with a file name."
        raise InvalidRequest(detail, errors=[FieldError("/file", detail)])
    name = form.file.filename or ""
    found = deployment().authenticity.check(content(form.file, MOST_BYTES), name=name, language=language())
    return answer(VerificationAnswer.of(found, told))


def told(reason: Reason) -> str:
    """A reason in the reader's words, as plain text."""
    return translate_plain(reason.text, **reason.values)
