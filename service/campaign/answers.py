"""Reading what an applicant answered to the questions of their kind: only form, never a decision."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ..problems import FieldError
from .countries import is_country
from .text import msgid
from .typed_text import Said, clean, field_error, flaw, is_visible

if TYPE_CHECKING:
    from .kinds import Field, FieldType


def missing(value: object) -> bool:
    """Tell whether an answer says nothing: absent, null, or text without a visible character."""
    return not is_visible(value) if isinstance(value, str) else value is None


def read(fields: Sequence[Field], answers: object, errors: list[FieldError]) -> dict[str, Any]:
    """Return the answers as they are stored: texts cleaned, those that say nothing left out.

    Every mistake in their form is added to ``errors``, with pointers below ``/answers``.
    """
    if not isinstance(answers, Mapping):
        errors.append(FieldError.of("/answers", msgid("Send an object with one member for each question.")))
        return {}
    known = {field.name: field for field in fields}
    unknown = msgid("There is no such question. The questions are %(names)s.")
    errors += [
        FieldError.of(_pointer(str(name)), unknown, names=", ".join(known)) for name in answers if name not in known
    ]
    read = {}
    for name, field in known.items():
        value = answers.get(name)
        if not missing(value):
            read[name] = clean(value) if isinstance(value, str) else value
            said = _wrong(field, read[name])
        elif field.required:
            said = (_ASKED[field.type], {"max": field.max, "options": _options(field)})
        else:
            continue
        if said:
            errors.append(field_error(_pointer(name), said))
    return read


_CHOOSE = msgid("Choose one of %(options)s.")
_ASKED: Mapping[FieldType, str] = {
    "boolean": msgid("This is required: send true or false."),
    "choice": msgid("This is required: choose one of %(options)s."),
    "country": msgid("This is required: send a country code such as AT."),
    "date": msgid("This is required: send a date such as 2024-05-17."),
    "url": msgid("This is required: send an address such as https://www.example.org/statement."),
    "text": msgid("This is required: send text of at most %(max)s characters."),
    "long_text": msgid("This is required: send text of at most %(max)s characters."),
}


def _wrong(field: Field, value: Any) -> Said | None:
    """Return what is wrong with a given answer, if anything."""
    said = ""
    if field.type == "boolean":
        said = "" if isinstance(value, bool) else msgid("Send true or false, without quotes.")
    elif not isinstance(value, str):
        said = msgid("Send this as text in quotes.")
    elif field.type == "choice":
        said = "" if value in [option.value for option in field.options] else _CHOOSE
    elif field.type == "country":
        said = "" if is_country(value) else msgid("Send an ISO 3166-1 alpha-2 code in upper case such as AT, or EU.")
    elif field.type == "date":
        said = "" if _is_date(value) else msgid("Send a date that exists, as YYYY-MM-DD.")
    else:
        return _wrong_text(field, value)
    return (said, {"options": _options(field)}) if said else None


def _wrong_text(field: Field, value: str) -> Said | None:
    assert field.max is not None  # every type of text has a limit
    if wrong := flaw(value, longest=field.max, least=field.min or 0, lines=field.type == "long_text"):
        return wrong
    if field.type == "url" and not is_url(value):
        return msgid("Send a complete web address, such as https://www.example.org/statement."), {}
    return None


def _options(field: Field) -> str:
    return ", ".join(option.value for option in field.options)


def is_url(value: str) -> bool:
    """Tell whether this is an http or https address with a host and without credentials or spaces."""
    if re.search(r"[\s<>\"\\^`{|}]", value):
        return False
    try:
        parts = urlsplit(value)
        host, _ = parts.hostname, parts.port  # the port is read because a wrong one raises
    except ValueError:
        return False
    labels = (host or "").removesuffix(".").split(".")
    return parts.scheme in ("http", "https") and all(labels) and "@" not in parts.netloc


def _is_date(value: str) -> bool:
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        return False
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return True


def _pointer(name: str) -> str:
    return "/answers/" + name.replace("~", "~0").replace("/", "~1")
