"""Joining: choose who you are, answer what that kind is asked, confirm the address by mail."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from flask import Response, request, url_for
from markupsafe import Markup

from ...campaign import country_name, typed_text
from ...campaign.kinds import Field, Kind
from ...campaign.text import msgid
from ...problems import FieldError, InvalidRequest
from .. import limits
from ..context import deployment
from ..i18n import lang_of, language, localized, translate, translate_error
from .blueprint import pages, query
from .downloads import then, use_of
from .forms import FormMistakes, kept, sent
from .render import private, public, see_other
from .sent_to import hidden, shown

_STEPS = ("step", "keep")  # which button was pressed: no part of what was written
_LONGEST_TOKEN = 1000
_YES_NO = {"yes": True, "no": False}
#: A host with a dot in it, and perhaps a port and a path: a site as people write it.
_BARE_SITE = re.compile(r"(?:[\w-]+\.)+[^\W\d][\w-]+(?::[0-9]{1,5})?(?:[/?#]\S*)?")
#: What a person is told where a field that is needed is empty, by its type or name.
_MISSING = {
    "boolean": msgid("Answer yes or no."),
    "choice": msgid("Choose one."),
    "country": msgid("Choose a country."),
    "date": msgid("Give a date."),
    "url": msgid("Give a web address."),
    "text": msgid("Write something here."),
    "long_text": msgid("Write something here."),
    "name": msgid("Write the name."),
    "email": msgid("Write an e-mail address."),
    "purposes": msgid("Choose at least one purpose."),
}
#: And where what was written is not of the form that it needs.
_WRONG = {
    "country": msgid("Choose a country."),
    "date": msgid("Give a date that exists."),
    "url": msgid("Give a complete web address, such as https://www.example.org/page."),
    "email": msgid("Give an e-mail address such as name@example.org."),
    "choice": msgid("Choose one."),
    "purposes": msgid("Choose at least one purpose."),
}


@dataclass(frozen=True)
class FormOption:
    """One option of a list: its value, its words in plain text and as markup, and the mark of its language."""

    value: str
    label: str
    markup: Markup
    lang: Markup


@pages.get("/join")
def join() -> Response:
    """Show the kinds to choose from; with ``?kind=``, the form of that kind."""
    kind = _kind(query("kind"))
    if kind is None:
        return public("join_kinds.html", use=use_of(query("for")))
    return _form(kind, FormMistakes())


@pages.post("/join")
def join_submit() -> Response:
    """Take the form; every mistake is shown beside its field, and nothing that was written is lost.

    What an organization wrote is shown once more before it is sent; a person's form is short.
    """
    kind = _kind(sent("kind"))
    if kind is None:
        return see_other(url_for("pages.join"))
    if kept() or sent("step") == "change":
        return _form(kind, FormMistakes())
    application = _application(kind)
    try:
        if sent("step") == "check" and not kind.person:
            deployment().participants.joining.check(application)
            return _check(kind, application)
        deployment().participants.joining.apply(application, limits.permit_mail, urlencode(then(use_of(sent("for")))))
    except InvalidRequest as problem:
        return _form(kind, mistakes_of(kind, problem.errors), 422)
    return see_other(url_for("pages.join_sent", to=hidden(sent("email"))))


@pages.get("/join/sent")
def join_sent() -> Response:
    """Show what to do next: a mail is on its way. The same for addresses that have joined already."""
    return private("sent.html", joining=True, to=shown(query("to", _LONGEST_TOKEN)))


def _check(kind: Kind, application: dict[str, Any]) -> Response:
    """Show what was written, with the button that sends it and the one that leads back."""
    purposes = deployment().campaign.eligibility.purposes
    return private(
        "join_check.html",
        kind=kind,
        use=use_of(sent("for")),
        application=application,
        rows=answered(kind, application["answers"]),
        purposes=[purposes[name] for name in application["purposes"]],
        given=[(name, value) for name, value in request.form.items(multi=True) if name not in _STEPS],
    )


def answered(kind: Kind, answers: Mapping[str, Any]) -> list[tuple[Field, Any]]:
    """Return each question of a kind with its answer as it is shown; None where there is none."""
    words = {option.value: option.markup for options in _options(kind).values() for option in options}
    rows: list[tuple[Field, Any]] = []
    for field in kind.fields:
        value = answers.get(field.name)
        if field.type == "choice":
            value = words.get(str(value), value)
        elif field.type == "country" and value:
            value = country_name(str(value), language())
        rows.append((field, value))
    return rows


def _kind(name: str) -> Kind | None:
    return deployment().campaign.eligibility.find(name)


def sent_answers(kind: Kind) -> dict[str, Any]:
    """Return the answers that a form holds, without those that are empty."""
    answers: dict[str, Any] = {}
    for field in kind.fields:
        text = sent(f"answers.{field.name}")
        if field.type == "url":
            text = web_address(text)
        value = _YES_NO.get(text) if field.type == "boolean" else text or None
        if value is not None:
            answers[field.name] = value
    return answers


def _application(kind: Kind) -> dict[str, Any]:
    return {
        "kind": kind.id,
        "name": sent("name"),
        "email": sent("email"),
        "country": sent("country"),
        "language": language(),
        "website": web_address(sent("website")),
        "answers": sent_answers(kind),
        "purposes": request.form.getlist("purposes")[:10],
    }


def web_address(typed: str) -> str:
    """Return what a person typed as a web address, with the ``https://`` that nobody types; all else as it is."""
    return f"https://{typed}" if _BARE_SITE.fullmatch(typed) else typed


def mistakes_of(kind: Kind, errors: tuple[FieldError, ...]) -> FormMistakes:
    """Return what the capabilities found, in words for a person at a form instead of for a program."""
    types = {f"answers.{field.name}": field for field in kind.fields}
    found = FormMistakes()
    for error in errors:
        path = [part for part in error.pointer.split("/") if part]
        name = ".".join(path[:2] if path[:1] == ["answers"] else path[:1])
        found.add(name, _words(name, types.get(name), error))
    return found


def _words(name: str, field: Field | None, error: FieldError) -> Markup:
    value = typed_text.clean(sent(name)) if name != "purposes" else "".join(request.form.getlist("purposes"))
    what = field.type if field else "url" if name == "website" else name
    longest = (field.max if field else None) or (200 if name == "name" else 0)
    if not value and what in _MISSING:
        return translate(_MISSING[what])
    if longest and len(value.replace("\r\n", "\n")) > longest:
        return translate("Shorten this to at most %(max)s characters.", max=longest)
    if field and field.min and len(value) < field.min:
        return translate("Write at least %(min)s characters.", min=field.min)
    return translate(_WRONG[what]) if what in _WRONG else translate_error(error)


def _form(kind: Kind, mistakes: FormMistakes, status: int = 200) -> Response:
    names = ["name", "email", "country", "website", *(f"answers.{field.name}" for field in kind.fields), "purposes"]
    chosen = request.form.getlist("purposes") if request.method == "POST" else ["information"]
    return private(
        "join_form.html",
        status,
        use=use_of(sent("for") or query("for")),
        kind=kind,
        mistakes=mistakes,
        summary=mistakes.ordered(names, {f"answers.{field.name}": localized(field.label) for field in kind.fields}),
        chosen=chosen,
        **choices_of(kind),
        value=lambda name: request.form.get(name, ""),
    )


def choices_of(kind: Kind) -> dict[str, Any]:
    """Return what can be chosen in the questions of a kind: countries, purposes, options by question, yes and no."""
    campaign = deployment().campaign
    return {
        "countries": [
            FormOption(code, name, Markup(""), Markup("")) for code, name in campaign.countries.choices(language())
        ],
        "purposes": [
            FormOption(
                name,
                "",
                Markup('{} <span class="help">{}</span>').format(localized(purpose.label), localized(purpose.help)),
                Markup(""),
            )
            for name, purpose in campaign.eligibility.purposes.items()
        ],
        "options": _options(kind),
        "yes_no": [
            FormOption("yes", "", translate("Yes"), Markup("")),
            FormOption("no", "", translate("No"), Markup("")),
        ],
    }


def _options(kind: Kind) -> dict[str, list[FormOption]]:
    return {
        field.name: [
            FormOption(option.value, option.label.get(language()), localized(option.label), lang_of(option.label))
            for option in field.options
        ]
        for field in kind.fields
        if field.type == "choice"
    }
