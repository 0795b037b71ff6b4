"""The errors that cross the border: one class a slug, each with its status and help.

A problem is raised anywhere below the entrances and turned into RFC 9457 problem+json, a page, or
a line on a terminal in exactly one place each (``service.web.errors``, ``service.cli``). ``detail``
is public and says what to do; ``private`` is for the log alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar


@dataclass(frozen=True)
class FieldError:
    """One mistake in the input.

    ``pointer`` is an RFC 6901 JSON Pointer into the body, or ``?name`` for a query parameter. ``template``
    is the detail before ``values`` were put in for its ``%(name)s``, so that pages can translate it.
    """

    pointer: str
    detail: str
    template: str = field(default="", compare=False, repr=False)
    values: Mapping[str, object] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def of(cls, pointer: str, template: str, **values: object) -> FieldError:
        """A mistake whose detail is a text of the catalogue with values in it."""
        return cls(pointer, template % values if values else template, template, values)

    def as_json(self) -> dict[str, str]:
        """The form that problem documents carry."""
        return {"pointer": self.pointer, "detail": self.detail}


class Problem(Exception):
    """Base of all public errors. ``extra`` are RFC 9457 extension members, ``headers`` HTTP fields."""

    slug: ClassVar[str] = "internal-error"
    status: ClassVar[int] = 500
    title: ClassVar[str] = "Something went wrong on our side"
    help: ClassVar[str] = (
        "Nothing you did is lost. Try again in a moment; if it happens again, tell the campaign's staff."
    )

    def __init__(
        self,
        detail: str = "",
        *,
        errors: Sequence[FieldError] = (),
        extra: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        private: str = "",
    ) -> None:
        super().__init__(detail or self.help)
        self.detail = detail or self.help
        self.errors = tuple(errors)
        self.extra = dict(extra or {})
        self.headers = dict(headers or {})
        self.private = private

    def as_json(self, instance: str = "") -> dict[str, Any]:
        """The RFC 9457 document; ``instance`` is the path that was asked for."""
        value: dict[str, Any] = {
            "type": f"/problems/{self.slug}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
        }
        if instance:
            value["instance"] = instance
        if self.errors:
            value["errors"] = [error.as_json() for error in self.errors]
        return {**self.extra, **value}


REGISTRY: dict[str, type[Problem]] = {Problem.slug: Problem}


def _problem(slug: str, status: int, title: str, advice: str) -> type[Problem]:
    name = "".join(part.capitalize() for part in slug.split("-"))
    made = type(
        name,
        (Problem,),
        {"slug": slug, "status": status, "title": title, "help": advice, "__doc__": f"{status}: {title}."},
    )
    made.__module__ = __name__
    REGISTRY[slug] = made
    return made


InvalidRequest = _problem(
    "invalid-request",
    422,
    "Some of what was sent is missing or wrong",
    "Each entry of errors names one field and what is wrong with it. Correct these and send the request again.",
)
Unauthorized = _problem(
    "unauthorized",
    401,
    "A valid API key or sign-in is needed",
    "Send your key as Authorization: Bearer emb_…, or sign in. Keys in a query string are not taken.",
)
Forbidden = _problem(
    "forbidden",
    403,
    "This is not allowed with your role",
    "Ask the campaign's staff if you need it.",
)
NotFound = _problem(
    "not-found",
    404,
    "There is nothing here",
    "Check the address; the home page leads to everything there is.",
)
MethodNotAllowed = _problem(
    "method-not-allowed",
    405,
    "This address does not take that method",
    "See Allow for the methods that it takes.",
)
NotAcceptable = _problem(
    "not-acceptable",
    406,
    "None of the offered formats is acceptable to you",
    "Ask for one of the formats that the address offers, or send no Accept header.",
)
PreconditionFailed = _problem(
    "precondition-failed",
    412,
    "The file is not the one you mean",
    "If-Match names another version of the file. Ask without it, and compare the ETag.",
)
RangeNotSatisfiable = _problem(
    "range-not-satisfiable",
    416,
    "The file has no such bytes",
    "Ask for a range within the size that Content-Range names, or for the whole file.",
)
TooLarge = _problem(
    "too-large",
    413,
    "What was sent is too large",
    "Send a smaller body; the detail says the limit.",
)
UnsupportedMediaType = _problem(
    "unsupported-media-type",
    415,
    "The body is of a type that this address does not take",
    "Send JSON with Content-Type: application/json, or the type that the detail names.",
)
RateLimited = _problem(
    "rate-limited",
    429,
    "Too many requests",
    "Wait for the number of seconds that Retry-After says, then go on.",
)
Unavailable = _problem(
    "unavailable",
    503,
    "Not available at the moment",
    "Nothing is lost. Try again after the number of seconds that Retry-After says.",
)
NotRecorded = _problem(
    "not-recorded",
    503,
    "The download could not be recorded, so nothing was sent",
    "Every download is recorded before its first byte. Try the same link again in a moment.",
)
Conflict = _problem(
    "conflict",
    409,
    "This does not fit the present state",
    "Read the present state, then decide again.",
)
AlreadyJoined = _problem(
    "already-joined",
    409,
    "This e-mail address has joined already",
    "Use the participant that exists, or sign in with this address.",
)
RequestInFlight = _problem(
    "request-in-flight",
    409,
    "A request with this Idempotency-Key is still being answered",
    "Wait a moment, then send the same request again to get its answer.",
)
IdempotencyKeyReused = _problem(
    "idempotency-key-reused",
    422,
    "This Idempotency-Key was used for another request",
    "Use a new key for a new request.",
)
ParticipantNotApproved = _problem(
    "participant-not-approved",
    403,
    "The participant is not approved",
    "Links and embeds need an approved participant. See the decision and its reasons on the account page.",
)
ParticipantSuspended = _problem(
    "participant-suspended",
    403,
    "The participant is suspended",
    "Write to the campaign's staff; when the suspension is lifted the same link works again.",
)
TermsNotAccepted = _problem(
    "terms-not-accepted",
    403,
    "The current terms of use have not been accepted",
    "Read and accept the current terms; then the same link works again.",
)
TermsNotCurrent = _problem(
    "terms-not-current",
    409,
    "These terms are not the current version",
    "Read the current version and accept that one.",
)
UnknownTerms = _problem(
    "unknown-terms",
    404,
    "There are no terms of this name",
    "See /api/v1/terms for all that there are.",
)
DigestMismatch = _problem(
    "digest-mismatch",
    422,
    "The digest is not that of the terms' text",
    "Fetch the terms again, show exactly that text, and send the SHA-256 of its UTF-8 bytes.",
)
UnknownPackage = _problem(
    "unknown-package",
    404,
    "There is no package of this name",
    "See /api/v1/packages for all that there are.",
)
UnknownVersion = _problem(
    "unknown-version",
    404,
    "There is no such version",
    "See the list of versions for all that there are.",
)
PackageWithdrawn = _problem(
    "package-withdrawn",
    410,
    "This version has been withdrawn",
    "Get a new link to the current version from the tools page.",
)
InvalidLink = _problem(
    "invalid-link",
    403,
    "This download link is not valid",
    "It was altered or cut off on its way. Get a new link from the tools page or from whoever sent it.",
)
LinkRevoked = _problem(
    "link-revoked",
    410,
    "This download link has been revoked",
    "Get a new link from the tools page.",
)
LinkExpired = _problem(
    "link-expired",
    410,
    "This download link has expired",
    "Get a new link from the tools page; it takes a minute.",
)
LinkExhausted = _problem(
    "link-exhausted",
    410,
    "This download link has been used up",
    "It allowed a limited number of downloads. Get a new link from the tools page.",
)
RobotsNotServed = _problem(
    "robots-not-served",
    403,
    "This link is for people",
    "Its downloads are limited, so previews and robots are not served. Open it in a browser.",
)
InvalidOrigin = _problem(
    "invalid-origin",
    403,
    "This form came from another site",
    "Open the page on this site and send the form again.",
)
InvalidForm = _problem(
    "invalid-form",
    403,
    "This form is no longer valid",
    "It was open for too long, or cookies are off. Allow this site's cookies, load the page and send it once more.",
)
InvalidSignIn = _problem(
    "invalid-sign-in",
    410,
    "This link from the mail is no longer valid",
    "It works once and for a limited time. Ask for a new one on the sign-in page.",
)
BelowMinimumSize = _problem(
    "below-minimum-size",
    422,
    "The logo may not be shown this small",
    "Ask for at least the smallest width that the rules allow.",
)
WidthNotOffered = _problem(
    "width-not-offered",
    422,
    "This width is not offered",
    "Ask for one of the nearest widths, and let the browser scale it.",
)
ColourwayNotAllowedOnBackground = _problem(
    "colourway-not-allowed-on-background",
    422,
    "The rules forbid this colourway on this background",
    "Use one of the colourways that the rules allow there.",
)
UnknownColourway = _problem(
    "unknown-colourway",
    422,
    "The logo has no such colourway",
    "See /api/v1/logos for the colourways of each logo.",
)
InvalidBackground = _problem(
    "invalid-background",
    422,
    "The background is not a colour",
    "Give on= as six hexadecimal digits, such as on=ffffff.",
)
UnknownLogo = _problem(
    "unknown-logo",
    404,
    "There is no logo of this name",
    "See /api/v1/logos for all that there are.",
)
UnknownEmbed = _problem(
    "unknown-embed",
    404,
    "There is no embed with this key",
    "Check the key in the address, or make a new embed.",
)
UnknownFormat = _problem(
    "unknown-format",
    404,
    "The logo is not offered in this format",
    "Use svg, png, webp, avif or auto, with the width as a plain whole number.",
)
OembedFormat = _problem(
    "oembed-format",
    501,
    "oEmbed answers are not made in this format",
    "Ask with format=json or format=xml.",
)
EmbedRevoked = _problem(
    "embed-revoked",
    410,
    "This embed has been revoked",
    "Ask the partner or the campaign's staff for a new embed.",
)
OriginNotAllowed = _problem(
    "origin-not-allowed",
    403,
    "This embed may not be shown on this site",
    "Add the site's origin to the embed, or ask its partner to.",
)
NotSealed = _problem(
    "not-sealed",
    404,
    "This entry is not sealed in the log yet",
    "It will be within seconds. Try again after the number of seconds that Retry-After says.",
)
LogDamaged = _problem(
    "log-damaged",
    500,
    "The public log does not fit what is stored",
    "Sealing has stopped so that nothing is covered up. Run `emblem audit verify`, which names the first bad leaf.",
)
InternalError = Problem


class ConfigurationError(Exception):
    """The deployment is set up wrongly. Each of ``mistakes`` is one sentence that says the fix (exit 2)."""

    def __init__(self, mistakes: Sequence[str]) -> None:
        super().__init__("\n".join(mistakes))
        self.mistakes = tuple(mistakes)
