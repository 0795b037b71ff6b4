"""An applicant's own cases: what was asked, answering, files, withdrawing, and asking for something else."""

from __future__ import annotations

from typing import Any

from flask import Response, request, url_for
from markupsafe import Markup

from ...campaign.text import msgid
from ...campaign.typed_text import LONGEST_TEXT
from ...desk import MOST_BYTES, CaseView, Wish
from ...desk.requests import Requests
from ...participants import ParticipantView
from ...problems import CaseDecided, CaseOpen, Conflict, InvalidRequest, NotFound, Problem
from ..case_files import file_response
from ..context import actor, deployment
from ..i18n import language, localized, translate, translate_error
from ..security import require_session
from ..uploads import content, said_of_file, takes_file
from .account import own
from .blueprint import pages, query
from .forms import FormMistakes, kept, required, sent
from .join import choices_of, mistakes_of, sent_answers
from .render import private, see_other

_WRITE = msgid("Write something here.")


@pages.get("/account/cases/<case>")
def account_case(case: str) -> Response:
    """Show a case of one's own: where it stands, what was said, and what can be done now."""
    return _case(_own(case), FormMistakes())


@pages.post("/account/cases/<case>/messages")
def account_case_answer(case: str) -> Response:
    """Answer, and correct what was written."""
    seen = _own(case)
    person = _person(seen)
    kind = deployment().campaign.eligibility.kind(person.kind)
    mistakes = FormMistakes()
    if kept():
        return _case(_own(case), mistakes)
    text = required(mistakes, "text", _WRITE, LONGEST_TEXT, lines=True)
    wish = Wish(_emptied(kind, sent_answers(kind)), request.form.getlist("purposes")[:10])
    if not mistakes:
        try:
            deployment().desk.conversation.answer(case, text, by=actor(), wish=wish)
        except InvalidRequest as problem:
            mistakes = mistakes_of(kind, problem.errors)
        except CaseDecided as problem:
            mistakes.add("", _said(problem))
    if mistakes:
        return _case(_own(case), mistakes, 422)
    return see_other(url_for("pages.account_case", case=case))


@pages.post("/account/cases/<case>/files")
@takes_file(MOST_BYTES)
def account_case_add_file(case: str) -> Response:
    """Add a file to a case of one's own."""
    seen = _own(case)
    mistakes, file = FormMistakes(), request.files.get("file")
    if file is None or not file.filename:
        mistakes.add("file", translate(msgid("Choose a picture or a PDF.")))
        return _case(seen, mistakes, 422)
    try:
        deployment().desk.files.add(
            case, content(file, MOST_BYTES), file.filename, by=actor(), staff=False, language=language()
        )
    except Problem as problem:
        mistakes.add("file", _said(problem) if isinstance(problem, CaseDecided) else said_of_file(problem, MOST_BYTES))
        return _case(seen, mistakes, problem.status)
    return see_other(url_for("pages.account_case", case=case, _anchor="files"))


@pages.get("/account/cases/<case>/files/<file>")
def account_case_file(case: str, file: str) -> Response:
    """Give a file of a case of one's own, to download."""
    _own(case)
    return file_response(deployment().desk.files.get(case, file, staff=False))


@pages.post("/account/cases/<case>/withdrawal")
def account_case_withdraw(case: str) -> Response:
    """Take a request back."""
    seen, mistakes = _own(case), FormMistakes()
    if sent("sure") != "yes":
        mistakes.add("sure", translate(msgid("Tick the box to withdraw.")))
        return _case(seen, mistakes, 422)
    try:
        deployment().desk.conversation.withdraw(case, by=actor())
    except CaseDecided as problem:
        mistakes.add("", _said(problem))
        return _case(_own(case), mistakes, problem.status)
    return see_other(url_for("pages.account", _anchor="requests"))


@pages.get("/account/requests/<any(joining,change,renewal):kind>")
def account_request(kind: str) -> Response:
    """Show the form that asks for something."""
    return _request(kind, FormMistakes())


@pages.post("/account/requests/<any(joining,change,renewal):kind>")
def account_request_submit(kind: str) -> Response:
    """Ask for something; where a rule decides, the next page says how."""
    participant = own(require_session())
    person = deployment().participants.listing.get(participant)
    asked = deployment().campaign.eligibility.kind(person.kind)
    lifts = person.status == "suspended"  # which is asked for in words alone
    wish = None if lifts else Wish(_emptied(asked, sent_answers(asked)), request.form.getlist("purposes")[:10])
    mistakes = FormMistakes()
    if kept():
        return _request(kind, mistakes)
    told = lifts or kind == "renewal"  # of what is to be otherwise now, or of how the logo was used
    if told and not required(mistakes, "message", _WRITE, LONGEST_TEXT, lines=True):
        return _request(kind, mistakes, 422)
    try:
        made = deployment().desk.requests.ask(participant, kind, by=actor(), wish=wish, message=sent("message") or None)
    except InvalidRequest as problem:
        if any(not error.pointer for error in problem.errors):
            mistakes.add("", translate(msgid("This is what is on file already. Change something before you send it.")))
        else:
            mistakes = mistakes_of(asked, problem.errors)
        return _request(kind, mistakes, 422)
    except CaseOpen as problem:
        return see_other(url_for("pages.account_case", case=problem.extra["case"]))
    except Conflict:
        return see_other(url_for("pages.account", _anchor="requests"))
    return see_other(url_for("pages.account_case", case=made.id))


def _said(problem: Problem) -> Markup:
    """Return what a problem says, with whoever was quicker in words and not by id."""
    if "by" not in problem.values:
        return translate_error(problem)
    staffs = str(problem.values["by"]).startswith("staff")
    by = translate(msgid("the campaign’s staff") if staffs else msgid("you"))
    return translate(problem.template, **{**problem.values, "by": by})


def _own(case: str) -> CaseView:
    """A case of whoever is signed in. Raises NotFound for another's."""
    participant = own(require_session())
    found = deployment().desk.reading.get(case, staff=False)
    if found.participant != participant:
        raise NotFound("There is no case of this id that is yours.")
    return found


def _person(seen: CaseView) -> ParticipantView:
    return deployment().participants.listing.get(str(seen.participant))


def _emptied(kind: Any, answers: dict[str, Any]) -> dict[str, Any]:
    """The answers with those that were emptied, so that they do not stay as they were."""
    return {field.name: answers.get(field.name) for field in kind.fields}


def _questions(person: ParticipantView, answers: Any, purposes: Any, mistakes: FormMistakes) -> dict[str, Any]:
    """Return what the questions of a form show: what was sent last, else what stands."""
    kind = deployment().campaign.eligibility.kind(person.kind)
    posted = request.method == "POST" and "purposes" in request.form
    names = ["text", "message", *(f"answers.{field.name}" for field in kind.fields), "purposes", "file", "sure"]

    def value(name: str) -> str:
        if posted or name in request.form:
            return request.form.get(name, "")
        stands = answers.get(name.removeprefix("answers.")) if name.startswith("answers.") else None
        if isinstance(stands, bool):
            return "yes" if stands else "no"
        return "" if stands is None else str(stands)

    return {
        "kind": kind,
        "value": value,
        "chosen": request.form.getlist("purposes") if posted else list(purposes),
        "mistakes": mistakes,
        "summary": mistakes.ordered(names, {f"answers.{field.name}": localized(field.label) for field in kind.fields}),
        **choices_of(kind),
    }


def _case(seen: CaseView, mistakes: FormMistakes, status: int = 200) -> Response:
    person = _person(seen)
    return private(
        "account_case.html",
        status,
        case=seen,
        person=person,
        **_questions(person, seen.answers or {}, seen.purposes, mistakes),
    )


def _request(kind: str, mistakes: FormMistakes, status: int = 200) -> Response:
    person = deployment().participants.listing.get(own(require_session()))
    if kind not in Requests.allowed(person.status):
        return see_other(url_for("pages.account", _anchor="requests"))
    chosen = query("purpose")
    purposes = [*person.purposes, *([chosen] if chosen and chosen not in person.purposes else [])]
    return private(
        "account_request.html",
        status,
        asked=kind,
        person=person,
        **_questions(person, person.answers or {}, purposes, mistakes),
    )
