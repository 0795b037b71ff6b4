"""Tokens: the signed text in a download URL, which lets forged and altered links die without the database.

A token is itsdangerous' URL-safe, timed serialization of ``[link id, package, version, expiry]``, or of
``[link id, package, version, path, expiry]`` where the link leads to one file of the package (expiry: whole
seconds since 1970), salted by its purpose. ``[link id, "+", bundle, expiry]`` leads to several packages in one file:
no package is called so. Tokens that earlier deployments issued leave the package out; they
are good until they expire. itsdangerous also accepts altered texts of a valid signature (unused bits of the
last base64 digit, characters that its decoder skips), so a token is good only if encoding what was decoded
gives exactly the same text.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from itsdangerous import BadData, TimestampSigner, URLSafeTimedSerializer

from ..problems import InvalidLink

_SALT = "emblem.download.1"
_SEVERAL = "+"  # in place of a package: what follows is a bundle
LONGEST = 512  # characters; an issued token has about 140, one with a path at most 350


@dataclass(frozen=True)
class Claim:
    """The content of a good token: which link, which version of which package, or which file of it, and until when.

    ``package`` is None in a token that an earlier deployment issued. Where ``bundle`` is the id of a bundle, the
    link leads to the several packages in it, and ``package`` and ``version`` are empty.
    """

    link: str
    package: str | None
    version: str
    expires_at: datetime
    path: str | None = None
    bundle: str | None = None


class Tokens:
    """Sign tokens with the first of ``keys``, verify them with all."""

    def __init__(self, keys: Sequence[str]) -> None:
        # itsdangerous signs with the last key of the list and verifies with every one.
        self._keys = [key.encode() for key in reversed(keys)]
        self._verifier = URLSafeTimedSerializer(self._keys, salt=_SALT)

    def sign(self, claim: Claim, issued_at: datetime) -> str:
        """Return the token of a claim. The same claim, instant and key give the same text, so none is ever stored."""

        class Frozen(TimestampSigner):
            def get_timestamp(self) -> int:
                return int(issued_at.timestamp())

        serializer = URLSafeTimedSerializer(self._keys, salt=_SALT, signer=Frozen)
        package = [] if claim.package is None else [claim.package]
        path = [] if claim.path is None else [claim.path]
        led_to = [*package, claim.version, *path] if claim.bundle is None else [_SEVERAL, claim.bundle]
        token = serializer.dumps([claim.link, *led_to, int(claim.expires_at.timestamp())])
        return token if isinstance(token, str) else token.decode()

    def verify(self, token: str) -> Claim:
        """Return the claim of a token that is exactly as it was issued. Expiry is not judged here.

        Raises InvalidLink where it was altered, cut off, or signed with a key that is no longer known.
        """
        if len(token) > LONGEST or not token.isascii() or not _canonical(token):
            raise InvalidLink
        try:
            value = self._verifier.loads(token)
        except BadData as error:
            raise InvalidLink(private=type(error).__name__) from error
        payload = self._verifier.dump_payload(value).decode()
        if not token.startswith(payload + ".") or not isinstance(value, list) or len(value) not in (3, 4, 5):
            raise InvalidLink(private="not in canonical form")
        *names, expires = value
        path = names.pop() if len(names) == 4 else None
        link, *package, version = names
        until = datetime.fromtimestamp(expires, UTC)
        if package == [_SEVERAL] and path is None:
            return Claim(link, "", "", until, bundle=version)
        return Claim(link, package[0] if package else None, version, until, path)


def _canonical(token: str) -> bool:
    for part in token.removeprefix(".").split("."):
        try:
            decoded = base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            return False
        if base64.urlsafe_b64encode(decoded).rstrip(b"=").decode() != part:
            return False
    return True
