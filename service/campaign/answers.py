"""Checking what an applicant answered against the questions of their kind: only form, never a decision."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ..problems import FieldError
from .countries import is_country

if TYPE_CHECKING:
    from .kinds import Field


def missing(value: object) -> bool:
    """Whether an answer says nothing: absent, null, or text without a visible character."""
    if isinstance(value, str):
        return not any(unicodedata.category(char)[0] not in "ZC" for char in value)
    return value is None


def check(fields: Sequence[Field], answers: object) -> list[FieldError]:
    """Every mistake in the answers' form, with pointers below ``/answers``."""
    if not isinstance(answers, Mapping):
        return [FieldError("/answers", "Send an object with one member for each field.")]
    known = {field.name: field for field in fields}
    errors = [
        FieldError(_pointer(str(name)), "There is no such field. " + _list("The questions are", known))
        for name in answers
        if name not in known
    ]
    for name, field in known.items():
        value = answers.get(name)
        if not missing(value):
            detail = _wrong(field, value)
        elif field.required:
            detail = _ask(field)
        else:
            continue
        if detail:
            errors.append(FieldError(_pointer(name), detail))
    return errors


def _ask(field: Field) -> str:
    match field.type:
        case "boolean":
            return "This is required: send true or false."
        case "choice":
            return "This is required. " + _list("Choose one of", [option.value for option in field.options])
        case "country":
            return "This is required: send a country code such as AT."
        case "date":
            return "This is required: send a date such as 2024-05-17."
        case "url":
            return "This is required: send an address such as https://www.example.org/statement."
    return f"This is required: send text of at most {field.max} characters."


def _wrong(field: Field, value: Any) -> str:
    """What is wrong with a given answer, or nothing."""
    if field.type == "boolean":
        return "" if isinstance(value, bool) else "Send true or false, without quotes."
    if not isinstance(value, str):
        return "Send this as text in quotes."
    match field.type:
        case "choice":
            values = [option.value for option in field.options]
            return "" if value in values else _list("Choose one of", values)
        case "country":
            return "" if is_country(value) else "Send an ISO 3166-1 alpha-2 code in upper case such as AT, or EU."
        case "date":
            return "" if _is_date(value) else "Send a date that exists, as YYYY-MM-DD."
    return _wrong_text(field, value)


def _wrong_text(field: Field, value: str) -> str:
    length = len(value.replace("\r\n", "\n"))  # a browser counts a line end as one and sends two
    if field.max and length > field.max:
        return f"This has {length:,} characters; at most {field.max:,} are allowed."
    if field.min and length < field.min:
        return f"This has {length:,} characters; at least {field.min:,} are needed."
    if not storable(value):
        return "This has control characters or broken text in it; remove them."
    if field.type == "url" and not is_url(value):
        return "Send a complete web address, such as https://www.example.org/statement."
    return ""


def storable(value: str) -> bool:
    """Whether the text has no control characters but line ends and tabs, and no half characters."""
    return not any(unicodedata.category(char) in ("Cc", "Cs") and char not in "\t\n\r" for char in value)


def is_url(value: str) -> bool:
    """Whether this is an http or https address with a host and without credentials or spaces."""
    if re.search(r"[\s<>\"\\^`{|}]", value):
        return False
    try:
        parts = urlsplit(value)
        host, _ = parts.hostname, parts.port  # the port is read because a wrong one raises
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(host) and "@" not in parts.netloc


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


def _list(lead: str, names: Sequence[str] | Mapping[str, object]) -> str:
    return f"{lead} {', '.join(names)}."
