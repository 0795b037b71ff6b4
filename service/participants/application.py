"""Applications: what someone who joins says, and every mistake in its form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, get_args

from email_validator import EmailNotValidError, validate_email

from ..campaign import LANGUAGES, Campaign
from ..campaign import Application as Asked
from ..campaign.answers import is_url, storable
from ..campaign.kinds import KindId
from ..problems import FieldError, InvalidRequest

KINDS: tuple[str, ...] = get_args(KindId)
PURPOSES = ("information", "fundraising", "commercial")
LONGEST_LINE = 200
_LONGEST_URL = 2000


@dataclass(frozen=True)
class Application:
    """What someone says who wants to join. ``check`` says whether its form is right."""

    kind: str
    name: str = field(repr=False)
    email: str = field(repr=False)
    country: str | None = None
    language: str = "en"
    website: str | None = field(default=None, repr=False)
    answers: Mapping[str, Any] = field(default_factory=dict, repr=False)
    purposes: tuple[str, ...] = ()

    def asked(self) -> Asked:
        """What the rules decide on."""
        return Asked(self.kind, self.country, self.answers, self.purposes)

    def as_json(self) -> dict[str, Any]:
        """All fields as plain values; ``Application.of`` reads them back."""
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

    @classmethod
    def of(cls, value: Mapping[str, Any]) -> Application:
        """The application that ``as_json`` wrote. Raises InvalidRequest for one of other fields than today's."""
        if set(value) != {one.name for one in fields(cls)}:
            raise InvalidRequest("This application was written for another version of the service.")
        return cls(**{**value, "purposes": tuple(value["purposes"])})


@dataclass(frozen=True)
class Signatory:
    """The person who accepts terms for a participant, and in what capacity."""

    name: str = field(repr=False)
    capacity: str = field(repr=False)


def check(application: Application, campaign: Campaign) -> Application:
    """The application in the form in which it is stored; InvalidRequest names every mistake at once."""
    errors: list[FieldError] = []
    name = check_line(application.name, "/name", errors)
    email = check_email(application.email, errors)
    if application.language not in LANGUAGES:
        errors.append(FieldError("/language", f"Choose one of {', '.join(LANGUAGES)}."))
    website = (application.website or "").strip() or None
    if website and (len(website) > _LONGEST_URL or not storable(website) or not is_url(website)):
        errors.append(FieldError("/website", "Send a complete web address, such as https://www.example.org/."))
    country = application.country or None
    purposes = list(application.purposes)
    errors += campaign.eligibility.validate_application(application.kind, country, application.answers, purposes)
    if any(purposes.count(purpose) > 1 for purpose in purposes):
        errors.append(FieldError("/purposes", "Name each purpose once."))
    if errors:
        raise InvalidRequest(errors=errors)
    return Application(
        kind=application.kind,
        name=name,
        email=email,
        country=country,
        language=application.language,
        website=website,
        answers=dict(application.answers),
        purposes=tuple(purposes),
    )


def check_line(value: object, pointer: str, errors: list[FieldError]) -> str:
    """A line of 1 to 200 characters without control characters, or an error for this pointer."""
    text = value.strip() if isinstance(value, str) else ""
    if not text:
        errors.append(FieldError(pointer, f"This is required: send 1 to {LONGEST_LINE} characters."))
    elif len(text) > LONGEST_LINE:
        errors.append(FieldError(pointer, f"This has {len(text)} characters; at most {LONGEST_LINE} are allowed."))
    elif not storable(text) or any(char in "\t\r\n\u2028\u2029" for char in text):
        errors.append(FieldError(pointer, "This has control characters or line ends in it; remove them."))
    return text


def check_email(value: object, errors: list[FieldError], pointer: str = "/email") -> str:
    """The address in lower case, as it is stored and compared, or an error for this pointer."""
    try:
        if not isinstance(value, str):
            raise EmailNotValidError("Send an e-mail address as text in quotes.")
        return validate_email(value.strip(), check_deliverability=False).normalized.lower()
    except (EmailNotValidError, UnicodeError) as error:
        said = str(error) if isinstance(error, EmailNotValidError) else "This is not an e-mail address."
        errors.append(FieldError(pointer, f"{said} Send an address such as name@example.org."))
        return ""


def check_reason(value: object) -> str:
    """A reason typed by staff, of 1 to 4,000 characters; InvalidRequest otherwise."""
    text = value.strip() if isinstance(value, str) else ""
    if not text or len(text) > 4000 or not storable(text):
        detail = "Send the reason as 1 to 4,000 characters without control characters."
        raise InvalidRequest(errors=[FieldError("/reason", detail)])
    return text
