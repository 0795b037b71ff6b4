"""The links in mails of the desk that somebody follows without signing in: signed, and each good for one thing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from itsdangerous import BadSignature, URLSafeSerializer

from ..problems import NotFound

_DIGEST = "emblem.digest.1"
_LETTER = "emblem.letter.1"


class SignedLinks:
    """Makes and reads the tokens of such links: signed by the first of ``keys``, good with all."""

    def __init__(self, keys: Sequence[str]) -> None:
        # itsdangerous signs with the last key of the list and verifies with every one.
        signing = [key.encode() for key in reversed(keys)]
        self._digest = URLSafeSerializer(signing, salt=_DIGEST)
        self._letter = URLSafeSerializer(signing, salt=_LETTER)

    def digest(self, staff: str) -> str:
        """Return the token that ends the digests of a person of the staff."""
        return str(self._digest.dumps(staff))

    def reader(self, token: str) -> str:
        """Return whose digests a token ends. Raises NotFound for one that we did not sign."""
        return str(_read(self._digest, token))

    def letter(self, case: str, participant: str) -> str:
        """Return the token with which a participant answers a letter about a report of misuse."""
        return str(self._letter.dumps([case, participant]))

    def addressee(self, token: str) -> tuple[str, str]:
        """Return the case and the participant of a letter. Raises NotFound for a token that we did not sign."""
        case, participant = _read(self._letter, token)
        return str(case), str(participant)


def _read(serializer: URLSafeSerializer, token: str) -> Any:
    try:
        return serializer.loads(token)
    except BadSignature as error:
        raise NotFound("This link is not complete: copy it whole from the mail.") from error
