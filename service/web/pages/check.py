"""The artwork check for people: a form that takes a picture or PDF, and the page of what came out."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from flask import Response, make_response, request, url_for

from ...artwork import MOST_BYTES, LogoReport
from ...campaign.text import msgid
from ...problems import InvalidRequest, NotFound, TooLarge, Unavailable, UnsupportedMediaType
from ...verdicts import KeptCheck
from .. import limits
from ..context import actor, client, deployment
from ..i18n import language, translate
from ..security import current_session
from ..uploads import content, said_of_file, takes_file
from .blueprint import pages, root
from .forms import FormMistakes, sent
from .render import private, see_other

_LIMIT = "artwork"
_WIDEST = 480  # CSS pixels of the right logo beside the findings

#: What a verdict says to whoever asked.
VERDICT_WORDS = {
    "compliant": (
        msgid("The logo is used right"),
        msgid("Every rule that can be measured in a picture is kept."),
    ),
    "not_compliant": (
        msgid("The logo is not used right yet"),
        msgid("At least one rule that has to be kept is broken. The table says what to change."),
    ),
    "needs_review": (
        msgid("Please look at this again"),
        msgid("Something is close to a limit or should be better. The table says what."),
    ),
    "logo_not_found": (
        msgid("No logo of this campaign was found"),
        msgid("It may be too small, covered, or changed too much. Send a sharper or larger picture to try again."),
    ),
}


@dataclass(frozen=True)
class NumberedLogo:
    """One found logo with its number in the picture of its page, and the right one as it would stand there.

    ``space`` is the clear space around the right one; all lengths are in CSS pixels, at most ``_WIDEST`` together.
    """

    number: int
    found: LogoReport
    width: float
    height: float
    space: float


@pages.get("/check")
def check() -> Response:
    """The form."""
    return _form(FormMistakes())


@pages.post("/check")
@takes_file(MOST_BYTES)
def check_submit() -> Response:
    """Checks the file and leads to the page of what came out."""
    who = client().network
    limits.hit(_LIMIT, who)
    session, mistakes = current_session(), FormMistakes()
    logo = sent("logo")
    if logo and logo not in deployment().campaign.logos:
        mistakes.add("logo", translate(msgid("Choose one.")))
    file = request.files.get("file")
    if file is None or not file.filename:
        mistakes.add("file", translate(msgid("Choose a picture or a PDF.")))
    if mistakes or file is None:
        return _form(mistakes, 422)
    try:
        made = deployment().verdicts.check(
            content(file, MOST_BYTES),
            by=actor(),
            language=language(),
            logo=logo or None,
            keep=session is not None and sent("keep") == "yes",
            participant=session.participant if session else None,
        )
    except (InvalidRequest, TooLarge, UnsupportedMediaType, Unavailable) as problem:
        mistakes.add("file", said_of_file(problem, MOST_BYTES))
        response = _form(mistakes, problem.status)
        response.headers.update(problem.headers)
        return response
    return see_other(url_for("pages.check_done", check=made.id))


@pages.get("/check/<check>")
def check_done(check: str) -> Response:
    """Return what came out: for an hour to whoever has the address, or as long as it is kept to whom it belongs."""
    found = deployment().verdicts.get(check)
    if not _may_see(found):
        raise NotFound("There is no check of this address. It may be over: pictures are kept for an hour.")
    response = private("check_done.html", check=found, logos=shown_logos(found), words=VERDICT_WORDS)
    response.headers["X-Robots-Tag"] = "noindex"
    return response


@root.get("/artwork/<secret>/<int:page>.png")
def annotated(secret: str, page: int) -> Response:
    """The annotated picture of a check; whoever has this address may see it."""
    response = make_response(deployment().verdicts.picture(secret, page))
    response.headers["Content-Type"] = "image/png"
    response.headers["Cache-Control"] = "private, max-age=300"
    response.headers["X-Robots-Tag"] = "noindex"
    return response


@root.get("/brand/<logo>/<colourway>/<int:width>.png")
def shown_variant(logo: str, colourway: str, width: int) -> Response:
    """A logo as it should be, for our own pages; partners use embeds."""
    variants = deployment().variants
    variant = variants.get(variants.check(logo, colourway, width, "png"))
    response = make_response(variant.bytes)
    response.headers["Content-Type"] = variant.media_type
    response.headers["Cache-Control"] = "public, max-age=3600"
    response.headers["ETag"] = variant.etag
    response.make_conditional(request)
    return response


def shown_logos(check: KeptCheck) -> list[NumberedLogo]:
    """The logos of a check, numbered as in its pictures, where each page begins at 1."""
    campaign = deployment().campaign
    made, numbers = [], Counter[int]()
    for found in check.report.logos:
        numbers[found.page or 1] += 1
        width = float(found.right.width if found.right else found.box[2])
        height, space = width, 0.0
        if found.logo in campaign.logos:
            height = width / campaign.logos[found.logo].aspect_ratio
            space = campaign.brand.logo(found.logo).clear_space.around(width, height)
        shrunk = min(1.0, _WIDEST / (width + 2 * space))
        made.append(NumberedLogo(numbers[found.page or 1], found, width * shrunk, height * shrunk, space * shrunk))
    return made


def _may_see(check: KeptCheck) -> bool:
    session = current_session()
    if session is not None and session.role == "staff":
        return True
    if check.participant is not None:
        return session is not None and session.participant == check.participant
    return check.by == "page"


def _form(mistakes: FormMistakes, status: int = 200) -> Response:
    return private(
        "check.html",
        status,
        alternates=status == 200,  # the empty form is the same for everyone, and may be shared
        mistakes=mistakes,
        values=request.form if request.method == "POST" else {},
        available=deployment().verdicts.available(),
        logos=deployment().campaign.logos,
        signed_in=current_session() is not None,
        megabytes=MOST_BYTES // 10**6,
    )
