"""The errors that cross the border: one class a slug, each with its status and help.

A problem is raised anywhere below the entrances and turned into RFC 9457 problem+json, a page, or a line on a
terminal in exactly one place each (``service.web.errors``, ``service.cli``). ``detail`` is public and says what to do;
``private`` is for the log alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

from . import paths
from .problem_base import REGISTRY as REGISTRY  # everybody takes these from here
from .problem_base import FieldError as FieldError
from .problem_base import Problem as Problem


class InvalidRequest(Problem):
    """422: some of what was sent is missing or wrong."""

    slug = "invalid-request"
    status = 422
    title = "Some of what was sent is missing or wrong"
    help = "Each entry of errors names one field and what is wrong with it. Correct these and send the request again."


class InvalidHost(InvalidRequest):
    """400: Host names no host (RFC 9112, section 3.2)."""

    status = 400
    help = "Send the name of this service as Host, as HTTP has it (RFC 9112, section 3.2)."


class Unauthorized(Problem):
    """401: a valid API key or sign-in is needed."""

    slug = "unauthorized"
    status = 401
    title = "A valid API key or sign-in is needed"
    help = "Send your key as Authorization: Bearer emb_…, or sign in. Keys in a query string are not taken."


class Forbidden(Problem):
    """403: this is not allowed with your role."""

    slug = "forbidden"
    status = 403
    title = "This is not allowed with your role"
    help = "Ask the campaign's staff if you need it."


class NotFound(Problem):
    """404: there is nothing here."""

    slug = "not-found"
    status = 404
    title = "There is nothing here"
    help = "Check the address; the home page leads to everything there is."


class MethodNotAllowed(Problem):
    """405: this address does not take that method."""

    slug = "method-not-allowed"
    status = 405
    title = "This address does not take that method"
    help = "See Allow for the methods that it takes."


class NotAcceptable(Problem):
    """406: none of the offered formats is acceptable to you."""

    slug = "not-acceptable"
    status = 406
    title = "None of the offered formats is acceptable to you"
    help = "Ask for one of the formats that the address offers, or send no Accept header."


class PreconditionFailed(Problem):
    """412: the file is not the one you mean."""

    slug = "precondition-failed"
    status = 412
    title = "The file is not the one you mean"
    help = "If-Match names another version of the file. Ask without it, and compare the ETag."


class RangeNotSatisfiable(Problem):
    """416: the file has no such bytes."""

    slug = "range-not-satisfiable"
    status = 416
    title = "The file has no such bytes"
    help = "Ask for a range within the size that Content-Range names, or for the whole file."


class TooLarge(Problem):
    """413: what was sent is too large."""

    slug = "too-large"
    status = 413
    title = "What was sent is too large"
    help = "Send a smaller body; the detail says the limit."


class UnsupportedMediaType(Problem):
    """415: the body is of a type that this address does not take."""

    slug = "unsupported-media-type"
    status = 415
    title = "The body is of a type that this address does not take"
    help = "Send JSON with Content-Type: application/json, or the type that the detail names."


class RateLimited(Problem):
    """429: too many requests."""

    slug = "rate-limited"
    status = 429
    title = "Too many requests"
    help = "Wait for the number of seconds that Retry-After says, then go on."


class Unavailable(Problem):
    """503: not available at the moment."""

    slug = "unavailable"
    status = 503
    title = "Not available at the moment"
    help = "Nothing is lost. Try again after the number of seconds that Retry-After says."


class NotRecorded(Problem):
    """503: the download could not be recorded, so nothing was sent."""

    slug = "not-recorded"
    status = 503
    title = "The download could not be recorded, so nothing was sent"
    help = "Every download is recorded before its first byte. Try the same link again in a moment."


class PackageDamaged(Problem):
    """503: the stored file is not as it was published, so nothing was sent."""

    slug = "package-damaged"
    status = 503
    title = "The stored file is not as it was published, so nothing was sent"
    help = "The campaign's staff have been told. The same link works again as soon as the file has been put back."


class Conflict(Problem):
    """409: this does not fit the present state."""

    slug = "conflict"
    status = 409
    title = "This does not fit the present state"
    help = "Read the present state, then decide again."


class AlreadyJoined(Problem):
    """409: this e-mail address has joined already."""

    slug = "already-joined"
    status = 409
    title = "This e-mail address has joined already"
    help = "Use the participant that exists, or sign in with this address."


class ChangedMeanwhile(Problem):
    """412: this has changed since you read it."""

    slug = "changed-meanwhile"
    status = 412
    title = "This has changed since you read it"
    help = "Read it again, and decide on what it is now; send the new ETag as If-Match."


class CaseDecided(Problem):
    """409: this case has been decided."""

    slug = "case-decided"
    status = 409
    title = "This case has been decided"
    help = "Read the case to see what was decided. Whoever wants something else makes a new request."


class CaseOpen(Problem):
    """409: a case of this participant is open already."""

    slug = "case-open"
    status = 409
    title = "A case of this participant is open already"
    help = "Add to the case that `case` names, or withdraw it, before you ask for something else."


class TooManyFiles(Problem):
    """409: this case has as many files as it may have."""

    slug = "too-many-files"
    status = 409
    title = "This case has as many files as it may have"
    help = "A case has at most 10 files. Put several pages into one PDF, or describe the rest in a message."


class LastMember(Problem):
    """409: the last active member cannot be removed."""

    slug = "last-member"
    status = 409
    title = "The last active member cannot be removed"
    help = "Invite somebody else first; once that person has signed in, remove this one."


class Individual(Problem):
    """409: an individual is one person."""

    slug = "individual"
    status = 409
    title = "An individual is one person"
    help = "Only organizations have several members. Your colleagues can join for themselves, or as an organization."


class RequestInFlight(Problem):
    """409: a request with this Idempotency-Key is still being answered."""

    slug = "request-in-flight"
    status = 409
    title = "A request with this Idempotency-Key is still being answered"
    help = "Wait a moment, then send the same request again to get its answer."


class IdempotencyKeyReused(Problem):
    """422: this Idempotency-Key was used for another request."""

    slug = "idempotency-key-reused"
    status = 422
    title = "This Idempotency-Key was used for another request"
    help = "Use a new key for a new request."


class ParticipantNotApproved(Problem):
    """403: the participant is not approved."""

    slug = "participant-not-approved"
    status = 403
    title = "The participant is not approved"
    help = "Links and embeds need an approved participant. See the decision and its reasons on the account page."


class ParticipantSuspended(Problem):
    """403: the participant is suspended."""

    slug = "participant-suspended"
    status = 403
    title = "The participant is suspended"
    help = "Write to the campaign's staff; when the suspension is lifted the same link works again."


class PermissionLapsed(Problem):
    """403: the permission has ended."""

    slug = "permission-lapsed"
    status = 403
    title = "The permission has ended"
    help = "Renew it on the account page, or by a request of the kind `renewal`; then the same link works again."

    @classmethod
    def of(cls, participant: str, base_url: str, language: str) -> Self:
        """The problem that leads to where the permission is renewed: a page, and the API's requests."""
        ways = {
            "page": base_url + paths.account(language),
            "requests": f"{base_url}{paths.participant(participant)}/requests",
        }
        return cls(extra={"renewal": ways})


class TermsNotAccepted(Problem):
    """403: the current terms of use have not been accepted."""

    slug = "terms-not-accepted"
    status = 403
    title = "The current terms of use have not been accepted"
    help = "Read and accept the current terms; then the same link works again."

    @classmethod
    def of(cls, terms: str, version: str, base_url: str, language: str) -> Self:
        """The problem that names the terms to accept, and leads to their page in the participant's language."""
        return cls(extra={"terms": {"id": terms, "version": version, "url": base_url + paths.terms(language, terms)}})


class TermsNotCurrent(Problem):
    """409: these terms are not the current version."""

    slug = "terms-not-current"
    status = 409
    title = "These terms are not the current version"
    help = "Read the current version and accept that one."


class UnknownTerms(Problem):
    """404: there are no terms of this name."""

    slug = "unknown-terms"
    status = 404
    title = "There are no terms of this name"
    help = "See /api/v1/terms for all that there are."


class DigestMismatch(Problem):
    """422: the digest is not that of the terms' text."""

    slug = "digest-mismatch"
    status = 422
    title = "The digest is not that of the terms' text"
    help = "Fetch the terms again, show exactly that text, and send the SHA-256 of its UTF-8 bytes."


class UnknownPackage(Problem):
    """404: there is no package of this name."""

    slug = "unknown-package"
    status = 404
    title = "There is no package of this name"
    help = "See /api/v1/packages for all that there are."


class UnknownVersion(Problem):
    """404: there is no such version."""

    slug = "unknown-version"
    status = 404
    title = "There is no such version"
    help = "See the list of versions for all that there are."


class PackageWithdrawn(Problem):
    """410: this version has been withdrawn."""

    slug = "package-withdrawn"
    status = 410
    title = "This version has been withdrawn"
    help = "Get a new link to the current version from the tools page."


class InvalidLink(Problem):
    """403: this download link is not valid."""

    slug = "invalid-link"
    status = 403
    title = "This download link is not valid"
    help = "It was altered or cut off on its way. Get a new link from the tools page or from whoever sent it."


class LinkRevoked(Problem):
    """410: this download link has been revoked."""

    slug = "link-revoked"
    status = 410
    title = "This download link has been revoked"
    help = "Get a new link from the tools page."


class LinkExpired(Problem):
    """410: this download link has expired."""

    slug = "link-expired"
    status = 410
    title = "This download link has expired"
    help = "Get a new link from the tools page; it takes a minute."


class LinkExhausted(Problem):
    """410: this download link has been used up."""

    slug = "link-exhausted"
    status = 410
    title = "This download link has been used up"
    help = "It allowed a limited number of downloads. Get a new link from the tools page."


class RobotsNotServed(Problem):
    """403: this link is for people."""

    slug = "robots-not-served"
    status = 403
    title = "This link is for people"
    help = "Its downloads are limited, so previews and robots are not served. Open it in a browser."


class InvalidOrigin(Problem):
    """403: this form came from another site."""

    slug = "invalid-origin"
    status = 403
    title = "This form came from another site"
    help = "Open the page on this site and send the form again."


class InvalidSignIn(Problem):
    """410: this link from the mail is no longer valid."""

    slug = "invalid-sign-in"
    status = 410
    title = "This link from the mail is no longer valid"
    help = "It works once and for a limited time. Ask for a new one on the sign-in page."


class OpenIdRefused(Problem):
    """403: signing in there did not work."""

    slug = "openid-refused"
    status = 403
    title = "Signing in there did not work"
    help = "The provider has to vouch for a mailbox of the campaign's staff. Try once more, or sign in by mail."


class PasskeyRefused(Problem):
    """403: this passkey does not sign in here."""

    slug = "passkey-refused"
    status = 403
    title = "This passkey does not sign in here"
    help = "Try once more. If it was lost or removed, two colleagues of the staff can let you add another one."


class SignInAgain(Problem):
    """403: sign in again, and then once more."""

    slug = "sign-in-again"
    status = 403
    title = "Sign in again first"
    help = (
        "What cannot be undone needs a sign-in of the last 15 minutes. Nothing was changed: sign in, and do it once "
        "more."
    )


class BelowMinimumSize(Problem):
    """422: the logo may not be shown this small."""

    slug = "below-minimum-size"
    status = 422
    title = "The logo may not be shown this small"
    help = "Ask for at least the smallest width that the rules allow."


class WidthNotOffered(Problem):
    """422: this width is not offered."""

    slug = "width-not-offered"
    status = 422
    title = "This width is not offered"
    help = "Ask for one of the nearest widths, and let the browser scale it."


class ColourwayNotAllowedOnBackground(Problem):
    """422: the rules forbid this colourway on this background."""

    slug = "colourway-not-allowed-on-background"
    status = 422
    title = "The rules forbid this colourway on this background"
    help = "Use one of the colourways that the rules allow there."


class UnknownColourway(Problem):
    """422: the logo has no such colourway."""

    slug = "unknown-colourway"
    status = 422
    title = "The logo has no such colourway"
    help = "See /api/v1/logos for the colourways of each logo."


class InvalidBackground(Problem):
    """422: the background is not a colour."""

    slug = "invalid-background"
    status = 422
    title = "The background is not a colour"
    help = "Give on= as six hexadecimal digits, such as on=ffffff."


class UnknownLogo(Problem):
    """404: there is no logo of this name."""

    slug = "unknown-logo"
    status = 404
    title = "There is no logo of this name"
    help = "See /api/v1/logos for all that there are."


class UnknownEmbed(Problem):
    """404: there is no embed with this key."""

    slug = "unknown-embed"
    status = 404
    title = "There is no embed with this key"
    help = "Check the key in the address, or make a new embed."


class UnknownFormat(Problem):
    """404: the logo is not offered in this format."""

    slug = "unknown-format"
    status = 404
    title = "The logo is not offered in this format"
    help = "Use a format that /api/v1/logos names, or auto, with the width as a plain whole number."


class OembedFormat(Problem):
    """501: oEmbed answers are not made in this format."""

    slug = "oembed-format"
    status = 501
    title = "oEmbed answers are not made in this format"
    help = "Ask with format=json or format=xml."


class EmbedRevoked(Problem):
    """410: this embed has been revoked."""

    slug = "embed-revoked"
    status = 410
    title = "This embed has been revoked"
    help = "Ask the partner or the campaign's staff for a new embed."


class OriginNotAllowed(Problem):
    """403: this embed may not be shown on this site."""

    slug = "origin-not-allowed"
    status = 403
    title = "This embed may not be shown on this site"
    help = "Add the site's origin to the embed, or ask its partner to."


class NotSealed(Problem):
    """404: this entry is not sealed in the log yet."""

    slug = "not-sealed"
    status = 404
    title = "This entry is not sealed in the log yet"
    help = "It will be within seconds. Try again after the number of seconds that Retry-After says."


class LogDamaged(Problem):
    """500: the public log does not fit what is stored."""

    slug = "log-damaged"
    status = 500
    title = "The public log does not fit what is stored"
    help = (
        "Sealing has stopped so that nothing is covered up. Run `emblem audit verify`, which names the first bad leaf."
    )


class ConfigurationError(Exception):
    """The deployment is set up wrongly. Each of ``mistakes`` is one sentence that says the fix (exit 2)."""

    def __init__(self, mistakes: Sequence[str]) -> None:
        super().__init__("\n".join(mistakes))
        self.mistakes = tuple(mistakes)
