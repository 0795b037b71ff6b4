"""The credential of a certificate: an Open Badge 3.0 (a W3C Verifiable Credential as VC-JWT), and its status lists.

Its issuer is ``did:web`` of the deployment. Its key is not the log's: whoever checks a credential need not trust what
signs the record. Credentials name no status of their own; two Bitstring Status Lists say which are revoked and which
are suspended, by the certificate's number.

openbadgeslib takes a quarter of a second to import, so it is imported by what signs, and not at every start.
"""

from __future__ import annotations

import base64
import binascii
import re
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote, urlsplit

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from .. import paths

LIST_SIZE = 131_072  # bits: what the specification asks for at least, so that a look-up tells nobody's place
PURPOSES = ("revocation", "suspension")
_FRESH = timedelta(seconds=30)  # how long a reader may keep a status list
_KEPT = timedelta(days=1)


def new_credential_key() -> str:
    """A new key as ``EMBLEM_CREDENTIAL_KEY`` takes it."""
    return "ed25519:" + base64.b64encode(secrets.token_bytes(32)).decode()


def read_keys(text: str) -> tuple[Ed25519PrivateKey, ...]:
    """The keys of ``EMBLEM_CREDENTIAL_KEY``, newest first; ValueError says the fix."""
    found = []
    for part in re.split(r"[,\s]+", text.strip()):
        prefix, _, encoded = part.partition(":")
        try:
            seed = base64.b64decode(encoded, validate=True)
        except (ValueError, binascii.Error):
            seed = b""
        if prefix != "ed25519" or len(seed) != 32:
            raise ValueError("write ed25519: and 32 bytes in base64; `emblem secrets new` makes one")
        found.append(Ed25519PrivateKey.from_private_bytes(seed))
    return tuple(found)


@dataclass(frozen=True)
class Granted:
    """Content of a credential: who was granted what, by which entry of the log."""

    id: str
    number: int
    name: str
    language: str
    issued_at: datetime
    campaign: str
    statement: str
    terms_url: str


class Issuer:
    """Signs credentials and status lists for one deployment."""

    def __init__(self, keys: Sequence[Ed25519PrivateKey], base_url: str, name: str) -> None:
        self._base = base_url
        self._name = name
        self._pems = [
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            for key in keys
        ]
        self._public = [
            key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
            for key in keys
        ]
        self.did = "did:web:" + quote(urlsplit(base_url).netloc, safe="")

    def did_document(self) -> dict[str, Any]:
        """Return what ``/.well-known/did.json`` says: every key, the one in force first."""
        from openbadgeslib.keys import public_jwk_from_pem
        from openbadgeslib.ob3 import build_did_document

        return build_did_document(
            self.did, [(f"key-{number}", public_jwk_from_pem(pem)) for number, pem in enumerate(self._public, 1)]
        )

    def credential(self, granted: Granted) -> str:
        """The credential as a compact VC-JWT."""
        from openbadgeslib import ob3

        block, index = divmod(granted.number, LIST_SIZE)
        made = ob3.OpenBadgeCredential(
            id=self._base + paths.certificate_file(granted.id, "jwt"),
            issuer=ob3.Issuer(id=self.did, name=self._name, url=self._base + "/"),
            recipient_id=None,
            achievement=ob3.Achievement(
                id=granted.terms_url,
                name=granted.campaign,
                description=granted.statement,
                criteria_narrative=granted.statement,
                achievement_type="Membership",
            ),
            issuance_date=granted.issued_at,
            identifiers=[ob3.IdentityObject(identity_hash=granted.name, identity_type="name", hashed=False)],
            evidence=[ob3.Evidence(id=self._base + paths.verify(granted.language, granted.id))],
            credential_status=[
                ob3.status_entry(self._base + paths.status_list(2 * block + place), purpose, index)
                for place, purpose in enumerate(PURPOSES)
            ],
        )
        return ob3.OB3Signer(self._pems[0], "EdDSA").sign(made)

    def status_list(self, number: int, indices: Iterable[int], now: datetime) -> str:
        """The status list ``number`` with these indices set: even ones are revocations, odd ones suspensions."""
        from openbadgeslib.ob3 import build_status_list_credential, sign_status_list_credential

        document = build_status_list_credential(
            self.did,
            self._base + paths.status_list(number),
            PURPOSES[number % 2],
            indices,
            LIST_SIZE,
            issued=now,
            valid_until=now + _KEPT,
            ttl=int(_FRESH.total_seconds() * 1000),
        )
        return sign_status_list_credential(document, self._pems[0], "EdDSA")

    @staticmethod
    def baked(picture: bytes, credential: str) -> bytes:
        """The badge's PNG with the credential in it, where wallets find it (Open Badges 3.0, 5.3)."""
        from openbadgeslib.baking import ITXT_KEYWORD_OB3, bake_png

        return bake_png(picture, credential, keyword=ITXT_KEYWORD_OB3)
