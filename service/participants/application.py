"""Applications: what someone who joins says, read and checked in this one place."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from email_validator import EmailNotValidError, validate_email

from ..campaign import LANGUAGES, Applicant, Campaign, typed_text
from ..campaign.answers import is_url
from ..campaign.text import msgid
from ..problems import FieldError, InvalidRequest


@dataclass(frozen=True)
class Application:
    """Application of someone who wants to join, as ``read`` found it right in form."""

    kind: str
    name: str = field(repr=False)
    email: str = field(repr=False)
    country: str | None = None
    language: str = "en"
    website: str | None = field(default=None, repr=False)
    answers: Mapping[str, Any] = field(default_factory=dict, repr=False)
    purposes: tuple[str, ...] = ()

    def applicant(self) -> Applicant:
        """Return what the rules decide on."""
        return Applicant(self.kind, self.country, self.answers, self.purposes)

    def as_json(self) -> dict[str, Any]:
        """Return all fields as plain values; ``read`` takes them again."""
        return {
            "kind": self.kind,
            "name": self.name,
            "email": self.email,
            "country": self.country,
            "language": self.language,
            "website": self.website,
            "answers": dict(self.answers),
            "purposes": list(self.purposes),
        }


_FIELDS = frozenset(one.name for one in fields(Application))


@dataclass(frozen=True)
class Signatory:
    """Signatory of terms for a participant, and the capacity; a person who accepts in the own name has none."""

    name: str = field(repr=False)
    capacity: str | None = field(default=None, repr=False)


def read(said: Mapping[str, Any], campaign: Campaign) -> Application:
    """Return the application that somebody sent, in the form in which it is stored.

    Raises InvalidRequest that names every mistake at once, with JSON Pointers into what was sent.
    """
    unknown = msgid("There is no such field here; remove it or correct its name.")
    errors = [FieldError.of(_pointer(name), unknown) for name in said if name not in _FIELDS]
    name = typed_text.read(said.get("name"), "/name", errors)
    email = check_email(said.get("email"), errors)
    language = said.get("language", "en")
    if not isinstance(language, str) or language not in LANGUAGES:
        errors.append(FieldError.of("/language", msgid("Choose one of %(options)s."), options=", ".join(LANGUAGES)))
    website = _read_website(said.get("website"), errors)
    applicant = campaign.eligibility.read(
        said.get("kind"), said.get("country"), said.get("answers", {}), said.get("purposes"), errors
    )
    if errors:
        raise InvalidRequest(errors=errors)
    return Application(
        kind=applicant.kind,
        name=name,
        email=email,
        country=applicant.country,
        language=language,
        website=website,
        answers=dict(applicant.answers),
        purposes=applicant.purposes,
    )


def _read_website(value: object, errors: list[FieldError]) -> str | None:
    website = typed_text.clean(value) if isinstance(value, str) else value
    if website is None or website == "":
        return None
    if isinstance(website, str) and not typed_text.flaw(website, longest=typed_text.LONGEST_URL) and is_url(website):
        return website
    errors.append(FieldError.of("/website", msgid("Send a complete web address, such as https://www.example.org/.")))
    return None


def _pointer(name: str) -> str:
    return "/" + name.replace("~", "~0").replace("/", "~1")


def check_email(value: object, errors: list[FieldError], pointer: str = "/email") -> str:
    """Return the address in lower case, as it is stored and compared, or an error for this pointer."""
    try:
        if not isinstance(value, str):
            raise EmailNotValidError("Send an e-mail address as text in quotes.")
        return validate_email(typed_text.trim(value), check_deliverability=False).normalized.lower()
    except (EmailNotValidError, UnicodeError) as error:
        said = str(error) if isinstance(error, EmailNotValidError) else "This is not an e-mail address."
        errors.append(FieldError(pointer, f"{said} Send an address such as name@example.org."))
        return ""


def read_address(value: object) -> tuple[str, list[FieldError]]:
    """Return an address in lower case, or its mistakes; ``me@localhost``, with which nobody could join, is one too."""
    errors: list[FieldError] = []
    address = check_email(value, errors)
    simple = value.strip().lower() if isinstance(value, str) else ""
    if errors and re.fullmatch(r"[!-?A-~]+@[!-?A-~]+", simple):
        return simple, []
    return address, errors


def check_reason(value: object) -> str:
    """Return a reason typed by staff, of 1 to 4,000 characters; InvalidRequest otherwise."""
    errors: list[FieldError] = []
    text = typed_text.read(value, "/reason", errors, longest=typed_text.LONGEST_TEXT, lines=True)
    if errors:
        raise InvalidRequest(errors=errors)
    return text
