"""Artwork checks for staff: what participants had checked, and where a person judged otherwise."""

from __future__ import annotations

from flask import Response, make_response, request, url_for

from ...campaign.text import msgid
from ...campaign.typed_text import LONGEST_TEXT
from ...problems import InvalidRequest
from ...verdicts import VERDICTS
from ..context import actor, deployment
from ..i18n import translate
from ..pages.blueprint import query
from ..pages.check import VERDICT_WORDS, shown_logos
from ..pages.forms import FormMistakes, required, sent
from ..pages.render import private, see_other
from ..security import FILE_POLICY
from .blueprint import PAGE, staff


@staff.get("/artwork")
def artwork() -> Response:
    """All checks, or those of ``?participant=``, with ``?verdict=``, or ``?overruled=yes``."""
    participant, verdict, overruled = query("participant"), query("verdict"), query("overruled") == "yes"
    verdict = verdict if verdict in VERDICTS else ""
    found = deployment().verdicts.list(
        participant=participant or None,
        verdict=verdict or None,
        overruled=overruled,
        cursor=query("cursor") or None,
        limit=PAGE,
    )
    return private(
        "staff/artwork.html",
        page=found,
        participant=participant,
        chosen=verdict,
        overruled=overruled,
        verdict_words=VERDICT_WORDS,
    )


@staff.get("/artwork/<check>")
def artwork_check(check: str) -> Response:
    """One check: what was found, and the form that overrules it."""
    return _detail(check, FormMistakes())


@staff.post("/artwork/<check>")
def artwork_overrule(check: str) -> Response:
    """Lets a check count as another verdict, with the reason."""
    mistakes, verdict = FormMistakes(), sent("verdict")
    reason = required(mistakes, "reason", msgid("Write the reason; the participant is told."), LONGEST_TEXT, lines=True)
    if verdict not in VERDICTS:
        mistakes.add("verdict", translate(msgid("Choose one.")))
    if not mistakes:
        try:
            deployment().verdicts.overrule(check, verdict, reason=reason, by=actor())
        except InvalidRequest:
            mistakes.add("verdict", translate(msgid("It counts as this already; choose another verdict.")))
    if mistakes:
        return _detail(check, mistakes, 422)
    return see_other(url_for("staff.artwork_check", check=check))


@staff.get("/artwork/<check>/file")
def artwork_file(check: str) -> Response:
    """The file of a check whose sender wanted it to be kept, to download."""
    found = deployment().verdicts.get(check)
    response = make_response(deployment().verdicts.upload(found))
    ending = found.report.media_type.rpartition("/")[2].partition("+")[0]
    response.headers["Content-Type"] = found.report.media_type
    response.headers["Content-Disposition"] = f'attachment; filename="{found.id}.{ending}"'
    response.headers["Content-Security-Policy"] = FILE_POLICY
    response.headers["Cache-Control"] = "private, no-store"
    return response


def _detail(check: str, mistakes: FormMistakes, status: int = 200) -> Response:
    found = deployment().verdicts.get(check)
    return private(
        "staff/artwork_check.html",
        status,
        check=found,
        logos=shown_logos(found),
        verdict_words=VERDICT_WORDS,
        mistakes=mistakes,
        values=request.form,
    )
